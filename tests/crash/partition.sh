#!/bin/sh
# Replicas in network namespaces of their own, joined by a bridge, over one run directory: they meet by TCP. Links are cut and
# mended while they work: who is cut off goes on alone, the others stay with the queue, and no item runs twice.
#   partition.sh
# shellcheck source=tests/lib/run.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/run.sh"
if [ "$(id -u)" -ne 0 ] || ! command -v ip >/dev/null || ! unshare --net true 2>/dev/null; then
    skip "network namespaces are for root"
fi
peers="1 2 3"
net=cs$$ # names of interfaces have 15 characters at most
trap 'clean_up' EXIT
clean_up() {
    for process in $(jobs -p); do kill -9 "$process" 2>/dev/null || :; done
    for k in $peers; do ip netns del "$net-$k" 2>/dev/null || :; done
    ip link del "$net" 2>/dev/null || :
    rm -rf "$work"
}

lay_cables() {
    ip link add "$net" type bridge 2>err || skip "no bridge here: $(cat err)"
    ip link set "$net" up
    for k in $peers; do
        ip netns add "$net-$k" || skip "no network namespaces here"
        ip netns exec "$net-$k" true 2>err || skip "nothing runs in a network namespace here: $(cat err)" # as where / is no mount point
        ip link add "$net.$k" type veth peer name eth0 netns "$net-$k" || skip "no veth here"
        ip link set "$net.$k" master "$net" up
        ip -n "$net-$k" link set lo up
        ip -n "$net-$k" addr add "10.199.$(($$ % 250)).$k/24" dev eth0
        ip -n "$net-$k" link set eth0 up
    done
}

cut() { ip link set "$net.$1" down; }
mend() { ip link set "$net.$1" up; }

begin_run() { # ITEMS WORD...
    items=$1
    shift
    rm -rf err.* r.run attempts running overlaps hold
    mkdir attempts
    : >listed
    : >slow
    seq "$items" | sed 's/^/ok./' >items
    code 0 canfar-split plan r.run --strategy queue --replicas 3 --takeover-after 2s --network-timeout 3s --stall-after 2m "$@" \
        --from items -- "$here/one.sh" {}
}

start() { # K
    ip netns exec "$net-$1" canfar-split run r.run --replica "$1" 2>"err.$1" &
    eval "pid_$1=$!"
}

has_epoch() {
    [ -e "r.run/coordinator/epoch-$1" ]
}

has_ended() { # K N: replica K has ended so many
    [ "$(cat attempts/*/*."$1"-* 2>/dev/null | grep -c end)" -ge "$2" ]
}

wait_for() { # CODE K...
    wanted=$1
    shift
    for k in "$@"; do
        got=0
        wait "$(eval "echo \$pid_$k")" || got=$?
        [ "$got" -eq "$wanted" ] || fail "$what: replica $k exits $got: $(cat err.*)"
    done
}

all_well() {
    code 0 canfar-split verify r.run
    code 0 canfar-split status r.run --json
    says out '"duplicates": 0'
    count done "$items"
    "$here/check.sh" judge r.run 0 >judge.out || fail "$what: $(cat judge.out err.*)"
    [ -z "$(find r.run/fence -name '[0-9]*')" ] || fail "$what: a replica was taken for lost: $(cat err.*)"
    echo "$what: $(find r.run/coordinator -name 'epoch-*' | wc -l) coordinators"
}

# Replica 1 coordinates, and all are at work.
all_at_work() {
    start 1
    until_true 30 has_epoch 1
    start 2
    start 3
    for k in 1 2 3; do until_true 30 has_ended "$k" 1; done
}

lay_cables

what="a worker is cut off"
begin_run 150
all_at_work
cut 2
until_true 30 grep -q "the queue was not reached for 3 s: going on without it" err.2
until_true 30 has_ended 1 5
mend 2
wait_for 0 1 2 3
! grep -q "going on without it" err.1 err.3 || fail "$what: $(cat err.*)"
all_well

what="who coordinates is cut off"
begin_run 150
all_at_work
cut 1
until_true 30 grep -q "going on without it" err.2
until_true 30 grep -q "going on without it" err.3
mend 1
wait_for 0 1 2 3
all_well

what="who coordinates is cut off for good"
begin_run 60
all_at_work
cut 1
wait_for 0 1 2 3
all_well
mend 1

what="a link that comes and goes"
begin_run 150
all_at_work
for _ in 1 2 3; do
    cut 3
    sleep 0.8
    mend 3
    sleep 0.5
done
wait_for 0 1 2 3
all_well

what="--no-fallback"
begin_run 150 --no-fallback
all_at_work
cut 2
wait_for 4 2
says err.2 "the queue of 'r.run' was not reached for 3 s (--no-fallback)"
wait_for 0 1 3
mend 2
all_well
