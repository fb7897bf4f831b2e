#!/bin/sh
# Who holds more than it has slots is asked to give back when others have nothing to do. If all that was sent to it has started it says so,
# keeps it, and gets what comes later like anybody else.
# shellcheck source=tests/lib/hostile.sh
. "$(dirname "$0")/../lib/hostile.sh"
done_are() {
    until_true 60 sh -c '[ "$(canfar-split items r.run --state done | wc -l)" -eq "$0" ]' "$1"
}
begin 24 --takeover-after 10m
mkfifo go-on
timeout 300 peer dry r.run <go-on >dry.out 2>&1 &
dry=$!
exec 9>go-on
trap 'kill -9 $first $second $dry 2>/dev/null || :; wait; rm -rf "$work"' EXIT
until_true 60 grep -q has dry.out
let_end
done_are 19
until_true 60 grep -q 4 dry.out
seq 25 40 | code 0 canfar-split plan r.run --extend --from -
done_are 35 # by the others: the one that it said is on its way may come back
echo >&9
until_true 60 grep -q 5 dry.out
items=56
seq 41 "$items" | code 0 canfar-split plan r.run --extend --from -
wait "$dry" || fail "exit $?: $(cat dry.out)"
dry=''
ended
