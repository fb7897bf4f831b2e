#!/bin/sh
# What items print: merged, in order, capped with head and tail kept, there while they run, and readable with lz4 alone.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
case $1 in
big) seq 1 100000 ;;
slow) echo "first line"; while [ ! -e go ]; do sleep 0.05; done; echo "last line" >&2 ;;
esac
EOF
chmod +x one.sh
code 0 canfar-split plan r.run --replicas 1 --strategy chunk --output-limit 64k slow big -- ./one.sh {}
canfar-split run r.run --replica 1 -j 2 2>err &
pid=$!
until_true 20 sh -c 'canfar-split log r.run slow | grep -qx "first line"'
: >go
wait "$pid" || fail "$(cat err)"
canfar-split log r.run slow >out
printf 'first line\nlast line\n' | cmp - out || fail "$(cat out)"
canfar-split log r.run big >out
[ "$(head -n 1 out)" = 1 ] && [ "$(tail -n 1 out)" = 100000 ] || fail "head and tail are not kept"
says out "bytes left out"
[ "$(wc -c <out)" -lt 70000 ] || fail "$(wc -c <out) bytes kept"
lz4 -dc r.run/output/1-* | grep -qx 'last line' || fail "lz4 cannot read the output"
