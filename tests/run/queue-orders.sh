#!/bin/sh
# By queue, orders while it is at work: stop, stop --now, plan --extend, retry.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF2'
#!/bin/sh
echo "$CANFAR_SPLIT_ATTEMPT $REPLICA_ID" >>"started.$1"
while [ -e hold ] && [ ! -e "go.$1" ]; do sleep 0.02; done
[ "$1" != bad ] || [ -e mended ]
EOF2
chmod +x one.sh

plan() { # ITEM...
    rm -rf r.run started.* go.* mended
    : >hold
    code 0 canfar-split plan r.run --replicas 3 --strategy queue --takeover-after 2s --stall-after 1m "$@" -- ./one.sh {}
}

start() { # K WORD...
    k=$1
    shift
    canfar-split run r.run --replica "$k" "$@" 2>"err.$k" &
    eval "pid_$k=$!"
}

have_left() { # all three; whether they knew that more was to come is 75 or 0
    for k in 1 2 3; do
        got=0
        wait "$(eval "echo \$pid_$k")" || got=$?
        [ "$got" -eq 75 ] || [ "$got" -eq 0 ] || fail "replica $k exits $got: $(cat err.*)"
    done
}

ends_with() { # CODE K...
    wanted=$1
    shift
    for k in "$@"; do
        got=0
        wait "$(eval "echo \$pid_$k")" || got=$?
        [ "$got" -eq "$wanted" ] || fail "replica $k exits $got, not $wanted: $(cat err.*)"
    done
}

are_started() { # N at least
    [ "$(cat started.* 2>/dev/null | wc -l)" -ge "$1" ]
}

each_once() {
    for file in started.*; do
        [ "$(wc -l <"$file")" -eq 1 ] || fail "$file: $(cat "$file")"
    done
}

lead() { # begins with replica 1, which coordinates
    start 1
    until_true 30 test -e r.run/coordinator/epoch-1
    start 2
    start 3
    until_true 30 are_started 3
}

# stop: what runs is finished, nothing else is taken, and it goes on when it is run again
plan $(seq 20)
lead
code 0 canfar-split stop r.run
for k in 1 2 3; do until_true 30 grep -q "told to stop" "err.$k"; done
rm hold
have_left
count done 3
count pending 17
code 0 canfar-split launch r.run --on local
code 0 canfar-split verify r.run
each_once

# stop --now: what runs is ended, and charged with nothing
plan $(seq 20)
lead
code 0 canfar-split stop r.run --now
have_left
count done 0
count pending 20
rm hold
code 0 canfar-split launch r.run --on local
code 0 canfar-split verify r.run
[ "$(cat started.* | wc -l)" -eq 23 ] || fail "$(cat started.* | wc -l) starts, not 23"
grep -qx '2 .' started.1 || fail "the second attempt has another number: $(cat started.*)"

# plan --extend: what is added is done by those that are there
plan $(seq 6)
lead
code 0 canfar-split plan r.run --extend $(seq 7 12)
rm hold
ends_with 0 1 2 3
count done 12
each_once

# retry: what has failed runs again while others are at work
plan bad $(seq 9)
: >go.bad
lead
until_true 30 sh -c 'canfar-split items r.run --state failed | grep -qx bad'
: >mended
code 0 canfar-split retry r.run bad
rm hold
for k in 1 2 3; do wait "$(eval "echo \$pid_$k")" || [ $? -eq 1 ] || fail "$(cat err.*)"; done
code 0 canfar-split verify r.run
[ "$(cut -d ' ' -f 1 started.bad | tr '\n' ' ')" = "1 2 " ] || fail "$(cat started.bad)"
# and when all have left
plan bad $(seq 9)
rm hold
code 1 canfar-split launch r.run --on local
count failed 1
: >mended
code 0 canfar-split retry r.run
code 0 canfar-split launch r.run --on local
code 0 canfar-split verify r.run
