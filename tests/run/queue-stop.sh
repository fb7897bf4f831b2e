#!/bin/sh
# A replica of a queue that is told to stop before the end says so (exit 75), and the run goes on later.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
seq 1 40 | code 0 canfar-split plan r.run --strategy queue --replicas 2 --grace 5s --from - -- sh -c 'echo {} >>ran; sleep 0.2'

# SIGTERM
canfar-split run r.run --replica 1 2>err.1 &
first=$!
until_true 20 test -s ran
kill -TERM $first
got=0
wait $first || got=$?
[ $got -eq 75 ] || fail "exit $got after SIGTERM: $(cat err.1)"
says err.1 "told to stop before the end; to go on, run it again"
tail -n 2 r.run/journal/1-* | head -n 1 >out
says out "left"

# stop, with two at work
rm ran
for id in 1 2; do
    (got=0; canfar-split run r.run --replica $id 2>"err.$id" || got=$?; echo $got >"exit.$id") &
done
until_true 20 test -s ran
code 0 canfar-split stop r.run
wait
for id in 1 2; do
    [ "$(cat "exit.$id")" -eq 75 ] || fail "replica $id: exit $(cat "exit.$id"): $(cat "err.$id")"
done
code 1 canfar-split verify r.run

# nobody was asked to stop: who comes goes on to the end
code 0 canfar-split run r.run --replica 2 -j 4
code 0 canfar-split verify r.run
