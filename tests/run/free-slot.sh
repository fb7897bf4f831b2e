#!/bin/sh
# A replica with a free slot, beside an item that runs for long, takes what those have left who are gone, whoever they were, though
# many others are at work.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
# the first item of each share: some stop their replica, the others wait
[ $(($1 % 8)) -eq 1 ] && [ "$CANFAR_SPLIT_ATTEMPT" -eq 1 ] || exit 0
case $(($1 / 8 + 1)) in
4 | 10 | 16 | 22) kill "$PPID"; sleep 60 ;;
*) while [ ! -e go ]; do sleep 0.05; done ;;
esac
EOF
chmod +x one.sh
seq 1 192 | code 0 canfar-split plan r.run --replicas 24 --strategy chunk --stall-after 6s --from - -- ./one.sh {}
done_are() {
    canfar-split items r.run --state done | wc -l | grep -qx "$1"
}
pids=
for k in $(seq 2 24); do
    [ $((k % 6)) -ne 4 ] || continue
    canfar-split run r.run --replica "$k" -j 2 --no-adopt 2>"err.$k" &
    pids="$pids $!"
done
until_true 60 done_are $((19 * 7))
for k in 4 10 16 22; do
    code 75 canfar-split run r.run --replica "$k"
done
canfar-split run r.run --replica 1 -j 2 2>err.1 &
pids="$pids $!"
until_true 60 done_are $((24 * 8 - 20))
: >go
for p in $pids; do wait "$p" || fail "$(cat err.*)"; done
code 0 canfar-split verify r.run
