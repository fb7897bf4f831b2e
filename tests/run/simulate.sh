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
says out "with 2 replicas or more the largest item decides: nothing takes less than 6"
says out "recommended: --strategy size with 2 replicas, 1.00 times the least possible if times follow these weights; else queue, or blocks without a network"
# 4 replicas are faster than 3, which are as many as all of it / the largest item
printf '6\ta\n4\tb\n4\tc\n4\td\n' >rounded
code 0 canfar-split simulate --weights column --from rounded --replicas 1,2,3,4
says out "with 3 replicas or more the largest item decides: nothing takes less than 6"
says out "recommended: --strategy size with 4 replicas, 1.00 times the least possible if"
code 0 canfar-split simulate --weights column --from rounded --replicas 1,2,3
says out "recommended: --strategy size with 3 replicas, 1.33 times the least possible if"
code 2 canfar-split simulate --weights column --from list --dispatch 1s
says err "simulate: --dispatch needs to know how long items take: --rate, or an earlier run's times"
code 0 canfar-split simulate --weights column --from list --rate 1 --dispatch 1s --replicas 1
says out "13s" # 12 s of work and one share that is handed out
code 0 canfar-split simulate --weights column --from list --rate 1
says out "recommended: --strategy size with 2 replicas, 1.00 times the least possible if times follow these weights; else queue"
code 2 canfar-split simulate --weights column --from list --replicas 0
says err "--replicas needs up to 32 numbers of replicas such as 16 or 1,16,256, not '0'"
code 2 canfar-split simulate
says err "no items"
code 2 canfar-split simulate --allow-empty --from /dev/null

# ---- what is refused, each with its sentence
refuses() { # SENTENCE OPTION...
    sentence=$1
    shift
    code 2 canfar-split simulate "$@"
    says err "$sentence"
    [ ! -s out ] || fail "it printed: $(cat out)"
}
for option in start-spread=1s stall-after=1s adopt-after=1s lose=1; do
    refuses "simulate: --${option%=*} needs to know how long items take" --weights column --from list "--$option"
done
for wrong in 4,,8 ',' 1000001 1,2x -1 100000000000 "$(seq -s , 1 33)"; do
    refuses "--replicas needs up to 32 numbers of replicas" --from list --replicas "$wrong"
done
for wrong in 0 x 5parsecs -1; do refuses "--rate needs what is done in a second, such as 50M, not '$wrong'" --from list --rate "$wrong"; done
for wrong in x 5h -1us; do refuses "--dispatch needs a time such as 50us, 5ms or 1s, not '$wrong'" --from list --dispatch "$wrong"; done
refuses "--as-planned is for a run that has been planned" --from list --as-planned
refuses "'no.run' is neither a run nor a file" no.run
mkdir folder
refuses "'folder' is neither a run nor a file" folder
refuses "--weights needs stat, column or none, or for a plan run:OTHER, not 'pixels'" --from list --weights pixels
refuses "cannot weigh" --from list --weights stat
refuses "there is no run 'no.run'" --from list --weights run:no.run
printf 'a\na\n' >twice
refuses "'a'" --from twice --weights none a
printf '9223372036854775807\ta\n' >huge
refuses "all of it takes too long to be simulated" --from huge --weights column
refuses "at that --rate 'a' takes more than 30,000 years" --from huge --weights column --rate 1
refuses "a time of more than 30,000 years" --from list --weights column --rate 1 --start-spread 400000000d
code 5 sh -c 'canfar-split simulate --weights column --from list >/dev/full'

