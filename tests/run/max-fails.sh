#!/bin/sh
# A command that cannot work is not started ten thousand times: 20 failures in a row from the start are enough.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
seq 1 100 | code 0 canfar-split plan r.run --replicas 1 --strategy chunk --from - -- false
code 1 canfar-split run r.run --replica 1
says err "the first 20 items all failed: starting no more"
count failed 20
count pending 80
seq 1 100 | code 0 canfar-split plan s.run --replicas 1 --strategy chunk --from - -- sh -c 'test "$1" -gt 5' x {}
code 1 canfar-split run s.run --replica 1 --max-fails 3
says err "3 failures: starting no more"
code 1 canfar-split run s.run --replica 1 --max-fails 0
says err "95 done"
