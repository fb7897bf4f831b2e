#!/bin/sh
# By queue: the replica that hands out the items leaves in order, after too many failures, while another is at work. The other goes
# on with all that is left, and does not say that anybody was killed.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
while [ ! -e go ]; do sleep 0.05; done
[ "$1" != 1 ] && [ "$1" != 2 ]
EOF
chmod +x one.sh
seq 1 40 | code 0 canfar-split plan r.run --replicas 2 --strategy queue --from - -- ./one.sh {}
canfar-split run r.run --replica 1 -j 2 --max-fails 1 2>first.err &
first=$!
until_true 30 sh -c 'canfar-split status r.run | grep -q "2 running"'
canfar-split run r.run --replica 2 -j 1 2>second.err &
second=$!
until_true 30 sh -c 'canfar-split status r.run | grep -q "3 running"'
: >go
got=0
wait "$first" || got=$?
[ "$got" -eq 1 ] || fail "exit $got: $(cat first.err)"
says first.err "starting no more"
got=0
wait "$second" || got=$?
[ "$got" -eq 0 ] || fail "exit $got: $(cat second.err)"
! grep -q "was killed" second.err || fail "$(cat second.err)"
[ -z "$(ls r.run/fence)" ] || fail "$(ls r.run/fence)"
code 1 canfar-split verify r.run
says out "38 done, 2 failed"
