#!/bin/sh
# Every example of docs/queue.md runs as it stands, in a folder like a user's; and its other replicas as a platform would start them.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
mkdir data out
for i in a b c d e; do echo "$i" >"data/$i.fits"; done
cat >one.sh <<'EOF2'
#!/bin/sh
cp "$1" "$2"
EOF2
chmod +x one.sh
awk '/^```/ { inside = ($0 == "```sh"); next } inside' "$top/docs/queue.md" >script
[ "$(wc -l <script)" -ge 6 ] || fail "no examples found"
for k in 2 3 4; do
    (
        until_true 60 test -e sky.run
        REPLICA_ID=$k REPLICA_COUNT=4 canfar-split run sky.run 2>"err.$k"
    ) &
done
sh -eu script >out.txt 2>err.txt || fail "$(cat script out.txt err.txt)"
says out.txt "complete: 5 of 5 items accounted for: 5 done"
says out.txt "queue: replica "
says err.txt "complete: 5 of 5 items accounted for: 5 done"
wait
canfar-split verify sky.run >verdict || fail "$(cat verdict err.*)"
for i in a b c d e; do [ -s "out/$i.cat" ] || fail "no out/$i.cat"; done
# what the page shows of status are its own words
for words in ' hands out the items' ' (second to do so)' ' connected, ' ' more ready' ' refused' ' strange message' ', heard ' \
    'on its own, without the queue'; do
    says "$top/docs/queue.md" "$words"
    says "$top/tools/queue.c" "$words"
done
