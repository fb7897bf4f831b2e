#!/bin/sh
# A replica that works on what one dead replica left also takes what another leaves meanwhile, before it goes.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
: >"ready.$1.$CANFAR_SPLIT_ATTEMPT"
case $1.$CANFAR_SPLIT_ATTEMPT in
b.1 | c.1) exec sleep 60 ;;
b.2) while [ ! -e go ]; do sleep 0.05; done ;;
esac
EOF
chmod +x one.sh
code 0 canfar-split plan r.run --replicas 3 --strategy chunk a b c -- ./one.sh {}
canfar-split run r.run --replica 2 2>err.2 &
second=$!
canfar-split run r.run --replica 3 2>err.3 &
third=$!
until_true 20 test -e ready.b.1 -a -e ready.c.1
kill -9 "$second"
wait "$second" 2>/dev/null || :
canfar-split run r.run --replica 1 2>err.1 &
first=$!
until_true 20 test -e ready.b.2
kill -9 "$third"
wait "$third" 2>/dev/null || :
: >go
wait "$first" || fail "$(cat err.1)"
code 0 canfar-split verify r.run
says err.1 "replica 1 of r.run: 3 done"
