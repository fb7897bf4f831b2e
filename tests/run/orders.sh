#!/bin/sh
# Orders: launch passes them on; INT twice ends at once, as 130; nohup's HUP is no order; retries that run was told hold.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
trap '' TERM INT HUP
: >"ready.$1"
while [ ! -e go ]; do sleep 0.05; done
EOF
chmod +x one.sh
code 0 canfar-split plan r.run --replicas 2 --strategy stripe --grace 1h a b c d -- ./one.sh {}
env --default-signal=INT canfar-split launch r.run --on local 2>err &
pid=$!
until_true 20 test -e ready.a -a -e ready.b
kill -INT "$pid"
until_true 20 grep -q "stopping: nothing is lost" err
kill -INT "$pid"
got=0
wait "$pid" || got=$?
[ "$got" -eq 130 ] || fail "exit $got: $(cat err)"
count pending 4

rm ready.*
nohup canfar-split launch r.run --on local >out 2>err &
pid=$!
until_true 20 test -e ready.a -a -e ready.b
kill -HUP "$pid"
kill -USR1 "$pid"
until_true 20 grep -q "finishing what runs" err
: >go
got=0
wait "$pid" || got=$?
[ "$got" -eq 75 ] || fail "exit $got: $(cat err)"
count done 2
count pending 2
code 0 canfar-split launch r.run --on local

code 0 canfar-split plan f.run --replicas 1 --strategy chunk --retries 3 a b -- false
code 1 canfar-split run f.run --replica 1 --retries 0
says err "(exit 1, attempt 1 of 1)"
[ "$(canfar-split items f.run --state failed | wc -l)" -eq 2 ] || fail "$(canfar-split status f.run)"
code 0 canfar-split run f.run --replica 1
code 0 canfar-split retry f.run
code 1 canfar-split run f.run --replica 1
says err "(exit 1, attempt 5 of 5)"
code 0 canfar-split plan m.run --replicas 1 --strategy chunk --retries 9 a b c d e -- false
code 1 canfar-split run m.run --replica 1
says err "5 items failed"
# put off: never for ever
code 0 canfar-split plan l.run --replicas 1 --strategy chunk --later-exit 75 a -- sh -c 'test -e now || exit 75' x {}
canfar-split run l.run --replica 1 2>err &
pid=$!
until_true 20 sh -c 'canfar-split log l.run --joblog | grep -q 75'
kill -TERM "$pid"
wait "$pid" || :
: >now
code 0 canfar-split run l.run --replica 1
