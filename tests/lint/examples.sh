#!/bin/sh
# lint.examples: every function that the shared library exports is called in an example of docs/api.md, and named in libcfsplit(3).
#   examples.sh TOP LIBRARY
set -eu
top=$1 library=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

nm -D -P --defined-only "$library" | cut -d ' ' -f 1 | grep '^cfsplit_' | LC_ALL=C sort -u >"$folder/exported" || true
if [ ! -s "$folder/exported" ]; then
    echo "no function is exported: nothing to check"
    exit 1
fi
awk '/^```/ { inside = ($0 == "```c"); next } inside' "$top/docs/api.md" | grep -oE '\bcfsplit_[a-z_]+\(' | tr -d '(' |
    LC_ALL=C sort -u >"$folder/called" || true
grep -oE '\bcfsplit_[a-z_]+\b' "$top/docs/man/libcfsplit.3" | LC_ALL=C sort -u >"$folder/named" || true
{
    LC_ALL=C comm -23 "$folder/exported" "$folder/called" | sed 's/$/: has no example in docs\/api.md/'
    LC_ALL=C comm -23 "$folder/exported" "$folder/named" | sed 's/$/: is not in docs\/man\/libcfsplit.3/'
} >"$folder/wrong"
cat "$folder/wrong"
[ ! -s "$folder/wrong" ]
