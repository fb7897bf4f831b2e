#!/bin/sh
# Replicas of a queue in network namespaces of their own, and between them a bad network (lib/relay.c): packets are late, lost, doubled and out
# of order, connections are cut, at one end only, go one way only, are made and carry nothing, or overtake the one before. The run ends,
# each item runs once, and no replica is taken for lost; where the process that hands out the items is killed, no more is lost than it ran.
#   relay.sh [ROUNDS]
# The choices follow from CFSPLIT_TEST_SEED, which is printed for each round; the moments are those of the machine.
# shellcheck source=tests/lib/run.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/run.sh"
if [ "$(id -u)" -ne 0 ] || ! command -v ip >/dev/null || ! unshare --net true 2>/dev/null; then
    skip "network namespaces are for root"
fi
[ -e /dev/net/tun ] || skip "no tun device here"
rounds=${1:-1}
seed=${CFSPLIT_TEST_SEED:-$$}
net=cr$$
subnet=10.198.$(($$ % 250))
ends="1 2 3" # namespaces: replicas 1 and 2 are in the first, 3 in the second, 4 in the third
relay='' pid_1='' pid_2='' pid_3='' pid_4=''
trap 'clean_up' EXIT
clean_up() {
    for process in $relay $pid_1 $pid_2 $pid_3 $pid_4; do kill -9 "$process" 2>/dev/null || :; done
    wait
    for end in $ends; do ip netns del "$net-$end" 2>/dev/null || :; done
    rm -rf "$work"
}

lay_cables() {
    for end in $ends; do
        ip netns add "$net-$end" || skip "no network namespaces here"
        ip -n "$net-$end" tuntap add dev relay mode tun || skip "no tun device here"
        ip -n "$net-$end" link set lo up
        ip -n "$net-$end" addr add "$subnet.$end/24" dev relay
        ip -n "$net-$end" link set relay mtu 400 up # so that most frames are cut somewhere
    done
}

draw() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    drawn=$((seed / 65536 % $1))
}

# network RULE: begins, with that rule for all
network() {
    rm -f told
    mkfifo told
    draw 32768
    relay "$drawn" "$net-1" "$net-2" "$net-3" <told >relay.out 2>relay.err &
    relay=$!
    exec 3>told
    rule "* * $1"
}

rule() {
    echo "$1" >&3
}

# network_ends WORD...: and it has done each of these
network_ends() {
    exec 3>&-
    wait "$relay" || fail "$what: the relay exits $?: $(cat relay.err)"
    relay=''
    for word in "$@"; do
        awk -v word="$word" '{ for (i = 1; i < NF; i++) if ($i == word && $(i + 1) > 0) found = 1 } END { exit !found }' relay.out ||
            fail "$what: nothing was $word: $(cat relay.out)"
    done
}

start() { # K
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

has_begun() { # K
    find attempts -name "*.$1-*" | grep -q .
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
    network "$3"
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
    network_ends "$@"
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
        rule "$1"
        draw 10
        sleep "1.$drawn"
        rule "$2"
    done
}

round() {
    what="$where, late and out of order"
    begin 20s 100 "delay 5 150"
    ends 0 overtook

    what="$where, lost and doubled"
    begin 20s 100 "delay 1 20 lose 100 twice 100"
    ends 0 lost doubled

    what="$where, cut"
    begin 20s 100 "cut 40"
    ends 0 cut

    what="$where, cut at one end"
    begin 20s 100 "delay 1 5 half 40"
    ends 0 halved

    what="$where, connections overtake each other"
    begin 20s 150 "drag 0 600 cut 40"
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
    rule "* *"
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

lay_cables
for number in $(seq "$rounds"); do
    where="round $number of $rounds, CFSPLIT_TEST_SEED=$seed"
    round
done
