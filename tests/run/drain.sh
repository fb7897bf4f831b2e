#!/bin/sh
# SIGTERM: the command is told, the replica exits 75, nothing is charged to the item, and running again ends the run.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
echo "$CANFAR_SPLIT_ATTEMPT" >>"started.$1"
[ ! -e hold ] || { trap 'exit 9' TERM; : >"ready.$1"; while :; do sleep 0.05; done; }
EOF
chmod +x one.sh
: >hold
code 0 canfar-split plan r.run --replicas 1 --strategy even --weights none a b c -- ./one.sh {}
canfar-split run r.run --replica 1 -j 2 2>err &
pid=$!
until_true 20 test -e ready.a -a -e ready.b
kill -TERM "$pid"
got=0
wait "$pid" || got=$?
[ "$got" -eq 75 ] || fail "exit $got: $(cat err)"
says err "3 left"
says err "told to stop before the end; to go on, run it again"
count pending 3
count failed 0
rm hold
code 0 canfar-split run r.run --replica 1 --retries 0
count done 3
code 0 canfar-split verify r.run
canfar-split explain r.run a >out
says out "attempt 1:"
says out "stopped (exit 9)"
says out "attempt 2:"