# ---- as programs read it
json() { python3 -c "import json, sys; r = json.load(open('out')); print(($1))"; }
if command -v python3 >/dev/null; then
    code 0 canfar-split simulate --weights column --from list --replicas 2,1,2 --json
    [ "$(json 'r["items"], r["unit"], r["total"], r["largest"], r["replicas"], r["bound"]')" = \
        "(4, 'weight', 12, 6, [1, 2], [12.0, 6.0])" ] || fail "$(cat out)"
    [ "$(json 'len(r["strategies"]), [r["strategies"][0][k] for k in ("strategy", "own_share_only", "makespan")]')" = \
        "(12, ['chunk', True, [12, 7]])" ] || fail "$(cat out)"
    [ "$(json '[[round(x, 6) for x in r["strategies"][0][k]] for k in ("over", "idle")]')" = "[[1.0, 1.166667], [0.0, 0.142857]]" ] || fail "$(cat out)"
    [ "$(json 'r["useful_replicas"], r["recommended"]["strategy"], r["recommended"]["replicas"], "dispatch" in r')" = "(2, 'size', 2, False)" ] || fail "$(cat out)"
    code 0 canfar-split simulate --weights column --from list --replicas 1 --lose 1 --rate 1 --json --dispatch 5ms
    [ "$(json 'r["unit"], r["dispatch"], r["lose"], r["stall_after"], r["seed"], r["strategies"][0]["makespan"], r["recommended"]["replicas"]')" = \
        "('us', 5000, 1, 120000000, 1, [None], 0)" ] || fail "$(cat out)"
fi

# ---- the same seed, the same answer; another one, another
chance() { code 0 canfar-split simulate --weights column --from many --rate 10 --lose 3 --start-spread 5m --seed "$1"; }
seq 1 200 | awk '{ print $1 % 17 "\titem " $1 }' >many
chance 7
mv out first
says first "each handing out takes 0us; replicas come within 5m00s; 3 of them die, which is noticed after 2m00s; seed 7"
chance 7
cmp first out
chance 8
grep -v seed first >one
grep -v seed out >two
! cmp -s one two || fail "two seeds give one answer"

# ---- sizes of files; names of any bytes
for i in 1 2 3; do head -c $((i * 1000)) /dev/zero >"$(printf 'f\n\377%s.fits' "$i")"; done
code 0 canfar-split simulate 'f*.fits' --replicas 1
says out "3 items by size: 6kB in all, the largest 3kB"
says out "makespan, in bytes that one replica works through"
code 0 canfar-split simulate 'f*.fits' --replicas 1 --rate 1k
says out "5.86s"
printf 'x\ny\0z\0' >null
code 0 canfar-split simulate -0 --from null --replicas 1
says err "not every item is a file: all of them weigh 1"
says out "2 items by number: 2 in all, the largest 1"

# ---- a run: by its weights, then by its times
cat >one.sh <<'END'
#!/bin/sh
case $1 in long) sleep 0.4 ;; rejected) exit 65 ;; failed) exit 1 ;; esac
END
chmod +x one.sh
printf '5\tlong\n7\trejected\n1\tfailed\n1\tshort\n' >column
code 0 canfar-split plan r.run --weights column --reject-exit 65 --strategy chunk --replicas 1 --from column -- ./one.sh {}
code 0 canfar-split simulate r.run --replicas 1
says out "4 items by weight: 14 in all, the largest 7"
refuses "no item of 'r.run' has ended: --as-planned has no times to go by" r.run --as-planned
refuses "a run has weights: --weights can be run:OTHER here, not 'stat'" r.run --weights stat
refuses "simulate: 'r.run' is a run, and stands alone: one run, or a list of items" --from list r.run
refuses "simulate: 'r.run' is a run, and stands alone: one run, or a list of items" a r.run
code 1 canfar-split run r.run
code 0 canfar-split simulate r.run --replicas 1,2
says out "4 items by the time they took: "
says out "recommended: --strategy size --weights run:r.run with "
says out "times the least possible if items take as long again; else queue"
says err "r.run has no time of 1 of 4 items: the median of the others is taken" # failed
grep -qx makespan out || fail "$(cat out)"
grep -q 'the largest \([4-9][0-9][0-9]ms\|[0-9.]*[0-9]s\)$' out || fail "$(head -1 out)"
refuses "how long items took is known: --rate has no meaning here" r.run --rate 5
code 0 canfar-split simulate r.run --replicas 1,2 --as-planned
says out "by the time they took"
! grep -q 'recommended.*--weights\|as long again' out || fail "$(cat out)"
code 0 canfar-split plan other.run --strategy size --weights none --replicas 2 --from many -- true
code 0 canfar-split simulate other.run --weights run:r.run --replicas 1
says err "r.run has no time of any of these 200 items"
says err "other.run does not keep the order of its list: chunk, stripe, even and blocks are simulated by name"
printf '{' >r.run/run.json
code 3 canfar-split simulate r.run
