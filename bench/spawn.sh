#!/bin/sh
# What a journal costs: 4,000 times /bin/true in 2 slots, canfar-split (every start and end in a journal on disk) beside
# xargs -P2 -n1 (which keeps none), in turn, five times; medians and their ratio. Needs a release build: cmake --preset release
# and cmake --build build. usage: bench/spawn.sh [ITEMS] [ROUNDS]
set -eu
items=${1:-4000} rounds=${2:-5}
top=$(cd "$(dirname "$0")/.." && pwd)
tool=$top/build/bin/canfar-split
[ -x "$tool" ] || { echo "no $tool: build it first" >&2; exit 2; }
work=$(mktemp -d "$top/build/bench.XXXXXX") # beside the build: on a disk, not in memory
trap 'rm -rf "$work"' EXIT
cd "$work"
seq 1 "$items" >list

milliseconds() { # COMMAND...
    from=$(date +%s%N)
    "$@" >/dev/null 2>&1
    echo $((($(date +%s%N) - from) / 1000000))
}
ours() {
    rm -rf r.run
    "$tool" plan r.run --replicas 1 --strategy chunk --from list -- /bin/true '{}'
    "$tool" run r.run --replica 1 -j 2
}
theirs() {
    xargs -P2 -n1 /bin/true <list
}
sync_once() { # one fdatasync of this disk, by dd
    dd if=/dev/zero of=sync.probe bs=4k count=1 conv=fdatasync
}
median() {
    sort -n "$1" | sed -n "$((($(wc -l <"$1") + 1) / 2))p"
}

i=0
while [ "$i" -lt "$rounds" ]; do
    i=$((i + 1))
    milliseconds ours >>ours.ms
    milliseconds theirs >>theirs.ms
    milliseconds sync_once >>sync.ms
done
"$tool" verify r.run
echo "canfar-split: $(median ours.ms) ms; xargs -P2 -n1: $(median theirs.ms) ms (medians of $rounds); one fdatasync by dd: $(median sync.ms) ms"
awk -v a="$(median theirs.ms)" -v b="$(median ours.ms)" 'BEGIN { printf "rate of canfar-split over that of xargs: %.2f\n", a / b }'
