#!/bin/sh
# Replicas are killed at random moments, one by one and all at once, and started anew, some of them as spares: the run ends
# complete, and check.sh, which looks at what the commands did, finds nothing wrong.
#   kill-storm.sh [ROUNDS [STRATEGY [apart]]]      by that strategy, or by those with shares of all kinds
# By `queue`, in half of the rounds mostly the process that hands out the items is killed. `apart`, replicas are in two network namespaces, and
# the network between them (lib/relay.c) is another one after each strike: good, bad, one way only, or none.
# The choices follow from CFSPLIT_TEST_SEED, which is printed for each round; the moments are those of the machine.
# shellcheck source=tests/lib/run.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/run.sh"
rounds=${1:-20} strategy_told=${2:-} apart=${3:-}
seed=${CFSPLIT_TEST_SEED:-$$}
plan_options="--retries 1 --reject-exit 65 --crash-limit 0"
[ "$strategy_told" != queue ] || plan_options="$plan_options --takeover-after 2s --stall-after 3s"
if [ "$apart" ]; then
    # shellcheck source=tests/lib/network.sh
    . "$here/../lib/network.sh"
    trap 'kill -9 $(jobs -p) 2>/dev/null || :; network_remove; rm -rf "$work"' EXIT
    network_lay 1 2
    plan_options="$plan_options --network-timeout 2s"
fi

# draw N: sets drawn to 0..N-1
draw() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    drawn=$((seed / 65536 % $1))
}

# start K: replica K, or a spare in its place
start() {
    draw 6
    who="--replica $1"
    [ "$drawn" -ne 0 ] || who=--spare
    place='' bind=''
    [ -z "$apart" ] || place="ip netns exec $net-$(($1 % 2 + 1))" bind="--bind $subnet.$(($1 % 2 + 1))"
    # shellcheck disable=SC2086 # words
    $place canfar-split run r.run $who -j "$slots" $bind 2>>"err.$1" 3>&- &
    eval "pid_$1=$!"
}

# weather: another network
weather() {
    [ "$apart" ] || return 0
    network_rule "* *"
    draw 6
    case $drawn in
    0) network_rule "* * delay 1 80 lose 50 twice 50" ;;
    1) network_rule "* * cut 40 half 20" ;;
    2) network_rule "1 2 lose 1000" ;;
    3) network_rule "2 1 lose 1000" ;;
    4) network_rule "* * lose 1000" ;;
    esac
}

pid_of() {
    eval "echo \$pid_$1"
}

# end K: kill -9, and away
end() {
    kill -9 "$(pid_of "$1")" 2>/dev/null || :
    wait "$(pid_of "$1")" 2>/dev/null || :
    lost=$((lost + slots))
}

list() {
    "$here/check.sh" list r.run >list.out || fail "$round: $(cat list.out err.*)"
}

# The K whose process is the coordinator's, by what the last epoch says; otherwise any
choose() {
    draw "$replicas"
    k=$((drawn + 1))
    [ "$prefer" = coordinator ] || return 0
    last=$(find r.run/coordinator -name 'epoch-*' | sort -V | tail -n 1)
    [ -n "$last" ] || return 0
    pid=$(awk -F '\t' '$1 == "cfsplit-replica" { print $7 }' "$last")
    for any in $all; do
        [ "$(pid_of "$any")" != "$pid" ] || k=$any
    done
}

# strike: kills somebody, and mostly starts him again
strike() {
    draw 5
    if [ "$drawn" -eq 0 ]; then
        for k in $all; do end "$k"; done
        list
        for k in $all; do start "$k"; done
        return
    fi
    choose
    end "$k"
    draw 3
    [ "$drawn" -ne 0 ] || list
    start "$k"
}

storm() {
    draw 5
    replicas=$((drawn + 4))
    draw 3
    slots=$((drawn + 1)) lost=0
    draw 4
    strategy=${strategy_told:-$(echo chunk stripe even hash | cut -d ' ' -f $((drawn + 1)))}
    prefer=anybody span=25 # of hundredths of a second between two strikes
    [ "$strategy" != queue ] || [ $((number % 2)) -eq 0 ] || prefer=coordinator span=70 # the next one needs a moment
    all=$(seq "$replicas")
    seq 60 | awk '{print ($1 % 9 == 0 ? "no." : $1 % 7 == 0 ? "twice." : "ok.") $1}' >items
    # shellcheck disable=SC2086 # words
    canfar-split plan r.run --strategy "$strategy" --replicas "$replicas" $plan_options --from items -- "$here/one.sh" {} \
        2>err.plan || fail "$round: $(cat err.plan)"
    if [ "$apart" ]; then
        draw 32768
        network_begin "$drawn" "delay 1 5"
    fi
    for k in $all; do start "$k"; done
    draw 6
    for strikes in $(seq $((drawn + 3))); do
        draw "$span"
        sleep "0.$((drawn / 10))$((drawn % 10))"
        weather
        strike
    done
    draw 2
    for k in $all; do
        [ "$drawn" -eq 0 ] || end "$k"
        wait "$(pid_of "$k")" 2>/dev/null || :
    done
    [ -z "$apart" ] || network_end
}

for number in $(seq "$rounds"); do
    round="round $number of $rounds, CFSPLIT_TEST_SEED=$seed"
    mkdir storm
    cd storm
    mkdir attempts
    : >listed
    : >slow
    storm
    canfar-split launch r.run --on local 2>err.launch || fail "$round: launch: $(cat err.*)"
    canfar-split verify r.run >verify.out || fail "$round: verify: $(cat verify.out err.*)"
    canfar-split status r.run --json | grep -q '"duplicates": 0' || fail "$round: $(canfar-split status r.run --json)"
    "$here/check.sh" judge r.run "$lost" >judge.out || fail "$round: $(cat judge.out err.*)"
    [ -z "$apart" ] || tee -a ../relayed <relay.out
    echo "$round: $strikes strikes at $replicas replicas of $slots slots ($prefer), $strategy; $(cat attempts/*/* | grep -c start) starts"
    cd ..
    until_true 30 rm -rf storm # what the dead had started may still be ending
done
# One round may be over before anything got through
[ -z "$apart" ] || network_did relayed passed
