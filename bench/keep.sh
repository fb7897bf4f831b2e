#!/bin/sh
# What keeping a command saves: a Python loop that does nothing for each of 10,000 items, started once a slot (--keep), beside
# Python started for each of 200 items; 2 slots, in turn, five times; medians of the rates and their ratio. Both keep their journal
# on disk. Needs a release build: cmake --preset release and cmake --build build. usage: bench/keep.sh [KEPT] [STARTED] [ROUNDS]
set -eu
kept=${1:-10000} started=${2:-200} rounds=${3:-5}
top=$(cd "$(dirname "$0")/.." && pwd)
tool=$top/build/bin/canfar-split
[ -x "$tool" ] || { echo "no $tool: build it first" >&2; exit 2; }
python=$(python3 -c 'import sys; print(sys.executable)') # itself, not what a manager of versions puts in front
work=$(mktemp -d "$top/build/bench.XXXXXX")              # beside the build: on a disk, not in memory
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >loop.py <<'SCRIPT'
import sys
for line in sys.stdin.buffer:
    print("done", flush=True)
SCRIPT
echo 'import sys' >once.py

# rate WORD ITEMS ARGUMENT...: plans so many items, runs them, adds items a second to WORD.rates
rate() {
    word=$1 items=$2
    shift 2
    rm -rf r.run
    seq 1 "$items" | "$tool" plan r.run --replicas 1 --strategy chunk --from - "$@" 2>plan.said
    from=$(date +%s%N)
    "$tool" run r.run --replica 1 -j 2 2>run.said
    took=$((($(date +%s%N) - from) / 1000))
    "$tool" verify r.run >verify.said
    awk -v n="$items" -v us="$took" 'BEGIN { printf "%.1f\n", n * 1000000 / us }' >>"$word.rates"
}
sync_once() { # one fdatasync of this disk, by dd
    from=$(date +%s%N)
    dd if=/dev/zero of=sync.probe bs=4k count=1 conv=fdatasync 2>/dev/null
    echo $((($(date +%s%N) - from) / 1000000)) >>sync.ms
}
median() {
    sort -n "$1" | sed -n "$((($(wc -l <"$1") + 1) / 2))p"
}

i=0
while [ "$i" -lt "$rounds" ]; do
    i=$((i + 1))
    rate kept "$kept" --keep -- "$python" loop.py
    rate started "$started" -- "$python" once.py '{}'
    sync_once
done
echo "items a second, medians of $rounds: $(median kept.rates) with --keep, $(median started.rates) with Python started for each"
echo "on disk: each start and end in the journal, synced every 100 ms; one fdatasync by dd: $(median sync.ms) ms"
awk -v a="$(median kept.rates)" -v b="$(median started.rates)" 'BEGIN { printf "rate with --keep over that without: %.1f\n", a / b }'
