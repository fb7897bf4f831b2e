#!/bin/sh
# All that is measured here, in one run, and what it says: FOLDER/RESULTS.md with its figures in FOLDER/figures (docs/benchmarks.md). A part that fails
# or takes too long is named there, ends no other, and makes the exit code 1.
#   quick    (default) 15 minutes at most: what does not fit in is named as not run
#   full     sizes of the issues that asked for them, five rounds
#   tiny     sizes that measure nothing: for tests
# A part whose script or command is not there is left out. CFSPLIT_INSTALL=no: no package is installed for it. Needs a release build:
# cmake --preset release -DBUILD_TESTING=ON and cmake --build build. usage: bench/run.sh [quick|full|tiny [FOLDER]]
case ${1:-quick} in
quick | full | tiny) ;;
*) echo "usage: bench/run.sh [quick|full|tiny [FOLDER]]" >&2; exit 2 ;;
esac
mkdir -p "${2:-$(dirname "$0")}"
into=$(cd "${2:-$(dirname "$0")}" && pwd)
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
mode=${1:-quick}
case $mode in quick) seconds=870 ;; full) seconds=14400 ;; tiny) seconds=1700 ;; esac
until=$(($(date +%s) + seconds))
awk '{ print $1 }' /proc/loadavg >load
mkdir parts
child=
trap '[ -z "$child" ] || kill "$child" 2>/dev/null || true; rm -rf "$work"' EXIT

# took_so NAME HOW FROM: a line of parts/list: what came of it, in how many seconds
took_so() {
    printf '%s\t%s\t%s\n' "$1" "$2" "$(($(date +%s) - $3))" >>parts/list
    echo "$1: $2, $(($(date +%s) - $3)) s" >&2
}
# part NAME SCRIPT ARGUMENT...: what it prints, in parts/NAME
part() {
    name=$1 script=$top/bench/$2
    shift 2
    [ -x "$script" ] || return 0
    from=$(date +%s)
    if [ "$from" -ge "$until" ]; then
        took_so "$name" 'not run: no time was left' "$from"
        return 0
    fi
    timeout -k 10 "$((until - from))" "$script" "$@" >"parts/$name" 2>"parts/$name.said" </dev/null &
    child=$!
    code=0
    wait "$child" || code=$?
    child=
    case $code in
    0) took_so "$name" done "$from" ;;
    124 | 137) took_so "$name" 'ended: it took too long' "$from" ;;
    *) took_so "$name" "failed (exit $code): $(tail -n 1 "parts/$name.said" | sed "s|$build/||g; s|$top/||g" | tr '\t' ' ')" "$from" ;;
    esac
}

# simulate ARGUMENT...: if the program can
simulate() {
    "$tool" simulate --help >simulates 2>&1 || return 0
    part simulate simulate.sh "$@" "$work/parts/simulate.svg"
}

# What is quick and needed for shares comes first.
case $mode in
quick)
    part limits limits.sh 3 50000
    part peers peers.sh 3 500000
    part growth growth.sh 2 10000000 200000
    simulate 2000 1000000
    part spawn spawn.sh 4000 3
    part door door.sh 500000 1000 3
    part lists lists.sh 3 2000000 50000
    part queue queue.sh 3 1000000 batched single takeover
    part crowd queue.sh 1 1000000 crowd memory paced idle
    part scale scale.sh 512 200000 51 20 1
    part verify verify.sh 1000000 512 3
    export TWO_STEPS_PIXELS=2000000 # else one image takes a quarter of the time of all
    part strategies strategies.sh 1 2 4 equal,lognormal-1,pareto,giant,fits,replay,two-steps,replay-two-steps 1000000 64
    ;;
full)
    part limits limits.sh 5 100000
    part peers peers.sh 5 1000000
    part growth growth.sh 5 10000000 1000000
    simulate 2000 1000000
    part spawn spawn.sh 4000 5
    part door door.sh 500000 1000 5
    part lists lists.sh 5 10000000 200000
    part queue queue.sh 5 1000000
    part memory10 queue.sh 1 1000000 memory10
    part strategies strategies.sh 3 5 4,64,512
    part scale scale.sh 512 1000000 51 20 1
    part verify verify.sh 1000000 512 5
    ;;
tiny)
    part limits limits.sh 1 2000
    part peers peers.sh 1 2000
    part growth growth.sh 1 10000 100
    simulate 100 1000
    part spawn spawn.sh 20 1
    part door door.sh 200 20 1
    part lists lists.sh 1 2000 400
    part queue queue.sh 1 2000 batched
    part strategies strategies.sh 1 0.1 3 pareto,giant 2000
    part scale scale.sh 8 800 1 1 1
    part verify verify.sh 800 8 1
    ;;
esac

mkdir -p "$into/figures"
code=0
"$top/bench/figures.sh" "$work/parts" "$into/figures" || { echo "figures: failed" >&2; code=1; }
"$top/bench/results.sh" "$mode" "$work/parts" "$into/figures" "$(cat load)" >RESULTS.md && cp RESULTS.md "$into/RESULTS.md" || { echo "results: failed" >&2; code=1; }
awk -F '\t' '$2 != "done" { bad = 1 } END { exit bad }' parts/list || code=1
exit "$code"
