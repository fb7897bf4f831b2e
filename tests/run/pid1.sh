#!/bin/sh
# As process 1 of a container: signals arrive, orphans are reaped, the run goes on.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
unshare --pid --fork --mount-proc true 2>/dev/null || skip "no pid namespaces for this user"
cat >one.sh <<'EOF'
#!/bin/sh
# leaves an orphan behind in a session of its own, that ends a little later
setsid sh -c 'sleep 0.1' >/dev/null 2>&1 &
[ "$1" != last ] || { sleep 0.5; ps -e -o stat= | grep -c Z >zombies || :; : >ready; [ ! -e hold ] || exec sleep 60; }
EOF
chmod +x one.sh
: >hold
code 0 canfar-split plan r.run --replicas 1 --strategy chunk a b c last -- ./one.sh {}
unshare --pid --fork --kill-child --mount-proc canfar-split run r.run --replica 1 2>err &
outer=$!
until_true 30 test -e ready
[ "$(cat zombies)" -eq 0 ] || fail "$(cat zombies) zombies"
inner=$(pgrep -P "$outer")
kill -TERM "$inner"
got=0
wait "$outer" || got=$?
[ "$got" -eq 75 ] || fail "exit $got: $(cat err)"
count done 3
count pending 1
