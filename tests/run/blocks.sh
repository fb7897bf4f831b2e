#!/bin/sh
# blocks: whoever is free takes the next block; a replica that hangs costs the others nothing; any number of replicas will do.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
[ "$1" != 1 ] || while [ ! -e go ]; do sleep 0.05; done
echo "$REPLICA_ID" >"by.$1.$CANFAR_SPLIT_ATTEMPT"
EOF
chmod +x one.sh
seq 1 100 | code 0 canfar-split plan r.run --strategy blocks --replicas 3 --from - -- ./one.sh {}
says err "not every item is a file: all of them weigh 1"
code 1 canfar-split verify r.run
says out "pending: '100' (nobody has it yet): never started"
code 0 canfar-split explain r.run 100
says out "weight 1; strategy blocks: nobody has it yet"
# blocks shrink from n/(2R) to 1
[ "$(awk '$1 == "piece" { print $2, $4 }' r.run/items.idx | head -1)" = "0 16" ] || fail "$(cat r.run/items.idx)"
[ "$(awk '$1 == "piece" { n = $4 } END { print n }' r.run/items.idx)" = 1 ] || fail "$(cat r.run/items.idx)"
pids=
for k in 1 2 3; do
    canfar-split run r.run --replica "$k" 2>"err.$k" &
    pids="$pids $!"
    [ "$k" -ne 1 ] || until_true 20 sh -c 'canfar-split items r.run --state running | grep -qx 1'
done
until_true 30 sh -c 'canfar-split items r.run --state done | wc -l | grep -qx 84' # all but the block of item 1
code 1 canfar-split verify r.run
says out "pending: '2' (replica 1): never started"
code 0 canfar-split explain r.run 2
says out "weight 1; strategy blocks: replica 1 has its block"
code 0 canfar-split explain r.run 100
says out "weight 1; strategy blocks: "
: >go
for p in $pids; do wait "$p" || fail "$(cat err.?)"; done
code 0 canfar-split verify r.run
[ "$(cat by.*.1 | sort -u | wc -l)" -eq 3 ] || fail "not all replicas worked: $(cat by.* | sort | uniq -c)"
[ "$(find . -name 'by.*' | wc -l)" -eq 100 ] || fail "not each item was started once"

# replicas that never came are not missed, and a dead one's block is taken over
rm -rf r.run by.* go
seq 1 50 | code 0 canfar-split plan r.run --strategy blocks --replicas 20 --from - -- ./one.sh {}
canfar-split run r.run --replica 1 2>err.1 &
first=$!
until_true 20 sh -c 'canfar-split items r.run --state running | grep -qx 1'
kill -9 "$first"
wait "$first" || :
code 0 canfar-split explain r.run 1
says out "strategy blocks: nobody has it yet"
: >go
code 0 canfar-split run r.run --replica 7
code 0 canfar-split verify r.run
code 0 canfar-split explain r.run 1
says out "strategy blocks: who took its block has left"
code 0 canfar-split run r.run --spare
says err "spare replica of r.run: 0 done"

# weights: files by their size
mkdir data
for i in 1 2 3 4 5 6; do head -c 10 /dev/zero >"data/small.$i"; done
head -c 1000 /dev/zero >data/a.large
code 0 canfar-split plan w.run --strategy blocks --replicas 2 'data/*' -- true
[ "$(awk '$1 == "piece" { print $4; exit }' w.run/items.idx)" = 1 ] || fail "the large file has company: $(cat w.run/items.idx)"
code 0 canfar-split launch w.run --on local
code 2 canfar-split blocks --replica 1 --replicas 2 a b
