#!/bin/sh
# What a queue gives, in rows: medians of ROUNDS, taken in turn where two things are compared. What is on disk when: each start is written
# (not synced) before the item is handed out; each end is written, and synced before the coordinator is told of it: in groups, at
# least every 100 ms, or one by one with --sync-every 0. All connections are encrypted. Rows:
#   batched   ITEMS items that do nothing, 2 replicas through the in-process door: items/s, from the first that is handed out to the
#             last end on disk
#   single    one item a message, each end synced before it is told, 2 replicas: items/s; and the median wait in
#             cfsplit_item_next with one replica and items of 25 ms, where nothing is sent ahead
#   spawn     4,000 times /bin/true in 2 slots of one replica, through the queue, beside xargs -P2 -n1
# Needs a release build: cmake --preset release -DBUILD_TESTING=ON and cmake --build build.
# usage: bench/queue.sh [ROUNDS [ITEMS [ROW...]]]
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
rounds=${1:-5} items=${2:-1000000}
[ $# -lt 2 ] || shift
[ $# -lt 1 ] || shift
rows=${*:-batched single spawn}
queue=$build/bin/bench_queue
built "$queue"

# value FILE WORD: what bench_queue printed under that word
value() {
    awk -F '\t' -v word="$2" '$1 == word { print $2 }' "$1"
}
# divide A B [FORMAT]
divide() {
    awk -v a="$1" -v b="$2" -v format="${3:-%.2f}" 'BEGIN { printf format "\n", a / b }'
}
plan() { # RUN ITEMS REPLICAS OPTION...
    rm -rf "$1"
    run=$1 count=$2 replicas=$3
    shift 3
    seq -f 'data/image-%08.0f.fits' "$count" |
        "$tool" plan "$run" --replicas "$replicas" --strategy queue --weights none --from - "$@" 2>said || { cat said >&2; exit 1; }
}
# whole RUN: or it is no measurement
whole() {
    "$tool" verify "$1" >verified 2>&1 || { cat verified >&2; exit 1; }
}
# two_doors RUN: items a second of two replicas at once
two_doors() {
    "$queue" door "$1" 1 >door.1 &
    other=$!
    "$queue" door "$1" 2 >door.2
    wait "$other"
    whole "$1"
    cat door.1 door.2 | awk -F '\t' '
        $1 == "began" && $2 > 0 && (!from || $2 < from) { from = $2 }
        $1 == "ended" && $2 > to { to = $2 }
        $1 == "done" { done += $2 }
        END { printf "%.0f\n", done * 1e6 / (to - from) }'
}
sync_once_us() {
    "$queue" sync sync.probe 200 >synced
    value synced sync_median >>sync.us
}

row_batched() {
    plan b.run "$items" 2
    two_doors b.run >>batched.rate
}
say_batched() {
    echo "batched: $(median batched.rate) items/s ($items items; ends synced in groups, at least every 100 ms)"
}

row_single() {
    plan s.run "$((items / 50))" 2 --batch 1 --sync-every 0
    two_doors s.run >>single.rate
    plan l.run "$((items / 5000 + 8))" 1 --sync-every 0
    "$queue" door l.run 1 25 >door.1
    whole l.run
    value door.1 wait_median >>single.us
}
say_single() {
    echo "single: $(median single.rate) items/s ($((items / 50)) items; each end synced before it is told); one outstanding: $(median single.us) us (p50)"
}

row_spawn() {
    seq "$((items / 250))" >list
    rm -rf t.run
    "$tool" plan t.run --replicas 1 --strategy queue --weights none --from list -- /bin/true '{}' 2>said
    milliseconds "$tool" run t.run --replica 1 -j 2 >>ours.ms
    whole t.run
    milliseconds xargs -P2 -n1 /bin/true <list >>theirs.ms
    divide "$(tail -n 1 theirs.ms)" "$(tail -n 1 ours.ms)" %.3f >>spawn.ratio
}
say_spawn() {
    echo "spawn: $((items / 250)) times /bin/true: $(median ours.ms) ms; xargs -P2 -n1: $(median theirs.ms) ms; rate over that of xargs: $(median spawn.ratio)"
}

i=0
while [ "$i" -lt "$rounds" ]; do
    i=$((i + 1))
    sync_once_us
    for row in $rows; do
        "row_$row"
    done
done
echo "medians of $rounds; pwrite + fdatasync of 80 bytes here: $(median sync.us) us"
for row in $rows; do
    "say_$row"
done
