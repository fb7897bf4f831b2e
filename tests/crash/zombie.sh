#!/bin/sh
# A replica on "another machine" (another pid namespace) and its commands are stopped for longer than --stall-after; others
# take over and finish. It wakes up: what it ends now is late and is not counted, it starts no more, it says so and exits 5.
# All the time `status --json` is asked, and what it counts as done never goes back. Then the same by chance: replicas fall
# asleep at any moment and wake up again. The choices follow from CFSPLIT_TEST_SEED.
#   zombie.sh [STRATEGY]      by `queue`, it is who coordinates that sleeps, or, once more, one who does not
# shellcheck source=tests/lib/run.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/run.sh"
unshare --pid --fork --mount-proc true 2>/dev/null || skip "no pid namespaces for this user"
trap 'kill -9 $(pgrep -P $$) 2>/dev/null || :; rm -rf "$work"' EXIT
strategy=${1:-chunk}
seed=${CFSPLIT_TEST_SEED:-$$}
echo "CFSPLIT_TEST_SEED=$seed"

# elsewhere K: replica K in a pid namespace of its own, begun as process $last
elsewhere() {
    unshare --pid --fork --kill-child --mount-proc canfar-split run r.run --replica "$1" -j "$slots" 2>>"err.$1" &
    last=$!
}

# tree PID: the processes below it
tree() {
    for child in $(pgrep -P "$1"); do
        echo "$child"
        tree "$child"
    done
}

# Stops the replica first, so that it starts nothing while its commands are stopped.
stop_tree() {
    for process in $(tree "$1"); do kill -STOP "$process" 2>/dev/null || :; done
}

wake_tree() {
    for process in $(tree "$1" | sort -rn); do kill -CONT "$process" 2>/dev/null || :; done
}

done_now() {
    canfar-split status r.run --json | awk '/"done"/ && !n++ { gsub(/[^0-9]/, ""); print }'
}

# Asks until the file `enough` is there; in `back` stands what went back.
watch() {
    before=0
    while [ ! -e enough ]; do
        now=$(done_now)
        [ "${now:--1}" -ge "$before" ] || echo "done went from $before to $now" >>back
        before=$now
    done
}

held() { # N: so many commands wait
    [ "$(cat attempts/*/* 2>/dev/null | grep -cx held)" -eq "$1" ]
}

has_done() {
    [ "$(done_now)" -ge "$1" ]
}

begin_run() { # STALL SLOTS
    slots=$2
    rm -rf err.* r.run attempts running back enough overlaps hold
    mkdir attempts
    : >listed
    : >slow
    seq 48 | sed 's/^/ok./' >items
    code 0 canfar-split plan r.run --strategy "$strategy" --replicas 3 --stall-after "$1" --takeover-after "$1" --from items -- "$here/one.sh" {}
}

all_well() { # LOST
    code 0 canfar-split verify r.run
    code 0 canfar-split status r.run --json
    says out '"duplicates": 0'
    count done 48
    "$here/check.sh" judge r.run "$1" >judge.out || fail "$(cat judge.out)"
    [ ! -s back ] || fail "$(cat back)"
}

# ---- one that sleeps over two commands; told to stop before, it has nothing else to do than to write down their ends

sleeper() { # told|busy|guest: beside one who came first, and coordinates
    begin_run 2s 2
    waiting=2
    if [ "$1" = guest ]; then
        elsewhere 2
        second=$last waiting=4
        until_true 30 test -e r.run/coordinator/epoch-1
    fi
    elsewhere 1
    zombie=$last
    until_true 30 has_done 2
    : >hold
    until_true 30 held "$waiting"
    if [ "$1" = told ]; then
        code 0 canfar-split stop r.run
        until_true 30 grep -q "told to stop" err.1
    fi
    stop_tree "$zombie"
    rm hold
    watch &
    watcher=$!
    if [ "$1" != guest ]; then
        elsewhere 2
        second=$last
    fi
    elsewhere 3
    third=$last
    code 0 canfar-split run r.run --replica 1
    cp err err.again
    wait "$second" || fail "replica 2: exit $?: $(cat err.2)"
    wait "$third" || fail "replica 3: exit $?: $(cat err.3)"
    grep -qF "is silent: going on with what it had" err.[23] err.again || fail "nobody took over: $(cat err.*)"
    code 0 canfar-split verify r.run
    "$here/check.sh" list r.run
    [ "$(wc -l <listed)" -eq 48 ] || fail "listed: $(cat listed)"
    cat attempts/*/* | grep -c start >starts
    wake_tree "$zombie"
    got=0
    wait "$zombie" || got=$?
    [ "$got" -eq 5 ] || fail "the late one exits $got: $(cat err.1)"
    says err.1 "another one took over; what it did since is not counted"
    [ "$(cat attempts/*/* | grep -c start)" -eq "$(cat starts)" ] || fail "it started more: $(cat err.1)"
    seal=$(echo r.run/fence/1-*.seal)
    journal=r.run/journal/$(basename "$seal" .seal)
    counted=$(head -c "$(cut -f 4 "$seal")" "$journal" | awk '/^end/ { n++ } END { print n + 0 }')
    late=$(($(grep -ac '^end' "$journal" || :) - counted))
    echo "$1: $counted ends count, $late are late"
    [ "$1" != told ] || [ "$late" -eq 2 ] || fail "$late ends came late, not 2: $(cat "$journal")"
    : >enough
    wait "$watcher"
    all_well 2
}
sleeper told
sleeper busy
[ "$strategy" != queue ] || sleeper guest

# ---- any that sleep at any time

draw() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    drawn=$((seed / 65536 % $1))
}

for round in 1 2 3; do
    begin_run 600ms 1
    watch &
    watcher=$!
    replicas=
    for k in 1 2 3; do
        elsewhere "$k"
        eval "pid_$k=$last"
        replicas="$replicas $last"
    done
    for _ in 1 2 3; do
        draw 3
        k=$((drawn + 1))
        sleeper=$(eval "echo \$pid_$k")
        draw 30
        sleep "0.$((drawn / 10))$((drawn % 10))"
        stop_tree "$sleeper"
        elsewhere "$k"
        eval "pid_$k=$last"
        replicas="$replicas $last"
        draw 10
        sleep "0.$drawn"
        sleep 0.6
        wake_tree "$sleeper"
    done
    late=0
    for pid in $replicas; do
        got=0
        wait "$pid" || got=$?
        case $got in
        0) ;;
        5) late=$((late + 1)) ;;
        *) fail "round $round: exit $got: $(cat err.*)" ;;
        esac
    done
    [ "$(cat err.* | grep -cF "not counted")" -eq "$late" ] || fail "round $round: $late exits of 5: $(cat err.*)"
    echo "round $round: $late woke up too late"
    for k in 1 2 3; do code 0 canfar-split run r.run --replica "$k"; done
    : >enough
    wait "$watcher"
    all_well any
done
