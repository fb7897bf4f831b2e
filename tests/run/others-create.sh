#!/bin/sh
# Of four replicas, the third was never started, and whoever started them says nothing and exits 0 (as create() of the Python
# client does when a launch fails): its share does not vanish. status and verify name it, and a spare repairs it.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
never='replica 3[^0-9].*(has not come|never came)'
create() { # starts what it can, tells nobody of the rest
    for id in 1 2 4; do
        canfar-split run r.run --replica "$id" 2>>err.create || return
    done
}
seq 1 40 >list
code 0 canfar-split plan r.run --replicas 4 --strategy chunk --no-adopt --from list -- sh -c 'echo "$0" >>ran' {}
code 0 create
count done 30
code 0 canfar-split status r.run
grep -qE "$never" out || fail "status does not name replica 3: $(cat out)"
code 1 canfar-split verify r.run
grep -qE "$never" out || fail "verify does not name replica 3: $(cat out)"
says out "incomplete: 30 done, 10 pending"
for item in $(seq 21 30); do
    says out "pending: '$item' (replica 3): never started"
done
code 1 canfar-split verify r.run --json
tr -d ' \n' <out >flat
says flat '"replicas_missing":[3]'
says flat '"complete":false'

code 0 canfar-split run r.run --spare
code 0 canfar-split verify r.run
sort -n ran | cmp -s - list || fail "ran: $(sort -n ran | tr '\n' ' ')"
