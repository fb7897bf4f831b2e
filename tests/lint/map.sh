#!/bin/sh
# lint.map: every path that docs/map.md names is there, and it names every source file of runtime/ and tools/.
#   map.sh TOP
set -eu
cd "$1"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

grep -oE '\b(include|runtime|tools|bench|tests|examples|docs|\.ci)/[A-Za-z0-9_./*-]*[A-Za-z0-9_/*]' docs/map.md |
    LC_ALL=C sort -u >"$folder/named" || true
while IFS= read -r path; do
    # shellcheck disable=SC2086 # a name may be a pattern
    set -- $path
    [ -e "$1" ] || echo "docs/map.md names $path, which is not there"
done <"$folder/named" >"$folder/wrong"
for file in runtime/*/*.c tools/*.c; do
    grep -qxF "$file" "$folder/named" || echo "docs/map.md does not name $file"
done >>"$folder/wrong"
cat "$folder/wrong"
[ ! -s "$folder/wrong" ]
