#!/bin/sh
# The program of docs/library.md: each file is packed, and removed only when that is accepted.
# shellcheck source=common.sh
. "${0%/*}/common.sh"
mkdir data
for name in a b c 'd e'; do
    printf '%s' "xxyyyz$name" >"data/$name.dat"
done
canfar-split plan pack.run --replicas 2 --strategy stripe --from - <<'LIST' 2>err || fail "$(cat err)"
data/a.dat
data/b.dat
data/c.dat
data/d e.dat
data/gone.dat
LIST
code=0
example_library 2>err || code=$?
same "exit code without a run" "$code" 2
same "what it says" "$(cat err)" "usage: pack RUN"
REPLICA_ID=2 REPLICA_COUNT=2 example_library pack.run &
other=$!
(cd data && REPLICA_ID=1 REPLICA_COUNT=2 example_library ../pack.run) || fail "replica 1: exit $?"
wait "$other" || fail "replica 2: exit $?"
same "a packed file" "$(cat data/a.dat.packed)" "xyza"
same "what is left" "$(ls data)" "a.dat.packed
b.dat.packed
c.dat.packed
d e.dat.packed"
same "what failed" "$(canfar-split items pack.run --state failed)" "data/gone.dat"

# SIGTERM in the middle of an item: it is ended, no other is begun, nothing is charged; running it again goes on.
mkfifo data/1.dat
printf aab >data/2.dat
canfar-split plan told.run --replicas 1 --strategy chunk --from - <<'LIST' 2>err || fail "$(cat err)"
data/1.dat
data/2.dat
LIST
REPLICA_ID=1 REPLICA_COUNT=1 example_library told.run 2>err &
told=$!
exec 3>data/1.dat # opens when the program opens it to read
kill -TERM "$told"
printf xxy >&3
exec 3>&-
code=0
wait "$told" || code=$?
same "exit code when told to stop" "$code" 75
same "what it says" "$(cat err)" "told to stop; to go on, run it again"
same "the item in hand" "$(cat data/1.dat.packed)" "xy"
same "what is left" "$(canfar-split items told.run --state pending)" "data/2.dat"
REPLICA_ID=1 REPLICA_COUNT=1 example_library told.run 2>err || fail "$(cat err)"
same "attempts" "$(canfar-split items told.run --json | grep -c '"state":"done",.*"attempts":1,')" 2
