#!/bin/sh
# lint.exports: what the shared library exports is what the public headers mark CFSPLIT_API, no more, no less.
#   exports.sh TOP CC LIBRARY HEADER...
set -eu
top=$1 cc=$2 library=$3
shift 3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The preprocessor takes comments and macros away, and leaves CFSPLIT_API, since it thinks that it has seen export.h. Of a
# declaration, the name is what stands before its first bracket.
for header; do
    printf '#include "%s"\n' "$header"
done | "$cc" -E -P -x c -D CFSPLIT_EXPORT_H -D CFSPLIT_MUST_USE= -I "$top/include" - | tr '\n;' ' \n' |
    sed -n 's/.*CFSPLIT_API[^(]*[ *]\([A-Za-z_0-9]*\)(.*/\1/p' | LC_ALL=C sort -u >"$folder/declared"
# Names with a leading underscore are the compiler's and its sanitizers'.
nm -D -P --defined-only "$library" | cut -d ' ' -f 1 | grep -v '^_' | LC_ALL=C sort -u >"$folder/exported" || true
if [ ! -s "$folder/declared" ]; then
    echo "no function is marked CFSPLIT_API: nothing to check"
    exit 1
fi
code=0
LC_ALL=C comm -23 "$folder/declared" "$folder/exported" | sed 's/$/: declared, not exported/' >"$folder/wrong"
LC_ALL=C comm -13 "$folder/declared" "$folder/exported" | sed 's/$/: exported, not declared CFSPLIT_API/' >>"$folder/wrong"
[ ! -s "$folder/wrong" ] || code=1
cat "$folder/wrong"
exit "$code"
