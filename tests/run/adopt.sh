#!/bin/sh
# Roll call: a replica that never came is noticed; one of those that are out of work stays as caretaker, the others leave; its
# share is taken over when the run is old enough; helpers take pieces from the back of a living owner's share.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"

# never came: taken over after --adopt-after, by one, and not before
seq 1 40 | code 0 canfar-split plan r.run --replicas 4 --strategy chunk --adopt-after 15s --from - -- true
canfar-split run r.run --replica 1 2>err.1 &
first=$!
canfar-split run r.run --replica 2 2>err.2 &
second=$!
code 0 canfar-split run r.run --replica 4 --no-adopt
until_true 20 sh -c 'canfar-split items r.run --state pending | wc -l | grep -qx 10'
canfar-split status r.run >out
says out "replica 3: has not come"
wait "$first" || fail "$(cat err.1)"
wait "$second" || fail "$(cat err.2)"
code 0 canfar-split verify r.run
[ "$(cat err.1 err.2 | grep -c 'replica 3 has not come: going on with its items')" -ge 1 ] || fail "$(cat err.1 err.2)"
test -e r.run/claims/caretaker.e1 || fail "nobody stayed"

# one caretaker: the others leave at once although something still runs
cat >one.sh <<'EOF'
#!/bin/sh
[ "$1" != 1 ] || while [ ! -e go ]; do sleep 0.05; done
EOF
chmod +x one.sh
rm -rf r.run
seq 1 4 | code 0 canfar-split plan r.run --replicas 4 --strategy chunk --from - -- ./one.sh {}
pids=
for k in 1 2 3 4; do
    canfar-split run r.run --replica "$k" 2>"err.$k" &
    pids="$pids $!"
done
alive() {
    n=0
    for p in $pids; do
        if kill -0 "$p" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$p/status" 2>/dev/null; then n=$((n + 1)); fi
    done
    [ "$n" -eq "$1" ]
}
until_true 20 alive 2
says r.run/claims/caretaker.e1 cfsplit-replica
count done 3
: >go
for p in $pids; do wait "$p" || fail "$(cat err.?)"; done
code 0 canfar-split verify r.run

# a caretaker that is killed is replaced by one that works
rm -rf r.run go
seq 1 8 | code 0 canfar-split plan r.run --replicas 2 --strategy chunk --from - -- ./one.sh {}
canfar-split run r.run --replica 1 2>err.1 &
first=$!
canfar-split run r.run --replica 2 2>err.2 &
second=$!
until_true 20 test -e r.run/claims/caretaker.e1
kill -9 "$second"
: >go
wait "$first" || fail "$(cat err.1)"
code 0 canfar-split verify r.run

# helpers take from the back: replica 1 hangs in its first item, replica 2 does all the others
rm -rf r.run go
seq 1 16 | code 0 canfar-split plan r.run --replicas 2 --strategy chunk --from - -- ./one.sh {}
canfar-split run r.run --replica 1 2>err.1 &
first=$!
until_true 20 sh -c 'canfar-split items r.run --state running | grep -qx 1'
canfar-split run r.run --replica 2 2>err.2 &
second=$!
until_true 20 sh -c 'canfar-split items r.run --state done | wc -l | grep -qx 15'
: >go
wait "$first" || fail "$(cat err.1)"
wait "$second" || fail "$(cat err.2)"
says err.2 "replica 2 of r.run: 15 done"
says err.1 "replica 1 of r.run: 1 done"
code 0 canfar-split verify r.run

# --no-adopt: neither waits nor takes
rm -rf r.run
seq 1 16 | code 0 canfar-split plan r.run --replicas 2 --strategy chunk --no-adopt --from - -- true
code 0 canfar-split run r.run --replica 2
says err "replica 2 of r.run: 8 done"
count pending 8

# a caretaker that has work again is none any more: the next one that is idle stays
rm -rf r.run go
cat >one.sh <<'EOF'
#!/bin/sh
[ "$1.$CANFAR_SPLIT_ATTEMPT" != 2.1 ] || while [ ! -e end ]; do sleep 0.05; done
[ "$1.$CANFAR_SPLIT_ATTEMPT" != 2.1 ] || kill -9 "$PPID"
[ "$1.$CANFAR_SPLIT_ATTEMPT" != 2.2 ] || while [ ! -e go ]; do sleep 0.05; done
EOF
code 0 canfar-split plan r.run --replicas 2 --strategy chunk 1 2 -- ./one.sh {}
canfar-split run r.run --replica 2 2>err.2 &
second=$!
until_true 20 sh -c 'canfar-split items r.run --state running | grep -qx 2'
canfar-split run r.run --replica 1 2>err.1 &
first=$!
until_true 20 test -e r.run/claims/caretaker.e1
: >end
wait "$second" 2>/dev/null || :
until_true 20 test -e r.run/claims/caretaker.e1.down
canfar-split run r.run --spare 2>err.3 &
third=$!
until_true 20 test -e r.run/claims/caretaker.e2
: >go
wait "$first" || fail "$(cat err.1)"
wait "$third" || fail "$(cat err.3)"
code 0 canfar-split verify r.run

# ... and what was opened again of it, though that life had ended all it had
seq 1 12 | code 0 canfar-split plan f.run --replicas 2 --strategy blocks --no-adopt --from - -- test -e mended -o {} -gt 1
code 1 canfar-split run f.run --replica 1
code 0 canfar-split run f.run --replica 2
code 0 canfar-split retry f.run
: >mended
code 0 canfar-split run f.run --replica 2
code 1 canfar-split verify f.run
code 0 canfar-split run f.run --replica 1
code 0 canfar-split verify f.run

# a caretaker is none any more, too, when what it had is opened again
rm -rf r.run go
cat >one.sh <<'EOF'
#!/bin/sh
[ "$1.$CANFAR_SPLIT_ATTEMPT" != 2.1 ] || exit 1
while [ ! -e go ]; do sleep 0.05; done
EOF
code 0 canfar-split plan r.run --replicas 2 --strategy chunk 1 2 -- ./one.sh {}
canfar-split run r.run --replica 1 2>err.1 &
first=$!
until_true 20 sh -c 'canfar-split items r.run --state running | grep -qx 1'
canfar-split run r.run --replica 2 2>err.2 &
second=$!
until_true 20 test -e r.run/claims/caretaker.e1
code 0 canfar-split retry r.run
until_true 20 test -e r.run/claims/caretaker.e1.down
canfar-split run r.run --spare 2>err.3 &
third=$!
until_true 20 test -e r.run/claims/caretaker.e2
: >go
wait "$first" || fail "$(cat err.1)"
wait "$third" || fail "$(cat err.3)"
wait "$second" || : # an attempt of its own has failed
code 0 canfar-split verify r.run
