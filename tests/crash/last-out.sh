#!/bin/sh
# Replicas on three hosts are killed, stopped or told to go at random moments and never come back; a few are busy all the time and
# survive. However many there were: when the last of these has left, by itself, the run is complete, and nothing is done twice.
#   last-out.sh [ROUNDS]
# The choices follow from CFSPLIT_TEST_SEED, which is printed for each round; the moments are those of the machine.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
rounds=${1:-6}
seed=${CFSPLIT_TEST_SEED:-$$}
trap 'kill -9 $(pgrep -P $$) 2>/dev/null || :; rm -rf "$work"' EXIT

# draw N: sets drawn to 0..N-1
draw() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    drawn=$((seed / 65536 % $1))
}

# start K: replica K, on one of the hosts
start() {
    draw 2
    slots=$((drawn + 1))
    draw 3
    host=$(echo alpha beta gamma | cut -d ' ' -f $((drawn + 1)))
    env LD_PRELOAD="$CFSPLIT_SHIM" SHIM_HOST="$host" canfar-split run r.run --replica "$1" -j "$slots" 2>"err.$1" &
    eval "pid_$1=$!"
}

is_stopped() {
    ! kill -0 "$1" || grep -q '^State:.[TZ]' "/proc/$1/status"
}

# strike K: one of the ways to go; it may have left. It is over when this returns: who is seen alive after that can be relied on
strike() {
    pid=$(eval "echo \$pid_$1")
    draw 6
    if [ "$drawn" -eq 0 ]; then
        kill -STOP "$pid" 2>/dev/null || :
        until_true 20 is_stopped "$pid"
        return
    fi
    [ "$drawn" -eq 1 ] && signal=TERM || signal=KILL
    kill -"$signal" "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
}

play() {
    draw 8
    replicas=$((drawn + 6))
    draw 2
    survivors=$((drawn + 1))
    draw 3
    strategy=$(echo chunk even blocks | cut -d ' ' -f $((drawn + 1)))
    cat >one.sh <<'EOF'
#!/bin/sh
# a survivor is busy with its first item; another one's take a moment, some a long one when they are begun first
[ "$REPLICA_ID" -gt "$(cat survivors)" ] || ! mkdir "busy.$REPLICA_ID" 2>/dev/null || while [ ! -e go ]; do sleep 0.02; done
[ "$REPLICA_ID" -le "$(cat survivors)" ] || sleep "0.0$(($1 % 10))"
[ "$REPLICA_ID" -le "$(cat survivors)" ] || [ $(($1 % 7)) -ne 0 ] || ! mkdir "long.$1" 2>/dev/null || sleep 1
EOF
    chmod +x one.sh
    echo "$survivors" >survivors
    seq $((replicas * 12)) | canfar-split plan r.run --strategy "$strategy" --replicas "$replicas" --stall-after 2s --adopt-after 1s \
        --crash-limit 0 --from - -- ./one.sh {} 2>err.plan || fail "$round: $(cat err.plan)"
    for k in $(seq "$survivors"); do start "$k"; done
    for k in $(seq "$survivors"); do until_true 20 test -e "busy.$k"; done
    victims=0
    for k in $(seq $((survivors + 1)) "$replicas"); do
        draw 8
        [ "$drawn" -ne 0 ] || continue # never comes
        start "$k"
        victims=$((victims + 1)) all="$all $k"
    done
    for k in $all; do
        draw 30
        sleep "0.$((drawn / 10))$((drawn % 10))"
        strike "$k"
    done
    : >go
    for k in $(seq "$survivors"); do wait "$(eval "echo \$pid_$k")" || fail "$round: replica $k: $(cat "err.$k")"; done
}

for number in $(seq "$rounds"); do
    round="round $number of $rounds, CFSPLIT_TEST_SEED=$seed"
    all=
    mkdir play
    cd play
    play
    canfar-split verify r.run >verify.out || fail "$round: $(cat verify.out err.*)"
    canfar-split status r.run --json | grep -q '"duplicates": 0' || fail "$round: $(canfar-split status r.run --json)"
    echo "$round: $strategy, $survivors of $replicas replicas survived, $victims others came; $(find r.run/claims -name "caretaker.*[0-9]" | wc -l) caretakers"
    for k in $all; do
        kill -9 "$(eval "echo \$pid_$k")" 2>/dev/null || :
        wait "$(eval "echo \$pid_$k")" 2>/dev/null || :
    done
    cd ..
    until_true 30 rm -rf play # what the dead had started may still be ending
done
