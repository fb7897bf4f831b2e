#!/bin/sh
# run --in: whoever comes first plans, all join; one line for an entrypoint. Joining with another command is refused.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
for i in 1 2 3 4 5 6 7 8 9; do : >"img $i.fits"; done
for k in 1 2 3 4; do
    REPLICA_ID=$k REPLICA_COUNT=4 canfar-split run --in r.run --weights none '*.fits' -- sh -c 'echo "$1" >>did' x {} 2>"err.$k" &
done
wait
code 0 canfar-split verify r.run || fail "$(cat err.*)"
[ "$(sort did | uniq | wc -l)" -eq 9 ] && [ "$(wc -l <did)" -eq 9 ] || fail "$(cat did)"
[ "$(cat err.* | grep -c 'planned r.run')" -eq 1 ] || fail "$(cat err.*)"
[ -z "$(find . -name ".*plan-*")" ] || fail "left over: $(ls -a)"
code 0 env REPLICA_ID=1 REPLICA_COUNT=4 canfar-split run --in r.run --weights none 1.fits -- sh -c 'echo "$1" >>did' x {}
says err "joining r.run, planned before: the list is not read again"
code 2 env REPLICA_ID=1 REPLICA_COUNT=4 canfar-split run --in r.run '*.fits' -- sh -c 'echo other' x {}
says err "'r.run' was planned with argument"
code 2 env REPLICA_ID=1 REPLICA_COUNT=5 canfar-split run --in r.run --weights none '*.fits' -- sh -c 'echo "$1" >>did' x {}
says err "replica 1 of 5, but r.run was planned for 4; to help finish it: canfar-split run r.run --spare"
code 2 env REPLICA_ID=1 REPLICA_COUNT=4 canfar-split run '*.fits' -- true
says err "this is replica 1 of 4, and every one would do all the items"
