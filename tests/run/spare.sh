#!/bin/sh
# Replicas 2 and 4 never came: verify names them, a spare finishes their shares, and the run is complete.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
seq 1 40 | code 0 canfar-split plan r.run --replicas 4 --strategy stripe --from - -- true
code 0 canfar-split run r.run --replica 1 --no-adopt
code 0 env REPLICA_ID=3 REPLICA_COUNT=4 canfar-split run r.run --no-adopt
code 1 canfar-split verify r.run
says out "replica 2 has not come"
says out "replica 4 has not come"
code 0 canfar-split status r.run --json
[ "$(tr -d ' \n' <out | grep -o '"replicas_missing":\[2,4\]')" ] || fail "$(cat out)"
count pending 20
code 0 env REPLICA_ID=9 REPLICA_COUNT=5 canfar-split run r.run --spare
says err "spare replica of r.run: 20 done"
code 0 canfar-split verify r.run
code 0 canfar-split run r.run --replica 2
says err "replica 2 of r.run: 0 done"
