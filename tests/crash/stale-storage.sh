#!/bin/sh
# Two hosts an hour apart share a run over storage that is slow, shows new files late, forgets where old ones are and lies about
# links. One of them is killed; the other takes over what it had. The run ends complete, nothing is done twice.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
lie=$1
mkdir log disk
cat >one.sh <<'EOS'
#!/bin/sh
t="log/$CANFAR_SPLIT_INDEX.$CANFAR_SPLIT_ATTEMPT.$CANFAR_SPLIT_BY"
echo "start $1" >"$t"
while [ -e hold ] && [ "$REPLICA_ID" = 2 ]; do sleep 0.05; done
echo "end $1" >>"$t"
EOS
chmod +x one.sh

by= # exec in the background: the process is then the replica itself, to be killed
on() { # HOST COMMAND...: on one of the two hosts
    host=$1
    shift
    [ "$host" = east ] && clock=3600 || clock=-3600
    $by env LD_PRELOAD="$CFSPLIT_SHIM" SHIM_ROOT="$work/disk" SHIM_HOST="$host" SHIM_CLOCK_S="$clock" SHIM_HIDE_MS=2000 SHIM_STALE=1 SHIM_SYNC_MS=50 \
        SHIM_LIE="$lie" "$@"
}

: >hold
seq 1 12 >list
code 0 on east canfar-split plan disk/r.run --strategy chunk --replicas 2 --from list --stall-after 6s -- ./one.sh {}
until_true 20 on west canfar-split status disk/r.run
{ by="exec"; on west canfar-split run disk/r.run --replica 2 2>err2; } &
west=$!
until_true 60 grep -qx "start 7" -r log # it is at its first item
{ by="exec"; on east canfar-split run disk/r.run --replica 1 2>err1; } &
east=$!
kill -9 "$west"
wait "$west" || :
rm hold
got=0
wait "$east" || got=$?
[ "$got" -eq 0 ] || fail "exit $got: $(cat err1)"
code 0 on east canfar-split run disk/r.run --spare
cat err1 err >both
says both "replica 2 on west is silent: going on with what it had"
for host in east west; do # it may be late, and must not say too early that all is done
    until_true 20 on "$host" canfar-split verify disk/r.run
done
code 0 canfar-split verify disk/r.run
for i in $(seq 1 12); do
    ends=$(grep -lx "end $i" log/* | wc -l)
    [ "$ends" -ge 1 ] || fail "item $i never ended"
    [ "$ends" -eq 1 ] || [ "$i" -eq 7 ] || fail "item $i ended $ends times"
done
