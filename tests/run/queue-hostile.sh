#!/bin/sh
# Peers that have no business here, or the right key and nothing to say: they are refused, counted, and nobody else notices.
# shellcheck source=tests/lib/hostile.sh
. "$(dirname "$0")/../lib/hostile.sh"
begin 400
code 0 canfar-split plan other.run --strategy queue --replicas 1 a -- true
code 0 canfar-split launch other.run --on local
for key in none drawn other.run; do
    code 0 timeout 60 peer stranger r.run "$key"
done
code 0 timeout 60 peer garbage r.run 1
code 0 timeout 60 peer hello r.run
code 0 timeout 60 peer worker r.run
seen_at_least 5 3
seen_at_least 6 3000
code 0 canfar-split status r.run
grep -q ' connections refused, [0-9]* strange messages' out || fail "$(cat out)"
bounded
let_end
ended
