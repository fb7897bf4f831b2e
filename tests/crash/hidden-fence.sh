#!/bin/sh
# A replica on another host is stopped for so long that its work is taken over, and goes on: its client of the network file
# system still remembers that nobody ended it, but it looks anew before it speaks. What it did since does not count.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
mkdir disk
cat >one.sh <<'EOS'
#!/bin/sh
[ "$1 $CANFAR_SPLIT_ATTEMPT" != "b 1" ] || while [ -e hold ]; do sleep 0.05; done
echo "$1 $CANFAR_SPLIT_ATTEMPT" >>did
EOS
chmod +x one.sh
: >hold
code 0 canfar-split plan disk/r.run --strategy chunk --replicas 1 --stall-after 2s a b -- ./one.sh {}
env LD_PRELOAD="$CFSPLIT_SHIM" SHIM_ROOT="$work/disk" SHIM_HOST=west SHIM_HIDE_MS=600000 SHIM_REFRESH=1 \
    canfar-split run disk/r.run --replica 1 2>err1 &
west=$!
until_true 60 grep -qP "^beat\t\d+\t\d+\t1\t2\t1\t" -r disk/r.run/beat # it has spoken of one end, and looked for that
kill -STOP "$west"
code 0 canfar-split run disk/r.run --spare
says err "replica 1 on west is silent: going on with what it had"
code 0 canfar-split verify disk/r.run
rm hold
until_true 60 grep -qx "b 1" did # the first attempt ends, too, and then its replica looks
kill -CONT "$west"
got=0
wait "$west" || got=$?
[ "$got" -eq 5 ] || fail "exit $got: $(cat err1)"
says err1 "another one took over; what it did since is not counted"
says err1 "1 done"
code 0 canfar-split verify disk/r.run
