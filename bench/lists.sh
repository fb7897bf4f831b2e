#!/bin/sh
# How fast lists are read, split and planned (docs/lists.md): each row in turn with what is used for it otherwise (coreutils split
# and wc, glob(3) in a C program, fpart if it is installed: Debian packages), medians of ROUNDS, ratios of the same run. Files that
# are made lie beside the build and are removed. Needs a release build: cmake --preset release and cmake --build build.
# usage: bench/lists.sh [ROUNDS] [PATHS] [FILES]
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
rounds=${1:-5} paths=${2:-10000000} files=${3:-200000}
few=$((paths / 10))
took=$build/bin/bench_took glob=$build/bin/bench_glob
built "$took" "$glob"
static=$top/build-static/bin/canfar-split # if it has been built: cmake --preset static and cmake --build build-static
shares=100
if [ "$few" -lt 1000 ]; then shares=3; fi
last=$shares middle=$((shares / 2 + 1))

# time NAME COMMAND...: a run of it, its output thrown away; what it says is shown if it fails
time_of() {
    name=$1
    shift
    "$took" "$name.took" "$@" >/dev/null 2>said || { cat said >&2; exit 1; }
}
plan() { # NAME OPTION...
    name=$1
    shift
    rm -rf p.run
    time_of "$name" "$tool" plan p.run --replicas "$shares" "$@"
}

# ---- what is read
seq -f 'survey/field-%08.0f/science-exposure-of-the-northern-sky.fits' 1 "$paths" >paths # 63 to 66 bytes a path
head -n "$few" paths >few
awk '{ srand(NR); printf "%d\t%s\n", rand() * 100000000, $0 }' paths >weighed
mkdir flat tree
seq -f 'flat/exposure-%08.0f.fits' 1 "$files" | xargs touch
seq -f 'tree/night-%03.0f' 0 199 | xargs mkdir
awk -v n="$files" 'BEGIN { # 1,000 sizes up to 97 MB, most of them small
    for (c = 0; c < 1000 && c < n; c++) {
        printf "truncate -s %d", c * c * 97 + 1
        for (i = c; i < n; i += 1000) printf " tree/night-%03d/exposure-%06d.fits", int(i / 7) % 200, i
        print ""
    } }' | sh
head -n 10 paths >ten

# ---- the same answers
"$tool" stripe --replica "$middle/$shares" --from paths >ours
split -n "r/$middle/$shares" paths >theirs
cmp ours theirs
"$tool" stripe --replica 1/1 'flat/*.fits' >ours
LC_ALL=C "$glob" 'flat/*.fits' >theirs
cmp ours theirs
for k in 1 2; do "$tool" even --replica "$k/2" --from paths; done | cmp - paths

# ---- the rows, in turn
i=0
while [ "$i" -lt "$rounds" ]; do
    i=$((i + 1))
    for k in 1 "$middle" "$last"; do
        time_of "stripe.$k" "$tool" stripe --replica "$k/$shares" --from paths
        time_of "split.$k" split -n "r/$k/$shares" paths
        time_of "chunk.$k" "$tool" chunk --replica "$k/$shares" --from paths
        time_of "wc.$k" wc -l paths
    done
    time_of pattern "$tool" stripe --replica 1/1 'flat/*.fits'
    time_of glob "$glob" 'flat/*.fits'
    time_of size "$tool" size --replica "$middle/$shares" -r tree
    if command -v fpart >fpart.path; then time_of fpart fpart -n "$shares" -o parts tree; fi
    plan plan-few --weights none --from few
    mv p.run few.run
    plan plan --weights none --from paths
    plan plan-weighed --weights column --from weighed
    plan plan-even --strategy even --from paths
    rm -rf few.run p.run parts*
    time_of version "$tool" --version
    time_of ten "$tool" chunk --replica 2/3 --from ten
    time_of true /bin/true
    if [ -x "$static" ]; then time_of static "$static" chunk --replica 2/3 --from ten; fi
done

# ---- what they say
us() { # NAME
    cut -d ' ' -f 1 "$1.took" >"$1.us"
    median "$1.us"
}
mib() {
    cut -d ' ' -f 2 "$1.took" | sort -n | awk 'END { printf "%.0f", $1 / 1024 }'
}
row() { # WORDS NAME [PEER-WORDS PEER]
    printf '%-52s %9.1f ms %5s MiB' "$1" "$(us "$2" | awk '{ print $1 / 1000 }')" "$(mib "$2")"
    if [ $# -eq 4 ]; then
        printf '   %s %.1f ms   ratio %.2f' "$3" "$(us "$4" | awk '{ print $1 / 1000 }')" \
            "$(awk -v a="$(us "$2")" -v b="$(us "$4")" 'BEGIN { print a / b }')"
    fi
    echo
}
echo "medians of $rounds; $paths paths, $(($(wc -c <paths) / 1000000)) MB; $files files; $shares shares"
for k in 1 "$middle" "$last"; do
    row "stripe, replica $k" "stripe.$k" "split -n r/$k/$shares" "split.$k"
done
for k in 1 "$middle" "$last"; do
    row "chunk, replica $k" "chunk.$k" "wc -l" "wc.$k"
done
row "a pattern in one folder" pattern "glob(3)" glob
if [ -e fpart.took ]; then
    row "size, files of a tree" size "fpart -n $shares" fpart
else
    row "size, files of a tree" size
fi
row "plan, $few paths" plan-few
row "plan, $paths paths" plan
row "plan, $paths paths with weights" plan-weighed
row "plan --strategy even, $paths paths" plan-even
row "--version" version
row "chunk of 10 items" ten "/bin/true" true
if [ -e static.took ]; then row "chunk of 10 items, static program" static "/bin/true" true; fi

# The balance: the heaviest share, over what all would have if they were equal.
heaviest() {
    awk '{ has[$1] += $2; all += $2 } END { for (k in has) if (has[k] > most) most = has[k]; printf "%.9f\n", most * '"$shares"' / all }'
}
"$tool" plan b.run --replicas "$shares" -r tree 2>said
"$tool" items b.run --state pending --json | sed 's/.*"weight":\([0-9]*\),"share":\([0-9]*\).*/\2 \1/' | heaviest >balance
echo "balance of size: the heaviest share is $(cat balance) of the mean"
if [ -e fpart.took ]; then
    fpart -n "$shares" -o parts tree 2>&1 | sed -n 's/^Part #\([0-9]*\): size = \([0-9]*\),.*/\1 \2/p' | heaviest >balance.fpart
    echo "balance of fpart: the heaviest share is $(cat balance.fpart) of the mean"
    awk -v a="$(cat balance)" -v b="$(cat balance.fpart)" 'BEGIN { exit !(a <= b) }'
fi
