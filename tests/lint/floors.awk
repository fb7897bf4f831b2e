# Reads floors.txt, then a table of who has which symbol or includes which header:
#   defines FOLDER FILE SYMBOL
#   needs FOLDER FILE SYMBOL
#   includes FOLDER FILE FOLDER-OF-THE-HEADER
# with folder "tools" for the command line. Prints what breaks the rules and exits 1 then.
function complain(text) { print text; bad = 1 }
FNR == NR { if ($0 !~ /^#/ && NF == 2) height[$1] = $2; next }
$2 != "tools" && !($2 in height) { complain($3 ": folder " $2 " has no floor in tests/lint/floors.txt"); next }
$1 == "defines" { home[$4] = $2; defined++ }
$1 == "needs" { needs[++count] = $0 }
$1 == "includes" { includes++; check($2, $3, $4, "a header") }
END {
    for (i = 1; i <= count; i++) {
        split(needs[i], part)
        if (part[2] == "tools" && part[4] !~ /^cfsplit_/)
            complain(part[3] ": tools/ uses " part[4] ", which is not public")
        else if (part[4] in home)
            check(part[2], part[3], home[part[4]], part[4])
        else
            complain(part[3] ": nobody defines " part[4])
    }
    if (!defined || !count || !includes)
        complain("nothing to check: " defined + 0 " symbols defined, " count + 0 " needed, " includes + 0 " includes")
    exit bad
}
function check(folder, file, other, what) {
    if (folder == other)
        return
    if (folder == "tools") {
        if (what ~ /^a header/)
            complain(file ": tools/ includes " what " of " other "; it sees include/cfsplit/ only")
        return
    }
    if (!(other in height))
        complain(file ": " folder "/ uses " what ", which has no floor")
    else if (height[other] >= height[folder])
        complain(file ": " folder "/ uses " what " of " other "/, which is not below it")
}
