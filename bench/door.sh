#!/bin/sh
# What the in-process door costs, five times in turn; medians and ratios:
#   group   next + done of items that do nothing, one replica, static share; every start is written (not synced) before the item
#           is handed out, every end is on disk within 100 ms
#   sync    the same with cfsplit_worker_sync after each item: on disk, and no other replica took over, before it goes on
#   bare    no door: pwrite + fdatasync of as many bytes as sync writes an item
# Needs a release build: cmake --preset release and cmake --build build. usage: bench/door.sh [ITEMS [ITEMS-SYNCED [ROUNDS]]]
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
items=${1:-500000} synced=${2:-1000} rounds=${3:-5}
door=$build/bin/bench_door
built "$door"

plan() { # RUN ITEMS
    rm -rf "$1"
    seq -f 'data/image-%07g.fits' "$2" | "$tool" plan "$1" --replicas 1 --strategy chunk --from - 2>/dev/null
}

i=0
while [ "$i" -lt "$rounds" ]; do
    i=$((i + 1))
    plan g.run "$items"
    "$door" group g.run >>group.us
    plan s.run "$synced"
    "$door" sync s.run >>sync.us
    bytes=$(($(cat s.run/journal/* | wc -c) / synced))
    "$door" bare bare "$synced" "$bytes" >>bare.us
done
"$tool" verify g.run
"$tool" verify s.run
echo "group: $(median group.us) us an item (medians of $rounds; $items items); one fdatasync here: $(median bare.us) us"
echo "sync:  $(median sync.us) us an item ($synced items); bare: $(median bare.us) us ($bytes bytes)"
awk -v a="$(median sync.us)" -v b="$(median bare.us)" 'BEGIN { printf "sync over bare: %.2f\n", a / b }'
