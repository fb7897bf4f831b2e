#!/bin/sh
# A plan by queue: the list is worked on largest first, what takes part has folders of its own, and the keys are nobody else's.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
mkdir data
for size in 1 300 20 4000 20; do head -c "$size" /dev/zero >"data/$(ls data | wc -l).$size"; done

code 0 canfar-split plan r.run --strategy queue --replicas 2 'data/*' -- true
says err "r.run: 5 items for 2 replicas by queue; to run it: canfar-split launch r.run --on local"
grep -q '"strategy": "queue"' r.run/run.json || fail "$(cat r.run/run.json)"
lz4 -dc r.run/items.lz4 | tr '\0' '\n' >out
printf '%s\t%s\n' 4000 data/3.4000 300 data/1.300 20 data/2.20 20 data/4.20 1 data/0.1 | cmp - out || fail "$(cat out)"
awk -F '\t' '$1 == "piece" && $2 != 0 { exit 1 }' r.run/items.idx || fail "a block is somebody's: $(cat r.run/items.idx)"
[ "$(stat -c %a r.run/coordinator r.run/keys | tr '\n' ' ')" = "700 700 " ] || fail "$(stat -c '%a %n' r.run/*)"
code 0 canfar-split plan r.run --strategy queue --replicas 2 'data/*' -- true
says err "r.run: already planned"
code 2 canfar-split plan r.run --strategy blocks --replicas 2 'data/*' -- true
says err "'r.run' was planned with strategy queue, not blocks"
code 0 canfar-split plan r.run --check-list 'data/*'
says err "r.run: the sources give the 5 items that were planned"
code 0 canfar-split explain r.run data/1.300
says out "weight 300; strategy queue: nobody has it yet"

# what is added comes behind, the largest first again
head -c 7 /dev/zero >data/5.7
head -c 500 /dev/zero >data/6.500
code 1 canfar-split plan r.run --check-list 'data/*'
code 0 canfar-split plan r.run --extend 'data/*'
says err "2 items added, 7 in all"
[ "$(canfar-split items r.run | tail -2 | tr '\n' ' ')" = "data/6.500 data/5.7 " ] || fail "$(canfar-split items r.run)"
code 2 canfar-split plan r.run --extend --weights stat data/x
says err "r.run was planned without --weights, not with --weights stat"
code 0 canfar-split launch r.run --on local
code 0 canfar-split verify r.run

# colleagues of the group look, they do not take part
code 0 canfar-split plan g.run --group --strategy queue --replicas 2 'data/*' -- true
[ "$(stat -c %a g.run g.run/coordinator g.run/keys | tr '\n' ' ')" = "750 750 700 " ] || fail "$(stat -c '%a %n' g.run g.run/*)"

# not all are files: each weighs 1, which is said once, and the list stays in its order
printf '%s\n' data/1.300 none data/3.4000 | code 0 canfar-split plan n.run --strategy queue --replicas 1 --from - -- true
[ "$(grep -c "not every item is a file: all of them weigh 1" err)" = 1 ] || fail "$(cat err)"
[ "$(canfar-split items n.run | tr '\n' ' ')" = "data/1.300 none data/3.4000 " ] || fail "$(canfar-split items n.run)"
printf '1\ta\n3\tb\n2\tc\n' | code 0 canfar-split plan c.run --strategy queue --replicas 1 --weights column --from - -- true
[ "$(canfar-split items c.run | tr '\n' ' ')" = "b c a " ] || fail "$(canfar-split items c.run)"

# another strategy has no such folders, nor is queue a filter
code 0 canfar-split plan s.run --replicas 2 'data/*' -- true
[ ! -e s.run/coordinator ] && [ ! -e s.run/keys ] || fail "$(ls s.run)"
code 2 canfar-split queue --replica 1 --replicas 2 a b
code 2 canfar-split plan x.run --strategy que --replicas 2 a -- true
says err "there is no strategy 'que'; there are: chunk, stripe, even, size, hash, blocks, queue"
