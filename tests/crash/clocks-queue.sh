#!/bin/sh
# Replicas of a queue whose wall clocks are hours apart, on one host and on several. Who hands out the items is killed, and whoever takes over
# is killed, too; the last one, with its own time, ends the run. Nothing is made twice but what ran when they died.
# shellcheck source=tests/lib/run.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/run.sh"
[ -n "${CFSPLIT_SHIM:-}" ] || skip "no shim"
pid_1='' pid_2='' pid_3=''
trap 'kill -9 $pid_1 $pid_2 $pid_3 2>/dev/null || :; wait; rm -rf "$work"' EXIT

start() { # K HOURS: its clock is wrong by so many
    set -- "$1" "$2" "SHIM_CLOCK_S=$(($2 * 3600))"
    [ "$where" = "one host" ] || set -- "$@" "SHIM_HOST=host$1"
    k=$1
    shift 2
    env LD_PRELOAD="$CFSPLIT_SHIM" "$@" canfar-split run r.run --replica "$k" --bind 127.0.0.1 2>"err.$k" &
    eval "pid_$k=$!"
}

has_epoch() {
    [ -e "r.run/coordinator/epoch-$1" ]
}

has_ended() { # K N: replica K has ended so many
    [ "$(cat attempts/*/*."$1"-* 2>/dev/null | grep -c '^end')" -ge "$2" ]
}

list() {
    "$here/check.sh" list r.run >list.out || fail "$what: $(cat list.out err.*)"
}

# kill_leader EPOCH: which is that of one of the replicas that are left
kill_leader() {
    leader=$(awk -F '\t' '$1 == "cfsplit-replica" { print substr($4, 2, 1) }' "r.run/coordinator/epoch-$1")
    pid=$(eval "echo \$pid_$leader")
    [ -n "$pid" ] || fail "$what: replica $leader leads, and is dead: $(cat err.*)"
    kill -9 "$pid"
    wait "$pid" 2>/dev/null || :
    eval "pid_$leader="
    list
}

# hours_apart EPOCH EPOCH: the times that they tell; more than three hours
hours_apart() {
    for K in "$1" "$2"; do awk -F '\t' '$1 == "cfsplit-replica" { print $11 }' "r.run/coordinator/epoch-$K"; done |
        awk '{ t[NR] = $1 } END { d = t[1] - t[2]; exit !(NR == 2 && (d < 0 ? -d : d) > 3 * 3600 * 1000) }' ||
        fail "$what: the clocks are not apart: $(cat r.run/coordinator/epoch-*)"
}

# take_over HOURS HOURS HOURS: the clocks of replicas 1, 2 and 3
take_over() {
    what="$where, clocks wrong by $*"
    rm -rf err.* r.run attempts running overlaps hold
    mkdir attempts
    : >listed
    : >slow
    seq 90 | awk '{ print ($1 % 9 == 0 ? "no." : $1 % 7 == 0 ? "twice." : "ok.") $1 }' >items
    code 0 canfar-split plan r.run --strategy queue --replicas 3 --retries 1 --reject-exit 65 --crash-limit 0 --takeover-after 5s \
        --stall-after 6s --from items -- "$here/one.sh" {}
    start 1 "$1"
    until_true 30 has_epoch 1
    start 2 "$2"
    start 3 "$3"
    for k in 1 2 3; do until_true 30 has_ended "$k" 2; done
    code 0 canfar-split status r.run
    says out "queue: replica 1 on "
    kill_leader 1
    until_true 30 has_epoch 2
    list
    kill_leader 2
    left=$([ -z "$pid_2" ] && echo 3 || echo 2)
    wait "$(eval "echo \$pid_$left")" || fail "$what: replica $left exits $?: $(cat err.*)"
    eval "pid_$left="
    has_epoch 3 || fail "$what: nobody took over from the second: $(cat err.*)"
    hours_apart 1 2
    hours_apart 2 3
    code 0 canfar-split verify r.run
    code 0 canfar-split status r.run --json
    says out '"duplicates": 0'
    "$here/check.sh" judge r.run 2 >judge.out || fail "$what: $(cat judge.out err.*)"
    echo "$what: replica $left was the last"
}

for where in "one host" "several hosts"; do
    take_over 0 7 -11
    take_over -400 4 800
done
