#!/bin/sh
# The roll call of status and verify: who never came, who is lost, who left early, and who took over what they had.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF2'
#!/bin/sh
[ ! -e "hang.$1" ] || { : >"ready.$1"; while :; do sleep 0.05; done; }
EOF2
chmod +x one.sh

# roll: the roll call of --json, a line each: ID START LIFE SHARE WAITING TAKER:START:ITEMS,...
roll() {
    canfar-split "${1-status}" r.run --json >json || [ $? -eq 1 ]
    awk -F'[:,]' '
        { value = $2; gsub(/[ "]/, "", value) }
        /^      "replica":/ { id = value; start = 0; life = "missing"; takers = "" }
        /^      "start":/ { start = value }
        /^      "life":/ { split($2, words, "\""); split(words[2], word, " "); life = word[1] }
        /^      "share":/ { share = value }
        /^      "waiting":/ { waiting = value }
        /^          "replica":/ { taker = value }
        /^          "start":/ { taker = taker ":" value }
        /^          "items":/ { takers = takers (takers ? "," : " ") taker ":" value }
        /^    }/ { print id, start, life, share, waiting takers }' json
}

# roll_is [verify]: what it is, on stdin
roll_is() {
    cat >wanted
    roll "$@" >got
    cmp -s got wanted || fail "the roll is
$(cat got)
not
$(cat wanted)"
}

# killed ITEM ARGUMENTS...: a replica that is killed while it works on ITEM
killed() {
    item=$1
    shift
    : >"hang.$item"
    rm -f "ready.$item"
    canfar-split run r.run "$@" 2>err.killed &
    until_true 20 test -e "ready.$item"
    kill -KILL $!
    wait $! || :
    rm "hang.$item"
}

# 6 replicas, 16 items each, 8 pieces of 2; replica k has k.1 to k.16
for k in 1 2 3 4 5 6; do
    for i in $(seq 16); do echo "$k.$i"; done
done | code 0 canfar-split plan r.run --replicas 6 --strategy even --from - -- ./one.sh {}
code 1 canfar-split verify r.run
says out "replicas 1 to 6 have not come"
code 0 canfar-split run r.run --replica 1 --no-adopt
killed 2.5 --replica 2 # ended 2.1 to 2.4: two pieces; died in the third
code 0 canfar-split status r.run
says out "replicas: 6 expected, 2 came, 0 at work, 1 lost, 4 missing"
says out "lost, $(hostname); nobody has 12 of its items yet"
says out "  replicas 3 to 6: have not come"
code 1 canfar-split verify r.run
says out "replica 2: lost; nobody has 12 of its items yet"
says out "replicas 3 to 6 have not come"
roll_is <<EOF2
1 1 finished 16 0
2 1 lost 16 12
3 0 missing 16 16
4 0 missing 16 16
5 0 missing 16 16
6 0 missing 16 16
EOF2

# A spare takes from the back. It is killed in the middle of the share of replica 4.
killed 4.7 --spare
roll_is verify <<EOF2
0 1 lost 0 2
1 1 finished 16 0
2 1 lost 16 12
3 0 missing 16 16
4 0 missing 16 6 0:1:10
5 0 missing 16 0 0:1:16
6 0 missing 16 0 0:1:16
EOF2
code 1 canfar-split verify r.run
says out "spare 1: lost; nobody has 2 of its items yet"
says out "replica 4 (16 items): never came; taken over by spare 1; nobody has 6 of its items yet"
says out "replica 3 has not come"

# A replica that is told to stop leaves the rest; its next start goes on with that, and (--no-adopt) not with the spare's.
: >hang.4.3
canfar-split run r.run --replica 4 --no-adopt --grace 0 2>err.stopped &
until_true 20 test -e ready.4.3
kill -TERM $!
got=0
wait $! || got=$?
[ "$got" -eq 75 ] || fail "exit $got: $(cat err.stopped)"
rm hang.4.3
code 0 canfar-split status r.run
says out "stopped before the end, $(hostname); taken over by spare 1; nobody has 4 of its items yet"
code 0 canfar-split run r.run --replica 4 --no-adopt
roll_is <<EOF2
0 1 lost 0 2
1 1 finished 16 0
2 1 lost 16 12
4 1 stopped 16 0 4:2:2
4 2 finished 16 0
3 0 missing 16 16
5 0 missing 16 0 0:1:16
6 0 missing 16 0 0:1:16
EOF2

# Two more spares: what replica 2 had goes to both.
killed 2.9 --spare
code 0 canfar-split run r.run --spare
code 0 canfar-split verify r.run
says out "replica 2: lost; taken over by spare 2 and spare 3"
says out "replica 3 (16 items): never came; taken over by spare 2"
says out "replicas 5 to 6 (32 items): never came; taken over by spare 1"
says out "spare 1: lost; taken over by spare " # 2 or 3: what killed one is tried last
says out "complete: 96 of 96 items accounted for: 96 done"
code 0 canfar-split verify r.run --json
says out '"replicas_lost": 3'
[ "$(grep -c '"ended_by": "0-' out)" -ge 1 ] || fail "$(cat out)"
