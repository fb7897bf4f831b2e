#!/bin/sh
# What a queue gives, in rows: medians of ROUNDS, taken in turn where two things are compared. What is on disk when: each start is written
# (not synced) before the item is handed out; each end is written, and synced before the coordinator is told of it: in groups, at
# least every 100 ms, or one by one with --sync-every 0. All connections are encrypted. Rows:
#   batched   ITEMS items that do nothing, 2 replicas through the in-process door: items/s, from the first that is handed out to the
#             last end on disk; and the processor time of both processes for an item
#   single    one item a message, 2 replicas: items/s, with ends synced in groups; with each synced by itself, beside two processes that do nothing but
#             pwrite and fdatasync, in turn; and the median wait in cfsplit_item_next with one replica and items of 120 ms, where
#             nothing is sent ahead
#   spawn     /bin/true (ITEMS / 250 times) in 2 slots of one replica, through the queue, beside xargs -P2 -n1
#   crowd     ITEMS items, 1,000 workers in one process, the coordinator in another one: items/s, processor time of the coordinator
#             an item. These workers write no starts and no ends
#   memory    the same with 512 workers: the most that the coordinator's process had in memory (memory10: with 10 times the items)
#   takeover  ITEMS items, 2 replicas; the process that coordinates is killed (-9) when the other one has done a quarter: the longest wait of the other one
#             from then on, and the part of it after the one that was killed is sealed
#   paced     512 workers in one process, 2,000 items for each, which take 10 ms: the part of the workers' time in which they have no item to
#             do, from the moment when all may begin to the last end
#   idle      512 workers of which one has all items, the others wait: processor time in 20 s, in percent of a core
# Needs a release build: cmake --preset release -DBUILD_TESTING=ON and cmake --build build. With fewer than a million items the rows
# crowd to idle have fewer workers and seconds. usage: bench/queue.sh [ROUNDS [ITEMS [ROW...]]]
# shellcheck source=bench/doors.sh
. "$(dirname "$0")/doors.sh"
rounds=${1:-5} items=${2:-1000000}
[ $# -lt 2 ] || shift
[ $# -lt 1 ] || shift
rows=${*:-batched single spawn crowd memory takeover paced idle}
crowd=$((items < 1000000 ? items / 2000 + 2 : 1000)) few=$((items < 1000000 ? items / 4000 + 2 : 512))
idle_s=$((items < 1000000 ? 1 : 20)) paced_each=$((items < 1000000 ? 20 : 2000))

sync_once_us() {
    "$queue" sync sync.probe 200 >synced
    value synced sync_median >>sync.us
}

row_batched() {
    plan b.run "$items" 2
    two_doors b.run
    value both rate >>batched.rate
    value both cpu_us >>batched.us
}
say_batched() {
    echo "batched: $(median batched.rate) items/s ($items items; ends synced in groups, at least every 100 ms); $(median batched.us) us of processor an item, all threads of both processes"
}

row_single() {
    plan g.run "$((items / 10))" 2 --batch 1
    two_doors g.run
    value both rate >>grouped.rate
    value door.1 wait_median >>grouped.us
    plan s.run "$((items / 50))" 2 --batch 1 --sync-every 0
    two_doors s.run
    value both rate >>single.rate
    "$queue" sync bare.1 "$((items / 200))" >bare.said &
    other=$!
    "$queue" sync bare.2 "$((items / 200))" >synced
    wait "$other"
    cat synced bare.said | awk -F '\t' '$1 == "sync_rate" { sum += $2 } END { print sum }' >>bare.rate
    divide "$(tail -n 1 single.rate)" "$(tail -n 1 bare.rate)" >>single.ratio
    plan l.run "$((items / 20000 + 8))" 1 --sync-every 0
    "$queue" door l.run 1 120 >door.1
    whole l.run
    value door.1 wait_median >>single.us
}
say_single() {
    echo "single: $(median grouped.rate) items/s ($((items / 10)) items; ends synced in groups before they are told; $(median grouped.us) us from asking to the item, p50, all being busy); $(median single.rate) items/s where each end is synced by itself, $(median single.ratio) of what two processes do that only write and sync as often; one outstanding, after 120 ms in which all slept: $(median single.us) us (p50)"
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

row_crowd() {
    crowd c.run "$items" "$crowd" 0
    divide "$(value crowd.said items)" "$(value crowd.said took_us)" %.6f | awk '{ printf "%.0f\n", $1 * 1e6 }' >>crowd.rate
    divide "$(value crowd.said lead_cpu_us)" "$items" >>crowd.us
}
say_crowd() {
    echo "crowd: $crowd workers: $(median crowd.rate) items/s; coordinator: $(median crowd.us) us of processor an item"
}

row_memory() {
    crowd m.run "$items" "$few" 0
    value lead.said peak_kib >>memory.kib
}
say_memory() {
    echo "memory: $items items, $few workers: $(($(median memory.kib) / 1024)) MiB in the coordinator's process"
}
row_memory10() {
    crowd m.run "$((items * 10))" "$few" 0
    value lead.said peak_kib >>memory10.kib
}
say_memory10() {
    echo "memory10: $((items * 10)) items, $few workers: $(($(median memory10.kib) / 1024)) MiB in the coordinator's process"
}

row_takeover() {
    plan k.run "$items" 2
    rm -f gate
    mkfifo gate
    "$queue" door k.run 1 gate >door.1 2>&1 &
    victim=$!
    coordinates k.run
    "$queue" door k.run 2 gate "$victim" "$((items < 1000000 ? items / 20 : items / 4))" >door.2 &
    other=$!
    has 'k.run/journal/2-*' bound
    exec 9>gate # both begin, whenever they come to it
    wait "$other"
    exec 9>&-
    wait "$victim" && { echo "the coordinator was not killed" >&2; exit 1; }
    whole k.run
    value door.2 wait_longest >>takeover.us
    sealed=$(find k.run/fence -name 'c*.seal' -printf '%T@\n' | sort -n | head -n 1)
    awk -v a="$(value door.2 wait_longest_end_s)" -v b="$sealed" 'BEGIN { printf "%.0f\n", (a - b) * 1e6 }' >>takeover.sealed
}
say_takeover() {
    echo "takeover: $items items, half done: nothing for $(($(median takeover.us) / 1000)) ms, of which $(($(median takeover.sealed) / 1000)) ms after the one that was killed is sealed"
}

row_idle() {
    crowd i.run "$few" "$few" "$idle_s"
    took=$(value crowd.said took_us)
    divide "$(value crowd.said lead_cpu_us)00" "$took" >>idle.lead
    divide "$(value crowd.said own_cpu_us)00" "$took" >>idle.own
}
say_idle() {
    echo "idle: $(value crowd.said waiting) workers wait $idle_s s: coordinator $(median idle.lead)% of a core, all workers together $(median idle.own)%"
}

row_paced() {
    crowd p.run "$((few * paced_each))" "$few" 0 10
    value crowd.said busy | awk '{ printf "%.2f\n", 100 * (1 - $1) }' >>paced.idle
    value crowd.said item_us >>paced.us
}
say_paced() {
    echo "paced: $few workers, $paced_each items of 10 ms each (here $(median paced.us) us): $(median paced.idle)% of their time, until the last end, without an item"
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
