#!/bin/sh
# Who begins its session anew when all are sent home, as one does that has just been asked to give items back, is sent home again at once:
# it does not wait until the coordinator has lost patience.
# shellcheck source=tests/lib/hostile.sh
. "$(dirname "$0")/../lib/hostile.sh"
begin 40
timeout 100 peer late r.run >late.out 2>&1 &
late=$!
seen_at_least 4 3
let_end
wait "$late" || fail "exit $?: $(cat late.out)"
ended
