#!/bin/sh
# Replicas of a queue in network namespaces of their own, and between them a bad network (lib/relay.c): packets are late, lost, doubled and out
# of order, or just far away; connections are cut, at one end only, go one way only, are made and carry nothing, or overtake the one before.
# The run ends, each item runs once, and no replica is taken for lost; where the process that hands out the items is killed, no more is lost than it ran.
#   relay.sh [ROUNDS]
# The choices follow from CFSPLIT_TEST_SEED, which is printed for each round; the moments are those of the machine.
# shellcheck source=tests/lib/run.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/run.sh"
# shellcheck source=tests/lib/network.sh
. "$here/../lib/network.sh"
rounds=${1:-1}
seed=${CFSPLIT_TEST_SEED:-$$}
pid_1='' pid_2='' pid_3='' pid_4=''
trap 'clean_up' EXIT
clean_up() {
    for process in $pid_1 $pid_2 $pid_3 $pid_4; do kill -9 "$process" 2>/dev/null || :; done
    network_remove
    wait
    rm -rf "$work"
}

draw() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    drawn=$((seed / 65536 % $1))
}

start() { # K: 1 and 2 in the first namespace, 3 in the second, 4 in the third
    end=$(($1 > 2 ? $1 - 1 : 1))
    ip netns exec "$net-$end" canfar-split run r.run --replica "$1" --bind "$subnet.$end" -j 2 2>"err.$1" 3>&- &
    eval "pid_$1=$!"
}

has_epoch() {
    [ -e "r.run/coordinator/epoch-$1" ]
}

has_ended() { # K N: replica K has ended so many
    [ "$(cat attempts/*/*."$1"-* 2>/dev/null | grep -c end)" -ge "$2" ]
}

has_begun() { # K: or could not reach the queue for so long that it left again
    find attempts -name "*.$1-*" | grep -q . || grep -q " done, " "err.$1"
}

# begin TIMEOUT ITEMS RULE [LEADER]: a run, in which that replica, or any, is first; it coordinates. Where the network has more time than it
# needs before a replica goes on alone (20 s), no item ends before all are at work.
begin() {
    rm -rf err.* r.run attempts running overlaps
    mkdir attempts
    : >listed
    : >slow
    timeout=$1 items=$2
    [ "$timeout" != 20s ] || : >hold
    seq "$items" | awk '{ printf "ok.%0100d\n", $1 }' >items
    code 0 canfar-split plan r.run --strategy queue --replicas 4 --takeover-after 2s --network-timeout "$timeout" --stall-after 2m --crash-limit 0 \
        --from items -- "$here/one.sh" {}
    draw 32768
    network_begin "$drawn" "$3"
    draw 4
    leader=$((drawn + 1))
    [ -z "${4:-}" ] || leader=$4
    start "$leader"
    until_true 30 has_epoch 1
    for k in 1 2 3 4; do [ "$k" -eq "$leader" ] || start "$k"; done
    [ "$timeout" = 20s ] || return 0
    for k in 1 2 3 4; do until_true 30 has_begun "$k"; done
    rm hold
}

list() {
    "$here/check.sh" list r.run >list.out || fail "$what: $(cat list.out err.*)"
}

# ends LOST WORD...: all replicas end well but those that were killed; the judge finds that at most LOST attempts were made again
ends() {
    lost=$1
    shift
    for k in 1 2 3 4; do
        pid=$(eval "echo \$pid_$k")
        [ -n "$pid" ] || continue
        got=0
        wait "$pid" || got=$?
        [ "$got" -eq 0 ] || fail "$what: replica $k exits $got: $(cat err.*)"
        eval "pid_$k="
        list
    done
    network_end
    network_did relay.out "$@"
    code 0 canfar-split verify r.run
    code 0 canfar-split status r.run --json
    says out '"duplicates": 0'
    count done "$items"
    "$here/check.sh" judge r.run "$lost" >judge.out || fail "$what: $(cat judge.out err.*)"
    [ "$lost" -gt 0 ] || [ -z "$(find r.run/fence -name '[0-9]*')" ] || fail "$what: a replica was taken for lost: $(cat err.*)"
    echo "$what: replica $leader led first, $(cat attempts/*/*.[34]-* 2>/dev/null | grep -c '^end') items ended elsewhere, $(find r.run/coordinator -name 'epoch-*' | wc -l) coordinators; $(cat relay.out)"
}

# in_turn RULE RULE: for a while all the one, then all the other, and so on
in_turn() {
    for _ in 1 2; do
        draw 10
        sleep "0.$drawn"
        network_rule "$1"
        draw 10
        sleep "1.$drawn"
        network_rule "$2"
    done
}

round() {
    what="$where, late and out of order"
    begin 20s 100 "delay 5 150"
    ends 0 overtook

    what="$where, far away"
    begin 20s 100 "delay 200 230"
    ends 0 passed
    ! grep -q "going on without it" err.* || fail "$what: $(cat err.*)"

    what="$where, lost and doubled"
    begin 20s 100 "delay 1 20 lose 100 twice 100"
    ends 0 lost doubled

    what="$where, cut"
    begin 20s 150 "cut 50"
    ends 0 cut

    what="$where, cut at one end"
    begin 20s 150 "delay 1 5 half 50"
    ends 0 halved

    what="$where, connections overtake each other"
    begin 20s 150 "drag 0 250 cut 20"
    ends 0 overtook

    what="$where, one way only"
    begin 3s 200 "delay 1 5"
    draw 3
    in_turn "* $((drawn + 1)) lose 1000" "* * delay 1 5"
    ends 0 lost

    what="$where, not at all for a while"
    begin 3s 200 "delay 1 5"
    in_turn "* * lose 1000" "* * delay 1 5"
    ends 0 lost

    what="$where, connected to nobody"
    : >hold
    begin 3s 150 "mute 1000" 1
    until_true 30 grep -q "the queue was not reached for 3 s: going on without it" err.3
    network_rule "* *"
    sleep 2.5 # they may come back, and need not
    rm hold
    ends 0 muted

    what="$where, who leads is killed"
    begin 20s 150 "delay 1 60 lose 50 twice 50 cut 5"
    until_true 30 has_ended "$leader" 3
    list
    kill -9 "$(eval "echo \$pid_$leader")"
    wait "$(eval "echo \$pid_$leader")" 2>/dev/null || :
    eval "pid_$leader="
    ends 2 lost doubled
}

network_lay 1 2 3
for number in $(seq "$rounds"); do
    where="round $number of $rounds, CFSPLIT_TEST_SEED=$seed"
    round
done
