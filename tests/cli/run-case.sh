#!/bin/sh
# Runs one case: run-case.sh CANFAR-SPLIT CASE.sh
#
# CASE.sh runs in a new empty folder, canfar-split on its PATH, nothing else in its environment that could say who it is. What
# it prints and exits with must be exactly what CASE.expect says, in three sections:
#   stdout:
#   (lines)
#   stderr:
#   (lines)
#   exit: N
# A line "\ no newline at the end" means that. UPDATE=1 writes CASE.expect anew. In CASE.sh, $TESTS is the folder tests/; a
# case that cannot run here says why on stderr and exits with 77.
set -u
tool=$1
case=$2
expect=${case%.sh}.expect
here=$(cd "$(dirname "$0")" && pwd)
temp=$(mktemp -d) || exit 2
trap 'chmod -R u+rwx "$temp"; rm -rf "$temp"' EXIT
mkdir "$temp/work" && cd "$temp/work" || exit 2

env -i PATH="$(dirname "$tool"):$PATH" HOME="$temp" TMPDIR="$temp" LC_ALL=C TESTS="$here/.." \
    ${ASAN_OPTIONS+ASAN_OPTIONS="$ASAN_OPTIONS"} ${UBSAN_OPTIONS+UBSAN_OPTIONS="$UBSAN_OPTIONS"} \
    ${TSAN_OPTIONS+TSAN_OPTIONS="$TSAN_OPTIONS"} \
    sh "$case" >"$temp/stdout" 2>"$temp/stderr" </dev/null
code=$?
if [ $code -eq 77 ]; then
    cat "$temp/stderr"
    exit 77
fi

show()
{
    echo "$1:"
    cat "$temp/$1"
    if [ -s "$temp/$1" ] && [ -n "$(tail -c 1 "$temp/$1")" ]; then
        printf '\n\\ no newline at the end\n'
    fi
}
{
    show stdout
    show stderr
    echo "exit: $code"
} >"$temp/got"

if [ "${UPDATE:-}" = 1 ]; then
    cp "$temp/got" "$expect"
    exit
fi
if cmp -s "$expect" "$temp/got"; then
    exit 0
fi
echo "$case: wanted (-) and got (+)"
diff -a -u "$expect" "$temp/got"
exit 1
