#!/bin/sh
# Two replicas with one REPLICA_ID at the same time, and one of them is killed, the first or the second: the other one goes on
# with its own, somebody takes over what the dead one had, and nothing is made twice but what ran when it died.
#   one-id.sh [STRATEGY]      by `queue`, the first of the two hands out the items
# shellcheck source=tests/lib/run.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/run.sh"
strategy=${1:-chunk}
REPLICA_ID=1 REPLICA_COUNT=2
export REPLICA_ID REPLICA_COUNT

both_at_work() {
    [ "$(find attempts -type f | sed 's/.*[.]//' | sort -u | wc -l)" -eq 2 ]
}

for victim in first second; do
    for when in held running; do
        rm -rf r.run attempts running overlaps hold err.*
        mkdir attempts
        : >listed
        : >slow
        [ "$when" = running ] || : >hold
        seq 48 | sed 's/^/ok./' >items
        code 0 canfar-split plan r.run --strategy "$strategy" --replicas 2 --adopt-after 2s --from items -- "$here/one.sh" {}
        canfar-split run r.run -j 2 2>err.first &
        first=$!
        [ "$strategy" != queue ] || until_true 30 test -e r.run/coordinator/epoch-1
        canfar-split run r.run -j 2 2>err.second &
        second=$!
        until_true 30 both_at_work
        if [ "$victim" = first ]; then dead=$first other=$second; else dead=$second other=$first; fi
        kill -9 "$dead"
        wait "$dead" 2>/dev/null || :
        "$here/check.sh" list r.run >list.out || fail "$victim, $when: $(cat list.out)"
        if [ "$strategy" = queue ] && [ "$victim" = first ]; then until_true 30 test -e r.run/coordinator/epoch-2; fi
        rm -f hold
        wait "$other" || fail "$victim, $when: the other one exits $?: $(cat err.*)"
        "$here/check.sh" list r.run >list.out || fail "$victim, $when: $(cat list.out)"
        code 0 canfar-split run r.run
        code 0 env REPLICA_ID=2 canfar-split run r.run
        code 0 canfar-split verify r.run
        "$here/check.sh" judge r.run 2 >judge.out || fail "$victim, $when: $(cat judge.out err.*)"
        code 0 canfar-split status r.run --json
        says out '"duplicates": 0'
    done
done
