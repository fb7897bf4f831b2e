#!/bin/sh
# A replica on "another machine" is silent, and who was about to end it dies over that: what was listed as done and is vouched
# for by its beat stays listed; the next one ends it and goes on.
# shellcheck source=tests/lib/run.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/run.sh"
unshare --pid --fork --mount-proc true 2>/dev/null || skip "no pid namespaces for this user"
trap 'kill -9 $(pgrep -P $$) 2>/dev/null || :; rm -rf "$work"' EXIT
mkdir attempts
: >listed
: >overlaps
seq 12 | sed 's/^/ok./' >items
code 0 canfar-split plan r.run --strategy chunk --replicas 1 --stall-after 2s --from items -- "$here/one.sh" {}
: >slow
unshare --pid --fork --kill-child --mount-proc canfar-split run r.run --replica 1 2>err.1 &
outer=$!
until_true 30 sh -c '[ "$(cat attempts/*/* | grep -c end)" -ge 3 ]'
: >hold
until_true 30 grep -rqx held attempts
# the beat is a line of two slots, of 256 bytes each: one of them tells of as many as are listed
vouched() {
    canfar-split items r.run --state done | wc -l >vouched
    cat r.run/beat/1-* | tr -s ' ' '\n' | cut -f 6 | grep -qxF "$(cat vouched)"
}
until_true 30 vouched
kill -STOP "$(pgrep -P "$outer")"
"$here/check.sh" list r.run
[ -s listed ] || fail "nothing is listed"
rm hold

got=0
CFSPLIT_KILL_AT=fence.linked canfar-split run r.run --spare 2>err.spare || got=$?
[ "$got" -eq 137 ] || fail "the first spare did not die but exits $got: $(cat err.spare)"
[ "$(find r.run/fence -type f | wc -l)" -eq 1 ] || fail "there is more than a fence: $(ls r.run/fence)"
"$here/check.sh" list r.run >list.out || fail "$(cat list.out)"

code 0 canfar-split run r.run --spare
[ "$(find r.run/fence -name "1-*.seal" | wc -l)" -eq 1 ] || fail "no seal: $(ls r.run/fence)"
kill -CONT "$(pgrep -P "$outer")"
got=0
wait "$outer" || got=$?
[ "$got" -eq 5 ] || fail "the late one exits $got: $(cat err.1)"
code 0 canfar-split verify r.run
"$here/check.sh" judge r.run 1 >judge.out || fail "$(cat judge.out)"
