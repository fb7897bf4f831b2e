#!/bin/sh
# A replica on "another machine" (another pid namespace) hangs: after --stall-after another takes over; what it does when it
# wakes up is late, is never counted, and it says so.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
unshare --pid --fork --mount-proc true 2>/dev/null || skip "no pid namespaces for this user"
cat >one.sh <<'EOF'
#!/bin/sh
echo "$CANFAR_SPLIT_BY" >>"did.$1"
[ -e go ] || { : >ready; while [ ! -e go ]; do sleep 0.05; done; }
EOF
chmod +x one.sh
code 0 canfar-split plan r.run --replicas 1 --strategy chunk --stall-after 3s a b -- ./one.sh {}
unshare --pid --fork --kill-child --mount-proc canfar-split run r.run --replica 1 2>err.first &
outer=$!
until_true 20 test -e ready
inner=$(pgrep -P "$outer")
kill -STOP "$inner"
: >go
code 0 canfar-split run r.run --replica 1
says err "is silent: going on with what it had"
says err "replica 1 of r.run: 2 done"
code 0 canfar-split verify r.run
kill -CONT "$inner"
got=0
wait "$outer" || got=$?
[ "$got" -eq 5 ] || fail "the late one exits $got: $(cat err.first)"
says err.first "another one took over; what it did since is not counted"
code 0 canfar-split verify r.run
count done 2
code 0 canfar-split status r.run --json
says out '"duplicates": 0'
[ "$(wc -l <did.b)" -eq 1 ] || fail "b was started $(wc -l <did.b) times"
