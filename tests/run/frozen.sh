#!/bin/sh
# A replica that is frozen on this very machine is silent like any other: taken over after --stall-after, its commands ended,
# and told so when it wakes up.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
echo "$1 $CANFAR_SPLIT_ATTEMPT" >>started
[ "$1.$CANFAR_SPLIT_ATTEMPT" != a.1 ] || sleep 300
EOF
chmod +x one.sh
code 0 canfar-split plan r.run --replicas 2 --strategy chunk --stall-after 2s a b c d -- ./one.sh {}
canfar-split run r.run --replica 1 2>err.1 &
first=$!
until_true 20 grep -q "a 1" started
kill -STOP "$first"
trap 'kill -CONT "$first" 2>/dev/null || :; rm -rf "$work"' EXIT
code 0 canfar-split run r.run --replica 2
says err "is silent: going on with what it had"
code 0 canfar-split verify r.run
says out "complete: 4 of 4"
for environ in /proc/[0-9]*/environ; do
    if tr '\0' '\n' <"$environ" 2>/dev/null | grep -qx "PWD=$work" && tr '\0' '\n' <"$environ" 2>/dev/null | grep -qx "CANFAR_SPLIT_ITEM=a"; then
        state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "${environ%environ}status" 2>/dev/null)
        [ "$state" = Z ] || fail "its command still runs: $environ $state"
    fi
done
kill -CONT "$first"
got=0
wait "$first" || got=$?
[ "$got" -eq 5 ] || fail "it woke up and exits $got: $(cat err.1)"
says err.1 "another one took over; what it did since is not counted"
code 0 canfar-split verify r.run
[ "$(sort started | uniq -d)" = "" ] || fail "started twice: $(cat started)"

# without adoption nobody stands as caretaker, or those who adopt would leave
code 0 canfar-split plan n.run --replicas 3 --strategy chunk --stall-after 2s --adopt-after 3s 1 2 3 -- true
code 0 canfar-split run n.run --replica 1 --no-adopt
code 0 canfar-split run n.run --replica 2
code 0 canfar-split verify n.run

# blocks without adoption: a replica takes back what its earlier life had
cat >kill.sh <<'EOF'
#!/bin/sh
[ -e killed ] || { : >killed; kill -9 "$PPID"; }
EOF
chmod +x kill.sh
seq 1 12 | code 0 canfar-split plan b.run --replicas 2 --strategy blocks --no-adopt --from - -- ./kill.sh {}
code 137 canfar-split run b.run --replica 1
code 0 canfar-split run b.run --replica 2
code 0 canfar-split run b.run --replica 1
code 0 canfar-split verify b.run

# a caretaker that is frozen keeps nobody from staying
rm -rf r.run started ready.*
cat >one.sh <<'EOF'
#!/bin/sh
: >"ready.$1"
[ "$1.$CANFAR_SPLIT_ATTEMPT" != a.1 ] || while [ ! -e go ]; do sleep 0.05; done
[ "$1.$CANFAR_SPLIT_ATTEMPT" != b.1 ] || sleep 60
EOF
code 0 canfar-split plan r.run --replicas 3 --strategy chunk --stall-after 2s a b c -- ./one.sh {}
canfar-split run r.run --replica 1 2>err.1 &
first=$!
canfar-split run r.run --replica 2 2>err.2 &
second=$!
until_true 20 test -e ready.a -a -e ready.b
canfar-split run r.run --replica 3 2>err.3 &
third=$!
trap 'kill -9 "$second" "$third" 2>/dev/null || :; rm -rf "$work"' EXIT
until_true 20 test -e r.run/claims/caretaker.e1
kill -STOP "$third" "$second"
for p in "$third" "$second"; do until_true 20 grep -q '^State:.T' "/proc/$p/status"; done # a sync is ended first
: >go
wait "$first" || fail "$(cat err.1)"
code 0 canfar-split verify r.run
says err.1 "is silent: going on with what it had"
