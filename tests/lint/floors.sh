#!/bin/sh
# lint.floors: the linked symbols and the includes follow the floors of floors.txt.
#   floors.sh TOP FILE-WITH-THE-LIBRARY'S-OBJECTS FILE-WITH-THE-TOOL'S-OBJECTS      (one path a line)
set -eu
top=$1
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# symbols FOLDER OBJECT: what it has and what it needs, of ours
symbols() {
    nm -P "$2" | LC_ALL=C awk -v folder="$1" -v file="${2##*.dir/}" '
        $1 !~ /^(csi|cfsplit)_/ { next }
        $2 == "U" { print "needs", folder, file, $1; next }
        $2 ~ /[A-Z]/ { print "defines", folder, file, $1 }'
}

# includes FOLDER FILE: the folders of the headers that it names in quotes; a name without a folder is a neighbour
includes() {
    sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$2" | while IFS= read -r header; do
        case $header in
        */*) echo "includes $1 ${2#"$top"/} ${header%%/*}" ;;
        *) [ -f "${2%/*}/$header" ] || echo "includes $1 ${2#"$top"/} $header" ;;
        esac
    done
}

{
    while IFS= read -r object; do
        part=${object##*.dir/}
        symbols "${part%%/*}" "$object"
    done <"$2"
    while IFS= read -r object; do
        symbols tools "$object"
    done <"$3"
    for file in "$top"/runtime/*/*.[ch]; do
        part=${file#"$top"/runtime/}
        includes "${part%%/*}" "$file"
    done
    for file in "$top"/tools/*.[ch]; do
        includes tools "$file"
    done
} >"$folder/table"
LC_ALL=C awk -f "$here/floors.awk" "$here/floors.txt" "$folder/table"
