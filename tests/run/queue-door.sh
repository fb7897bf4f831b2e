#!/bin/sh
# A program that links the library, with several threads, and replicas that run a command share a queue: the program coordinates,
# or comes later; it is killed in the middle; it is a spare. Nothing is done twice but what it had begun when it died.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF2'
#!/bin/sh
echo "$1" >>"shell.$REPLICA_ID"
until [ -e go ]; do sleep 0.01; done
case $1 in
no*) exit 65 ;;
twice*) [ "$CANFAR_SPLIT_ATTEMPT" -gt 1 ] ;;
esac
EOF2
chmod +x one.sh
seq 200 | awk '{ print ($1 % 20 == 0 ? "no." : $1 % 30 == 7 ? "twice." : "ok.") $1 }' >items

plan() {
    rm -rf r.run door.* shell.* go
    code 0 canfar-split plan r.run --replicas 3 --strategy queue --retries 1 --reject-exit 65 --takeover-after 2s --stall-after 1m --from items \
        -- ./one.sh {}
}

has_epoch() {
    [ -e r.run/coordinator/epoch-1 ]
}

let_go() { # FILE...: when each is there, and so each process has an item in its hands
    for file; do
        until_true 60 test -s "$file"
    done
    touch go
}

all_well() { # AGAIN: so many starts more than needed, at most
    code 0 canfar-split verify r.run
    code 0 canfar-split status r.run --json
    says out '"duplicates": 0'
    sort -u door.* shell.* | sort >got
    sort items | cmp - got || fail "not all were done"
    needed=$(awk '/^twice/ { n++ } { n++ } END { print n }' items)
    starts=$(cat door.* shell.* | wc -l)
    [ "$starts" -ge "$needed" ] && [ "$starts" -le $((needed + $1)) ] || fail "$starts starts where $needed are needed"
}

# it comes first, and coordinates
plan
test_door r.run 1 4 >out.1 2>err.1 &
program=$!
until_true 60 has_epoch
canfar-split run r.run --replica 2 2>err.2 &
second=$!
canfar-split run r.run --replica 3 -j 2 2>err.3 &
third=$!
let_go door.1 shell.2 shell.3
wait "$program" || fail "the program exits $?: $(cat err.1)"
wait "$second" || fail "$(cat err.2)"
wait "$third" || fail "$(cat err.3)"
all_well 0

# it comes second, and a spare program third
plan
canfar-split run r.run --replica 2 2>err.2 &
second=$!
until_true 60 has_epoch
test_door r.run 1 8 >out.1 2>err.1 &
program=$!
test_door r.run 0 3 >out.0 2>err.0 &
spare=$!
let_go door.1 door.0 shell.2
wait "$second" || fail "$(cat err.2)"
wait "$program" || fail "the program exits $?: $(cat err.1)"
wait "$spare" || fail "the spare program exits $?: $(cat err.0)"
all_well 0

# it coordinates and is killed with items in its hands
plan
test_door r.run 1 4 >out.1 2>err.1 &
program=$!
until_true 60 test -s door.1
canfar-split run r.run --replica 2 2>err.2 &
second=$!
until_true 60 test -s shell.2
kill -9 "$program"
wait "$program" 2>err || :
let_go shell.2
wait "$second" || fail "$(cat err.2)"
all_well 4
says err.2 "was killed: going on with what it had"
