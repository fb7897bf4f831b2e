#!/bin/sh
# kill -9: what an item had printed by then survives, its attempt is known, and what it left running is ended before it is
# started again.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
echo "attempt $CANFAR_SPLIT_ATTEMPT"
[ "$CANFAR_SPLIT_ATTEMPT" -gt 1 ] || {
    setsid sh -c 'echo $$ >left; while :; do sleep 0.1; done' &
    : >ready
    sleep 60
}
EOF
chmod +x one.sh
code 0 canfar-split plan r.run --replicas 1 --strategy chunk a -- ./one.sh {}
canfar-split run r.run --replica 1 2>err &
pid=$!
until_true 20 test -s left
until_true 20 sh -c 'canfar-split log r.run a | grep -q "attempt 1"'
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
count pending 1
code 1 canfar-split verify r.run
says out "its replica was lost while it ran"
canfar-split log r.run a >out
says out "attempt 1"
code 0 canfar-split run r.run --replica 1
says err "was killed: going on with what it had"
state=$(sed 's/.*) \(.\).*/\1/' "/proc/$(cat left)/stat" 2>/dev/null || echo gone)
[ "$state" = gone ] || [ "$state" = Z ] || fail "what the first attempt left is still running"
code 0 canfar-split verify r.run
canfar-split status r.run >out
says out "replica 1 (second start)"
says out "lost"
