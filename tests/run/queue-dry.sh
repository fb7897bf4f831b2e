#!/bin/sh
# Who holds more than it has slots is asked to give back when others have nothing to do. If all of it has started it says so, keeps it, and gets
# what comes later like anybody else.
# shellcheck source=tests/lib/hostile.sh
. "$(dirname "$0")/../lib/hostile.sh"
begin 24
timeout 100 peer dry r.run >dry.out 2>&1 &
dry=$!
trap 'kill -9 $first $second $dry 2>/dev/null || :; wait; rm -rf "$work"' EXIT
seen_at_least 4 3
let_end
until_true 60 test -s dry.out
kept=$(cat dry.out)
[ "$(canfar-split items r.run --state pending | wc -l)" = "$kept" ] || fail "it says it holds $kept: $(canfar-split status r.run)"
items=40
seq 25 "$items" | code 0 canfar-split plan r.run --extend --from -
wait "$dry" || fail "exit $?: $(cat dry.out)"
dry=''
ended
