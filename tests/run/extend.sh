#!/bin/sh
# plan --extend: items that are new are added, whether replicas run or not; nothing that is there is disturbed.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
[ "$1" != data/wait ] || while [ ! -e go ]; do sleep 0.05; done
echo "$1 $CANFAR_SPLIT_INDEX" >>log
[ "$1" != data/bad ]
EOF
chmod +x one.sh
mkdir data
for i in a b c d wait; do echo "$i" >"data/$i"; done
code 0 canfar-split plan r.run --replicas 2 'data/*' -- ./one.sh {}
code 0 canfar-split plan r.run --extend 'data/*'
says err "nothing is new, 5 items in all"
# while a replica is at work, which takes it up
canfar-split run r.run --replica 1 2>err.1 &
first=$!
canfar-split run r.run --replica 2 2>err.2 &
second=$!
until_true 20 sh -c 'canfar-split items r.run --state done | wc -l | grep -qx 4'
cp r.run/run.json r.run/items.lz4 r.run/items.idx .
for i in e "f g" bad; do echo "$i" >"data/$i"; done
mkdir elsewhere
(cd elsewhere && code 0 canfar-split plan ../r.run --extend 'data/*') # as the plan's working directory sees them
until_true 20 sh -c 'canfar-split items r.run --state done | wc -l | grep -qx 6'
for f in run.json items.lz4 items.idx; do cmp "$f" "r.run/$f" || fail "$f has changed"; done
: >go
wait "$first" || [ $? -eq 1 ] || fail "$(cat err.1)"
wait "$second" || [ $? -eq 1 ] || fail "$(cat err.2)"
count done 7
count failed 1
code 0 canfar-split explain r.run "data/f g"
says out "done"
code 0 canfar-split log r.run data/bad
[ "$(sort log | cut -d' ' -f1 | uniq -d)" = "" ] || fail "started twice: $(cat log)"

# twice at the same time: each new item is added once
for i in 1 2 3 4 5 6 7 8; do echo x >"data/n.$i"; done
pids=
for _ in 1 2 3 4 5; do
    canfar-split plan r.run --extend 'data/*' 2>/dev/null &
    pids="$pids $!"
done
for p in $pids; do wait "$p" || fail "extending in company failed"; done
count pending 8
# retry reaches items of any generation, in one file
code 0 canfar-split retry r.run
count pending 9
rm data/bad
sed -i 's/data.bad/data\/never/' one.sh
code 0 canfar-split launch r.run --on local
code 0 canfar-split verify r.run
says out "complete: 16 of 16"
code 0 canfar-split status r.run --json
says out '"total": 16'
# the plan that was made first is still the same plan
echo bad >data/bad
rm data/n.* data/e "data/f g" data/bad
code 0 canfar-split plan r.run --replicas 2 'data/*' -- ./one.sh {}
says err "already planned"
code 2 canfar-split plan r.run --extend --replicas 3 'data/*'
code 2 canfar-split plan none.run --extend 'data/*'
code 2 canfar-split plan r.run --extend 'none/*'

# damage is told with its file
printf 'X' | dd of=r.run/extend/1/items.lz4 bs=1 seek=20 conv=notrunc 2>dd.err || fail "$(cat dd.err)"
code 3 canfar-split verify r.run
says err "extend/1/items.lz4"
printf 'X' | dd of=r.run/extend/1/extension bs=1 seek=20 conv=notrunc 2>dd.err || fail "$(cat dd.err)"
code 3 canfar-split status r.run
says err "extend/1/extension"
