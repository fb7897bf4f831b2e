#!/bin/sh
# A replica on "another machine" (another pid namespace): one look cannot know whether it is at work; --watch sees its beats go
# on, and sees them stop.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
unshare --pid --fork --mount-proc true 2>/dev/null || skip "no pid namespaces for this user"
cat >one.sh <<'EOF2'
#!/bin/sh
: >ready
while [ ! -e go ]; do sleep 0.05; done
EOF2
chmod +x one.sh
code 0 canfar-split plan r.run --replicas 2 --strategy chunk --stall-after 6s a b -- ./one.sh {}
unshare --pid --fork --kill-child --mount-proc canfar-split run r.run --replica 1 --no-adopt 2>err.first &
outer=$!
until_true 20 test -e ready
inner=$(pgrep -P "$outer")
code 0 canfar-split status r.run
says out "replicas: 2 expected, 1 came, 0 at work, 1 not ended on other machines, 1 missing"
says out "on another machine, not ended, $(hostname), beat "
says out "at work as long as the beat goes up, which --watch sees"
canfar-split status r.run --watch >watched &
watcher=$!
until_true 30 grep -q "failed   working, $(hostname)" watched
says watched "replicas: 2 expected, 1 came, 1 at work, 1 missing"
kill -STOP "$inner"
until_true 40 grep -q "failed   silent, $(hostname), beat " watched
says watched "replicas: 2 expected, 1 came, 0 at work, 1 silent, 1 missing"
kill -CONT "$inner"
: >go
wait "$outer" || fail "$(cat err.first)"
code 0 canfar-split run r.run --replica 2
wait "$watcher"
[ "$(tail -n 5 watched | grep -c "finished, $(hostname)")" -ge 1 ] || fail "$(cat watched)"
