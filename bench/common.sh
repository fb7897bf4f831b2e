# shellcheck shell=sh
# Sourced by the scripts that measure: a folder of their own beside the release build, and what all of them do.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=${CFSPLIT_BUILD:-$top/build} # tests measure small things with a build of their own
tool=$build/bin/canfar-split

# built PROGRAM...: ends if one of them is not there
built() {
    for program; do
        [ -x "$program" ] || { echo "no $program: build it first: cmake --preset release && cmake --build build" >&2; exit 2; }
    done
}
built "$tool"
work=$(mktemp -d "$build/bench.XXXXXX") # beside the build: on a disk, not in memory
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
cd "$work"

# milliseconds COMMAND...: how long it takes; what it prints is shown if it fails
milliseconds() {
    from=$(date +%s%N)
    "$@" >out 2>&1 || { cat out >&2; exit 1; }
    echo $((($(date +%s%N) - from) / 1000000))
}
# one fdatasync of this disk, by dd
sync_once() {
    dd if=/dev/zero of=sync.probe bs=4k count=1 conv=fdatasync
}
# median FILE: of its lines
median() {
    sort -n "$1" | sed -n "$((($(wc -l <"$1") + 1) / 2))p"
}
# value FILE WORD [COLUMN]: what a program of ours printed under that word
value() {
    awk -F '\t' -v word="$2" -v column="${3:-2}" '$1 == word { print $column }' "$1"
}
# row NAME FILE UNIT: name, median, unit, least and most of its lines, TAB-separated
row() {
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$(median "$2")" "$3" "$(sort -n "$2" | head -n 1)" "$(sort -n "$2" | tail -n 1)"
}
