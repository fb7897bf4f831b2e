#!/bin/sh
# What a journal costs: 4,000 times /bin/true in 2 slots, canfar-split (every start and end in a journal on disk) beside
# xargs -P2 -n1 (which keeps none) and, where it is installed, GNU parallel on a tenth of the items, in turn, five times; medians and
# their ratios. Needs a release build: cmake --preset release
# and cmake --build build. usage: bench/spawn.sh [ITEMS] [ROUNDS]
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
items=${1:-4000} rounds=${2:-5}
seq 1 "$items" >list

ours() {
    rm -rf r.run
    "$tool" plan r.run --replicas 1 --strategy chunk --from list -- /bin/true '{}'
    "$tool" run r.run --replica 1 -j 2
}
theirs() {
    xargs -P2 -n1 /bin/true <list
}

parallel_tenth() {
    head -n "$((items / 10))" list | parallel -j2 --joblog joblog /bin/true '{}'
    rm -f joblog
}

i=0
while [ "$i" -lt "$rounds" ]; do
    i=$((i + 1))
    milliseconds ours >>ours.ms
    milliseconds theirs >>theirs.ms
    ! command -v parallel >/dev/null || milliseconds parallel_tenth >>parallel.ms
    milliseconds sync_once >>sync.ms
done
"$tool" verify r.run
echo "canfar-split: $(median ours.ms) ms; xargs -P2 -n1: $(median theirs.ms) ms (medians of $rounds); one fdatasync by dd: $(median sync.ms) ms"
awk -v a="$(median theirs.ms)" -v b="$(median ours.ms)" 'BEGIN { printf "rate of canfar-split over that of xargs: %.2f\n", a / b }'
[ ! -e parallel.ms ] ||
    awk -v a="$(median parallel.ms)" -v b="$(median ours.ms)" 'BEGIN { printf "over that of GNU parallel: %.1f\n", 10 * a / b }'
