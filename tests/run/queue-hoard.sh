#!/bin/sh
# A worker that asks for all there is and never ends anything: the others go on, what it has is told, and comes back when it is gone.
# shellcheck source=tests/lib/hostile.sh
. "$(dirname "$0")/../lib/hostile.sh"
begin 400
peer hoard r.run >hoarded 2>hoard.err &
hoard=$!
trap 'kill -9 $first $second $hoard 2>/dev/null || :; wait; rm -rf "$work"' EXIT
until_true 30 test -s hoarded
let_end
# it has items, and keeps them; all others are done
until_true 60 sh -c '[ "$(sort -n ran hoarded | uniq | wc -l)" = 400 ] && [ "$(canfar-split items r.run --state done | wc -l)" = \
    "$((400 - $(sort -u hoarded | wc -l)))" ]'
kept=$(sort -u hoarded | wc -l)
[ "$kept" -gt 0 ] || fail "it was given nothing"
code 0 canfar-split status r.run
says out "$kept pending"
code 1 canfar-split verify r.run
canfar-split items r.run --state pending | sort -n >pending
sort -n hoarded | diff - pending || fail "what is pending is not named"
kill -0 "$first" && kill -0 "$second" && kill -0 "$hoard" || fail "somebody left: $(cat 1.out 2.out hoard.err)"
bounded
kill -9 "$hoard"
wait "$hoard" || :
hoard=''
ended
