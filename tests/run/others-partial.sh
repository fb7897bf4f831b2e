#!/bin/sh
# All processes of a run end with about a quarter of the work done, some with exit 0: no
# exit code and no word of ours calls that done, whatever each replica's own end looked like.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
seq 1 100 >list
code 0 canfar-split plan r.run --replicas 4 --strategy chunk --no-adopt --from list -- sh -c 'echo "$0" >>ran' {}
code 0 canfar-split run r.run --replica 2
code 1 canfar-split verify r.run
says out "incomplete: 25 done, 75 pending"
[ "$(grep -c '^pending: ' out)" -eq 75 ] || fail "verify does not name the 75: $(cat out)"
canfar-split items r.run --state pending >pending
cat pending ran | sort -n | cmp -s - list || fail "pending and done are not all: $(cat pending)"

# one that is told to stop before its end says so, too
cat >hold.sh <<'EOF'
#!/bin/sh
: >ready
while :; do sleep 0.05; done
EOF
chmod +x hold.sh
code 0 canfar-split plan s.run --replicas 1 --strategy chunk a b c -- ./hold.sh {}
canfar-split run s.run --replica 1 --grace 1s 2>err.stopped &
pid=$!
until_true 20 test -e ready
kill -TERM "$pid"
got=0
wait "$pid" || got=$?
[ "$got" -eq 75 ] || fail "a stopped replica exits $got: $(cat err.stopped)"
code 1 canfar-split verify s.run
says out "incomplete: 0 done, 3 pending"

# and starting the whole run again does the rest, no more
code 0 canfar-split launch r.run --on local
code 0 canfar-split verify r.run
sort -n ran | cmp -s - list || fail "ran: $(sort -n ran | tr '\n' ' ')"
