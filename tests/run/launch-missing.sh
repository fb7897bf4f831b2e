#!/bin/sh
# launch --missing --on local: a spare here for each replica that has not come, with the options it is told; --check prints
# what would be typed, and that is what it says it is.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
seq 1 40 | code 0 canfar-split plan r.run --replicas 4 --strategy stripe --no-adopt --from - -- sh -c 'exit "$((1 - CANFAR_SPLIT_ATTEMPT / 2))"' x
code 0 canfar-split launch r.run --on local --check --retries 1
[ "$(wc -l <out)" -eq 4 ] || fail "$(cat out)"
says out "--replica=4/4"
sed -n 2p out >line
code 0 sh line
says err "replica 2 of r.run: 10 done"
code 0 canfar-split launch r.run --missing --on local --check --retries 1
[ "$(grep -c -e '--spare .*--retries 1$' out)" -eq 3 ] || fail "$(cat out)"
code 0 env REPLICA_ID=9 REPLICA_COUNT=5 canfar-split launch r.run --missing --on local --retries 1
[ "$(grep -c "spare replica of r.run: " err)" -eq 3 ] || fail "$(cat err)"
says err "complete: 40 of 40 items accounted for"
code 0 canfar-split launch r.run --missing --on local
says err "r.run is complete: nothing to start"
[ ! -s out ] || fail "$(cat out)"
