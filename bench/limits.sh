#!/bin/sh
# What this machine can do at most on the work that canfar-split does, without any of it: rows of name, median of ROUNDS, unit, least and most,
# TAB-separated. Messages have 64 bytes and go to another process over the loopback device or an abstract Unix socket.
#   scan-count, scan-find   newlines in memory, 64 bytes apart: all counted at once, or found one after the other
#   list                    getdents64 of a folder of ITEMS / 5 files
#   spawn-1, spawn-2        posix_spawn (vfork and exec) and wait of /bin/true, one or two at a time
#   sync-1, sync-2          pwrite and fdatasync of 80 bytes in a file whose blocks are there already, one process or two; sync-wait: one of them
#   rate WAY                one way; "packed" 1,024 messages are one write
#   trip WAY, idle WAY      there and back, one after the other; or each after a sleep of 25 to 120 ms
# of the ways tcp and unix (bare sockets), plain-tcp, plain-ipc, curve-tcp and curve-ipc (ZeroMQ; curve: encrypted).
# Needs a release build: cmake --preset release -DBUILD_TESTING=ON and cmake --build build. usage: bench/limits.sh [ROUNDS [ITEMS]]
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
rounds=${1:-5} items=${2:-100000}
limits=$build/bin/bench_limits queue=$build/bin/bench_queue
built "$limits" "$queue"
ways="tcp unix plain-tcp plain-ipc curve-tcp curve-ipc"

# one FILE WORD ARGUMENT...: what bench_limits prints under that word, into FILE
one() {
    file=$1 word=$2
    shift 2
    "$limits" "$@" >printed
    value printed "$word" >>"$file"
}
sync_two() {
    "$queue" sync bare.1 "$((items / 100))" >synced.1 &
    other=$!
    "$queue" sync bare.2 "$((items / 100))" >synced.2
    wait "$other"
    cat synced.1 synced.2 | awk -F '\t' '$1 == "sync_rate" { sum += $2 } END { print sum }' >>sync-2
}

mkdir folder
seq -f 'folder/exposure-%08.0f.fits' "$((items / 5))" | xargs touch
i=0
while [ "$i" -lt "$rounds" ]; do
    i=$((i + 1))
    "$limits" scan "$((items / 1600 + 1))" >printed
    value printed count >>scan-count
    value printed find >>scan-find
    one list list list folder
    one spawn-1 spawn spawn "$((items / 50))" 1
    one spawn-2 spawn spawn "$((items / 50))" 2
    "$queue" sync bare.1 "$((items / 100))" >synced
    value synced sync_rate >>sync-1
    value synced sync_median >>sync-wait
    sync_two
    for way in $ways; do
        one "rate.$way" rate rate "$way" "$items"
        one "trip.$way" trip trip "$way" "$((items / 10))"
        one "idle.$way" trip trip "$way" "$((items / 5000 + 1))" idle
    done
    for way in tcp unix; do
        one "packed.$way" rate rate "$way" "$((items * 10))" 1024
    done
done
row scan-count scan-count 'MB/s'
row scan-find scan-find 'MB/s'
row list list 'names/s'
row spawn-1 spawn-1 'processes/s'
row spawn-2 spawn-2 'processes/s'
row sync-1 sync-1 'syncs/s'
row sync-2 sync-2 'syncs/s'
row sync-wait sync-wait us
for way in $ways; do
    row "rate $way" "rate.$way" 'messages/s'
done
for way in tcp unix; do
    row "rate $way, packed" "packed.$way" 'messages/s'
done
for way in $ways; do
    row "trip $way" "trip.$way" us
    row "idle $way" "idle.$way" us
done
