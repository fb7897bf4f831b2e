#!/bin/sh
# status and explain of a queue run: who hands out items, who is connected, what they run, who goes on alone; and nothing that was
# told by one who is over is shown as if it were so now.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF2'
#!/bin/sh
case $1 in slow*) while [ ! -e go ]; do sleep 0.05; done ;; esac
EOF2
chmod +x one.sh
here=$(hostname)
command -v python3 >/dev/null || skip "no python3"
# asks EXPRESSION: of what --json has under "queue"
asks() {
    canfar-split status r.run --json >json
    python3 -c 'import json, sys; q = json.load(open("json"))["queue"]; sys.exit(not eval("(" + sys.argv[1] + ")"))' "$1"
}
# shows TEXT: status says so by now
shows() {
    canfar-split status r.run >out 2>err && grep -qF -e "$1" out
}

# six that wait, and so many more that the queue does not take all pieces at once
{
    seq -f 'slow%g.fits' 1 6
    seq -f 'slow.%04g' 1 600
} >list
code 0 canfar-split plan r.run --strategy queue --replicas 3 --from list --takeover-after 60s --batch 1 -- ./one.sh {}
code 0 canfar-split status r.run
says out "queue: nobody has handed out items yet"
code 0 canfar-split explain r.run slow1.fits
says out "strategy queue: nobody has it yet"
asks 'q == {"number": 0, "hands_out": False, "replicas": []}' || fail "$(cat json)"

canfar-split run r.run --replica 2 -j 5 2>err.2 &
second=$!
until_true 30 shows "runs 'slow1.fits', 'slow2.fits', 'slow3.fits' and 2 more"
until_true 30 shows "1 connected, "
says out "queue: replica 2 on $here hands out the items"
says out "      5 slots, heard "
asks 'q["number"] == 1 and q["hands_out"] and q["life"] == "working" and q["connected"] == 1 and q["refused"] == 0' ||
    fail "$(cat json)"
asks '[(w["replica"], w["connected"], w["alone"], w["slots"], w["running"]) for w in q["replicas"]] ==
    [(2, True, False, 5, ["slow%d.fits" % i for i in range(1, 6)])]' || fail "$(cat json)"
code 0 canfar-split explain r.run slow1.fits
says out "strategy queue: replica 2 runs it"

# it stands still; another does not reach it, and goes on alone
kill -STOP "$second"
canfar-split run r.run --replica 3 --network-timeout 1s 2>err.3 &
third=$!
until_true 30 shows "      on its own, without the queue; runs 'slow."
says out "  replica 3 "
asks '[(w["replica"], w["connected"], w["alone"]) for w in q["replicas"]] == [(2, True, False), (3, False, True)]' ||
    fail "$(cat json)"

# it is killed: what it told is not shown as if it were so now
kill -9 "$second"
wait "$second" || :
kill -TERM "$third"
wait "$third" || :
code 0 canfar-split status r.run
says out "queue: nobody hands out items now (replica 2 on $here did, and was lost)"
! grep -qE ' connected|slots| more ready' out || fail "$(cat out)"
asks '"connected" not in q and not q["hands_out"] and q["life"] == "lost" and q["replicas"] == []' || fail "$(cat json)"
code 0 canfar-split explain r.run slow1.fits
says out "strategy queue: replica 2 had it last"

# the next one, in the second start of that replica; status bears whatever stands where it is told
canfar-split run r.run --replica 2 -j 2 2>err.2 &
again=$!
until_true 30 shows "queue: replica 2 (second start) on $here hands out the items (second to do so)"
until_true 30 test -e r.run/coordinator/seen-2
for text in '' 'nonsense' 'cfsplit-seen	1	'; do
    printf '%s' "$text" >torn && mv torn r.run/coordinator/seen-2
    code 0 canfar-split status r.run
    says out "hands out the items"
done
canfar-split status r.run --watch >watched &
watcher=$!
until_true 30 grep -q "hands out the items" watched
: >go
wait "$again" || fail "$(cat err.2)"
wait "$watcher" || fail "$(cat watched)"
says watched "queue: replica 2 (second start) on $here handed out the items (second to do so)"
code 0 canfar-split verify r.run
says out "replica 2: lost"
says out "replica 3: stopped before the end; taken over by the queue"
code 0 canfar-split explain r.run slow1.fits
says out "strategy queue: replica 2 (second start) ran it"
code 0 canfar-split status r.run
! grep -qiE 'incarnation|claim|epoch|lease|fence|coordinator' out || fail "$(cat out)"
