#!/bin/sh
# simulate: the table of a small list, reckoned by hand, and what is refused.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
printf '6\ta\n1\tb\n1\tc\n4\td\n' >list
code 0 canfar-split simulate --weights column --from list --replicas 2
sed 's/  *$//' out | sed -n '1,20p' >got
cat >wanted <<'EOF2'
4 items by weight: 12 in all, the largest 6

makespan, in the unit of the weights
  replicas        2
  at least        6
 own share only
  chunk           7
  stripe          7
  even            7
  size            6
EOF2
head -10 got | diff wanted - || fail "not as reckoned"
says out "recommended: --strategy size if times follow these weights"
code 2 canfar-split simulate --weights column --from list --dispatch 1s
says err "simulate: --dispatch needs to know how long items take: --rate, or an earlier run's times"
code 0 canfar-split simulate --weights column --from list --rate 1 --dispatch 1s --replicas 1
says out "13s" # 12 s of work and one share that is handed out
code 2 canfar-split simulate --weights column --from list --replicas 0
says err "--replicas needs up to 32 numbers of replicas such as 16 or 1,16,256, not '0'"
code 2 canfar-split simulate
says err "no items"
code 2 canfar-split simulate --allow-empty --from /dev/null
