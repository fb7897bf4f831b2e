#!/bin/sh
# lint.words: no mark of unfinished work, and no path of one machine, is in the tree.
#   words.sh TOP
set -eu
cd "$1"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The letters in brackets keep this file from finding itself.
find . \( -name .git -o -path './build*' -o -path ./.demo -o -path ./.canfar-split -o -path ./examples/data \) -prune -o \
    -type f -print0 >"$folder/files"
if [ ! -s "$folder/files" ]; then
    echo "no file found: nothing to check"
    exit 1
fi
xargs -0 grep -nHIwE 'T[O]DO|F[I]XME|X[X]X' <"$folder/files" >"$folder/wrong" || true
xargs -0 grep -nHIE '/w[o]rk/|/f[a]rm\b|(^|[^a-z.])/h[o]me/[a-z]|(^|[^a-z.])/r[o]ot/' <"$folder/files" >>"$folder/wrong" || true
cut -c 1-200 "$folder/wrong"
[ ! -s "$folder/wrong" ]
