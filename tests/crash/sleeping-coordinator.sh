#!/bin/sh
# The process that coordinates a queue is stopped for longer than --takeover-after, and not so long that its replica is lost. Another
# one takes over and the work goes on; the first wakes up, hands over quietly and works for the new one. No item runs twice. Then
# the same with the clock of one of them an hour wrong; with two replicas of one id; and by chance, whoever coordinates at any time.
# The choices follow from CFSPLIT_TEST_SEED.
# shellcheck source=tests/lib/run.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/run.sh"
trap 'kill -9 $(jobs -p) 2>/dev/null || :; rm -rf "$work"' EXIT
seed=${CFSPLIT_TEST_SEED:-$$}
echo "CFSPLIT_TEST_SEED=$seed"

draw() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    drawn=$((seed / 65536 % $1))
}

begin_run() { # ITEMS
    rm -rf err.* r.run attempts running overlaps hold
    mkdir attempts
    : >listed
    : >slow
    seq "$1" | sed 's/^/ok./' >items
    code 0 canfar-split plan r.run --strategy queue --replicas 3 --takeover-after 1s --stall-after 2m --from items -- "$here/one.sh" {}
}

done_now() {
    canfar-split status r.run --json | awk '/"done"/ && !n++ { gsub(/[^0-9]/, ""); print }'
}

has_done() {
    [ "$(done_now)" -ge "$1" ]
}

has_epoch() {
    [ -e "r.run/coordinator/epoch-$1" ]
}

# Nobody died: each item was started once.
all_well() { # ITEMS
    code 0 canfar-split verify r.run
    code 0 canfar-split status r.run --json
    says out '"duplicates": 0'
    count done "$1"
    "$here/check.sh" judge r.run 0 >judge.out || fail "$(cat judge.out err.*)"
    [ -z "$(find r.run/fence -name '[0-9]*')" ] || fail "a replica was taken for lost: $(cat err.*)"
}

went_well() { # PID WHO
    got=0
    wait "$1" || got=$?
    [ "$got" -eq 0 ] || fail "$2 exits $got: $(cat err.*)"
}

# The one that slept was given items by one that came later, and began them.
works_on() {
    awk -F '\t' '$1 == "bound" { later = $2 > 1 } $1 == "start" && later { n++ } END { exit !n }' r.run/journal/1-*
}

# sleep_over WORD...: replica 1, run by `env WORD...`, coordinates and sleeps
sleep_over() {
    begin_run 48
    env "$@" canfar-split run r.run --replica 1 -j 2 2>err.1 &
    sleeper=$!
    until_true 30 has_epoch 1
    canfar-split run r.run --replica 2 -j 2 2>err.2 &
    second=$!
    canfar-split run r.run --replica 3 -j 2 2>err.3 &
    third=$!
    until_true 30 has_done 4
    kill -STOP "$sleeper"
    until_true 30 has_epoch 2
    grown=$(done_now)
    # what it has taken is its own until it wakes up; anything that nobody had goes on
    "$here/check.sh" list r.run
    kill -CONT "$sleeper"
    went_well "$sleeper" "the one that slept"
    went_well "$second" "replica 2"
    went_well "$third" "replica 3"
    ! grep -v 'done, 0 rejected, 0 failed' err.1 || fail "it says more than what it did: $(cat err.1)"
    [ "$(find r.run/coordinator -name 'epoch-*' | wc -l)" -ge 2 ] || fail "$(ls r.run/coordinator)"
    works_on || fail "it took nothing from the new one: $(cat r.run/journal/1-*)"
    echo "$grown were done when it was replaced"
    all_well 48
}
sleep_over LC_ALL=C
[ -z "${CFSPLIT_SHIM:-}" ] || for hour in 3600 -3600; do
    sleep_over LD_PRELOAD="$CFSPLIT_SHIM" SHIM_CLOCK_S="$hour"
done

# ---- two replicas of one id, and a third: the one of the two that coordinates sleeps
begin_run 48
canfar-split run r.run --replica 1 -j 2 2>err.1 &
sleeper=$!
until_true 30 has_epoch 1
canfar-split run r.run --replica 1 -j 2 2>err.2 &
second=$!
until_true 30 has_done 4
kill -STOP "$sleeper"
until_true 30 has_epoch 2
canfar-split run r.run --replica 3 2>err.3 &
third=$!
kill -CONT "$sleeper"
went_well "$sleeper" "the one that slept"
went_well "$second" "the other replica 1"
went_well "$third" "replica 3"
all_well 48

# ---- by chance

process_of() { # the number of the process in the last epoch
    awk -F '\t' '$1 == "cfsplit-replica" { print $7 }' "$(find r.run/coordinator -name 'epoch-*' | sort -V | tail -n 1)"
}

for round in 1 2 3; do
    begin_run 90
    for k in 1 2 3; do
        canfar-split run r.run --replica "$k" 2>"err.$k" &
        eval "pid_$k=$!"
    done
    until_true 30 has_epoch 1
    for _ in 1 2 3; do
        draw 40
        sleep "0.$((drawn / 10))$((drawn % 10))"
        draw 3
        victim=$(eval "echo \$pid_$((drawn + 1))")
        draw 3
        [ "$drawn" -eq 0 ] || victim=$(process_of)
        kill -STOP "$victim" 2>/dev/null || :
        draw 10
        sleep "1.$drawn" # and a moment for others to believe it
        sleep 0.6
        kill -CONT "$victim" 2>/dev/null || :
    done
    for k in 1 2 3; do
        went_well "$(eval "echo \$pid_$k")" "round $round: replica $k"
    done
    echo "round $round: $(find r.run/coordinator -name 'epoch-*' | wc -l) coordinators"
    all_well 90
done
