#!/bin/sh
# A command that ignores SIGTERM is killed after --grace; SIGINT twice ends at once, as 130.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
trap '' TERM
: >"ready.$1"
while :; do sleep 0.05; done
EOF
chmod +x one.sh
code 0 canfar-split plan r.run --replicas 1 --strategy even --weights none a -- ./one.sh {}
canfar-split run r.run --replica 1 --grace 200ms 2>err &
pid=$!
until_true 20 test -e ready.a
kill -TERM "$pid"
got=0
wait "$pid" || got=$?
[ "$got" -eq 75 ] || fail "exit $got: $(cat err)"
count pending 1
rm ready.a
env --default-signal=INT canfar-split run r.run --replica 1 --grace 1h 2>err & # a script's & ignores INT
pid=$!
until_true 20 test -e ready.a
kill -INT "$pid"
until_true 20 sh -c "kill -INT $pid; ! kill -0 $pid"
got=0
wait "$pid" || got=$?
[ "$got" -eq 130 ] || fail "exit $got: $(cat err)"
count pending 1
