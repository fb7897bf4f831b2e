#!/bin/sh
# stop: what runs is finished, no more is taken; --now: what runs is ended, too. Running again goes on.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
: >"ready.$1"
while [ -e hold ]; do sleep 0.05; done
EOF
chmod +x one.sh
: >hold
code 0 canfar-split plan r.run --replicas 1 --strategy chunk a b c -- ./one.sh {}
canfar-split run r.run --replica 1 2>err1 &
pid=$!
until_true 20 test -e ready.a
code 0 canfar-split stop r.run
until_true 20 grep -q "told to stop" err1
rm hold
got=0
wait "$pid" || got=$?
[ "$got" -eq 75 ] || fail "exit $got: $(cat err1)"
count done 1
count pending 2
: >hold
canfar-split run r.run --replica 1 2>err2 &
pid=$!
until_true 20 test -e ready.b
code 0 canfar-split stop r.run --now
got=0
wait "$pid" || got=$?
[ "$got" -eq 75 ] || fail "exit $got: $(cat err2)"
count pending 2
rm hold
code 0 canfar-split run r.run --replica 1
code 0 canfar-split verify r.run
