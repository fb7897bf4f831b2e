# shellcheck shell=sh disable=SC2154
# Sourced by bench/peers.sh: items that do nothing, handed out to 2 workers. Servers keep the list in memory (dispatch), or have each item that ends on
# disk before they say so (durable). They are asked by a worker in C that sends an end and the next question with one write; theirs is the rate of
# that. fill: the items put into the server 100 at a time, or planned.
dispatched=$((items / 5)) singles=$((items / 20)) pythons=$((items / 500 + 20))
durables=$((items / 100 + 20)) slow=$((items / 2500 + 20)) # slow: where one takes milliseconds

# served_rate ROW WHO KIND COUNT OUTSTANDING: of the server that runs
served_rate() {
    at_row=$1 at_who=$2 at_kind=$3 at_count=$4 at_once=$5
    bounded "$at_row" "$at_who" "$served" "$at_kind" "$address" fill "$at_count" || return 0
    value out rate >filled
    bounded "$at_row" "$at_who" "$served" "$at_kind" "$address" take 2 "$at_once" || return 0
    if [ "$(value out items)" -ne "$at_count" ]; then
        failed "$at_row" "$at_who" "$(value out items) of $at_count items came"
        return 0
    fi
    add "$at_row" "$at_who" "$(value out rate)"
    [ "$at_once" -eq 1 ] || add fill "${at_who%, 100 outstanding}" "$(cat filled)"
}
# served_rates ROW NAME KIND MANY FEW COMMAND...: with 100 items outstanding, and with one
served_rates() {
    at=$1 name=$2 kind=$3 many=$4 few=$5
    shift 5
    present "$name" || return 0
    rm -rf store
    mkdir store
    start_at "$kind" "$@"
    served_rate "$at" "$name, 100 outstanding" "$kind" "$many" 100
    served_rate "$at" "$name, 1 outstanding" "$kind" "$few" 1
    end_server
}
# our_queue ROW WHO COUNT OPTION...
our_queue() {
    at=$1 who=$2 many=$3
    shift 3
    from=$(date +%s%N)
    plan d.run "$many" 2 "$@"
    [ "$who" != 'canfar-split, queue' ] ||
        add fill canfar-split "$(awk -v n="$many" -v from="$from" -v to="$(date +%s%N)" 'BEGIN { printf "%.0f\n", n * 1e9 / (to - from) }')"
    two_doors d.run
    add "$at" "$who" "$(value both rate)"
}
# our_share ROW WHO COUNT HOW: one replica with a static share
our_share() {
    rm -rf d.run
    seq -f 'data/image-%08.0f.fits' "$3" | "$tool" plan d.run --replicas 1 --strategy chunk --from - 2>said || ours "$2" "$(cat said)"
    "$door" "$4" d.run >us || ours "$2" 'no rate'
    whole d.run
    add "$1" "$2" "$(awk '{ printf "%.0f\n", 1e6 / $1 }' us)"
}

round_dispatch() {
    our_queue dispatch 'canfar-split, queue' "$dispatched"
    add durable 'canfar-split, queue' "$(value both rate)" # ends are on disk before they count, here, too
    served_rates dispatch redis redis "$dispatched" "$singles" redis-server --save '' --appendonly no
    served_rates dispatch 'redis LMOVE' redis-kept "$dispatched" "$singles" redis-server --save '' --appendonly no
    our_queue dispatch 'canfar-split, queue --batch 1' "$singles" --batch 1
    served_rates dispatch beanstalkd beanstalkd "$dispatched" "$singles" beanstalkd
    served_rates dispatch gearmand gearmand "$dispatched" "$singles" gearmand --hashtable-buckets 100003
    our_share dispatch 'canfar-split, share' "$dispatched" group
    timed_python
    our_queue durable 'canfar-split, queue --batch 1 --sync-every 0' "$durables" --batch 1 --sync-every 0
    served_rates durable 'redis LMOVE, synced' redis-kept "$durables" "$durables" redis-server --save '' --appendonly yes --appendfsync always
    served_rates durable 'beanstalkd -b -f0' beanstalkd "$slow" "$slow" beanstalkd -b store -f0
    served_rates durable 'gearmand, sqlite3' gearmand "$slow" "$slow" gearmand --queue-type libsqlite3 --libsqlite3-db store/queue.db
    our_share durable 'canfar-split, share' "$slow" sync
}
timed_python() {
    bounded dispatch dask.distributed "$python" "$top/bench/peers/on_dask.py" "$pythons" || return 0
    add dispatch dask.distributed "$(value out rate)"
}

# say_served ROW NAME NOTE [ONE-OUTSTANDING]
say_served() {
    say "$1" "$2, 100 outstanding" 'items/s' "$3"
    say "$1" "$2, 1 outstanding" 'items/s' "$3"
}
say_dispatch() {
    say dispatch 'canfar-split, queue' 'items/s' 'encrypted; many items a message; each start written before the item is handed out, each end synced within 100 ms before it counts'
    say dispatch 'canfar-split, queue --batch 1' 'items/s' 'the same with one item a message'
    say dispatch 'canfar-split, share' 'items/s' 'one process, no server; the same on disk'
    say_served dispatch redis 'nothing on disk; LPOP: a worker that dies loses what it has'
    say_served dispatch 'redis LMOVE' 'nothing on disk; what is handed out stays in a list of the worker'
    say_served dispatch beanstalkd 'nothing on disk'
    say_served dispatch gearmand 'nothing on disk; --hashtable-buckets 100003: as Debian sets it up, it is slow with many items'
    say dispatch dask.distributed 'items/s' 'nothing on disk; all outstanding; Python functions, answers sent back'
    say durable 'canfar-split, queue' 'items/s' 'many outstanding: each end synced within 100 ms, with others, before it is told'
    say durable 'canfar-split, queue --batch 1 --sync-every 0' 'items/s' 'each start written, each end synced before it is told; next to one outstanding'
    say durable 'canfar-split, share' 'items/s' 'one process, no server; each end synced before the next item'
    say_served durable 'redis LMOVE, synced' 'appendfsync always: each taking and each end synced, of both workers and all that is outstanding at once'
    say_served durable 'beanstalkd -b -f0' 'its log synced for each change'
    say_served durable 'gearmand, sqlite3' 'a row deleted for each end, as SQLite syncs'
    say fill canfar-split 'items/s' 'plan: list and index written and synced'
    for name in redis 'redis LMOVE' beanstalkd gearmand; do
        say fill "$name" 'items/s' 'in memory'
    done
    say fill 'redis LMOVE, synced' 'items/s' 'synced, 100 at a time'
    say fill 'beanstalkd -b -f0' 'items/s' 'synced, each'
    say fill 'gearmand, sqlite3' 'items/s' 'as SQLite syncs'
}
