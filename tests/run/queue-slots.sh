#!/bin/sh
# A program joins with one thread that asks before the others do, so it says that it has one slot. When another replica has nothing to do,
# the coordinator hears how many there are.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF2'
#!/bin/sh
: >shell
until [ -e leave ]; do sleep 0.05; done
EOF2
chmod +x one.sh
second='' program=''
trap 'kill -9 $second $program 2>/dev/null || :; wait; rm -rf "$work"' EXIT
printf '%s\n' a b c d >list
code 0 canfar-split plan r.run --replicas 2 --strategy queue --from list -- ./one.sh
canfar-split run r.run --replica 2 2>err.2 &
second=$!
until_true 60 test -e shell
test_door r.run 1 3 >out.1 2>err.1 &
program=$!
until_true 60 sh -c '[ "$(wc -l <door.1)" -eq 3 ]' 2>err.until
: >leave
until_true 60 sh -c 'canfar-split status r.run | grep -q " 3 slots,"'
: >go
wait "$second" || fail "$(cat err.2)"
wait "$program" || fail "the program exits $?: $(cat err.1)"
second='' program=''
code 0 canfar-split verify r.run
