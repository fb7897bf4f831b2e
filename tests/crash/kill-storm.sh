#!/bin/sh
# kill -9 of replicas at random moments, round after round, then a restart: the run ends complete, each item is done once, and
# no item that `items --state done` had listed is ever started again. The checker reads what the commands wrote, not our journal.
set -eu
rounds=${1:-20} items=${2:-60} replicas=4
seed=${CFSPLIT_TEST_SEED:-$$}
echo "seed $seed, $rounds rounds"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Each start and end is one line in a file of its own attempt.
cat >one.sh <<'EOF'
#!/bin/sh
t="log/$CANFAR_SPLIT_INDEX.$CANFAR_SPLIT_ATTEMPT.$CANFAR_SPLIT_BY"
echo "start $1" >"$t"
sleep "0.0$((CANFAR_SPLIT_SEED % 3))"
echo "end $1" >>"$t"
EOF
chmod +x one.sh

random() { # 0..$1-1
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    echo $((seed / 65536 % $1))
}

fail() {
    echo "FAILED: $*" >&2
    canfar-split status r.run >&2 || true
    exit 1
}

round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    rm -rf r.run log listed
    mkdir log
    : >listed
    seq 1 "$items" | canfar-split plan r.run --strategy chunk --replicas "$replicas" --from - -- ./one.sh {} 2>plan.err ||
        fail "$(cat plan.err)"
    kills=0
    while [ "$kills" -lt 4 ]; do
        kills=$((kills + 1))
        pids=
        k=0
        while [ "$k" -lt "$replicas" ]; do
            k=$((k + 1))
            canfar-split run r.run --replica "$k" -j 2 2>"err.$k" &
            pids="$pids $!"
        done
        sleep "0.$(random 4)$(random 10)"
        canfar-split items r.run --state done | sort >done.now
        # what is listed done must never be started again: how often was each started by now?
        cat log/* | sed -n 's/^start //p' | sort | uniq -c | awk '{print $2, $1}' | sort >starts.now
        join done.now starts.now >>listed
        # who is killed: one of them, or all at once
        if [ "$(random 3)" = 0 ]; then
            for p in $pids; do kill -9 "$p" 2>/dev/null || true; done
        else
            n=$(random "$replicas")
            for p in $pids; do
                [ "$n" -ne 0 ] || kill -9 "$p" 2>/dev/null || true
                n=$((n - 1))
            done
        fi
        for p in $pids; do wait "$p" 2>/dev/null || true; done
    done
    canfar-split launch r.run --on local 2>launch.err || fail "round $round: launch: $(cat launch.err)"
    canfar-split verify r.run >verify.out || fail "round $round: $(cat verify.out)"
    ended=$(cat log/* | grep -c '^end' || true)
    [ "$ended" -ge "$items" ] || fail "round $round: only $ended ends"
    seq 1 "$items" | while read -r i; do
        grep -qx "end $i" log/* || fail "round $round: item $i never ended"
    done
    while read -r i starts; do
        now=$(grep -lx "start $i" log/* | wc -l)
        [ "$now" -eq "$starts" ] || fail "round $round: item $i was listed done after $starts starts and has $now"
    done <listed
done
echo "$rounds rounds: all complete"
