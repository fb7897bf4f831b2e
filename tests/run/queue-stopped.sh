#!/bin/sh
# By queue: whoever hands out items is stopped, neither dead nor heard of, for longer than an address is called. It is replaced
# after --takeover-after, and nobody goes on alone.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
while [ ! -e go ]; do sleep 0.05; done
EOF
chmod +x one.sh
seq 1 20 | code 0 canfar-split plan r.run --replicas 2 --strategy queue --takeover-after 4s --stall-after 5s --network-timeout 40s --from - \
    -- ./one.sh {}
canfar-split run r.run --replica 1 -j 1 2>first.err &
first=$!
until_true 30 test -e r.run/coordinator/epoch-1
canfar-split run r.run --replica 2 -j 1 2>second.err &
second=$!
until_true 30 sh -c 'canfar-split status r.run | grep -q "2 connected"'
kill -STOP "$first"
trap 'kill -CONT "$first"; kill "$first" "$second"; rm -rf "$work"' EXIT
: >go
until_true 100 test -e r.run/coordinator/epoch-2
got=0
wait "$second" || got=$?
kill -CONT "$first"
wait "$first" || :
trap 'rm -rf "$work"' EXIT
[ "$got" -eq 0 ] || fail "exit $got: $(cat second.err)"
! grep -q "was not reached" second.err || fail "$(cat second.err)"
code 0 canfar-split verify r.run
says out "20 done"
