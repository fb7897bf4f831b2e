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
# what has no effect is refused, not dropped
for options in "--replicas 3" "--strategy stripe" "--cwd ." --group --check-list "-j 2" "--retries 1" --keep "--reject-exit 3" \
    --no-adopt "--crash-limit 0"; do
    # shellcheck disable=SC2086 # several words
    code 2 canfar-split plan r.run --extend $options 'data/*'
    name=${options%% *}
    says err "plan --extend only adds items to what is planned: $(echo "$name" | sed 's/^-j/--jobs/') has no meaning with it"
done
code 2 canfar-split plan r.run --extend 'data/*' -- true
says err "a command has no meaning with it"
code 2 canfar-split plan none.run --extend 'data/*'
code 2 canfar-split plan r.run --extend 'none/*'

# damage is told with its file
printf 'X' | dd of=r.run/extend/1/items.lz4 bs=1 seek=20 conv=notrunc 2>dd.err || fail "$(cat dd.err)"
code 3 canfar-split verify r.run
says err "extend/1/items.lz4"
printf 'X' | dd of=r.run/extend/1/extension bs=1 seek=20 conv=notrunc 2>dd.err || fail "$(cat dd.err)"
code 3 canfar-split status r.run
says err "extend/1/extension"

# what is added is read and weighed as the plan's list was
printf '10\tx\n1\ty\n' | code 0 canfar-split plan w.run --replicas 1 --weights column --from - -- true
printf '3\tp\n10\tx\n20\tq\n' | code 0 canfar-split plan w.run --extend --from -
says err "2 items added, 4 in all"
[ "$(canfar-split items w.run | tr '\n' ' ')" = "x y q p " ] || fail "$(canfar-split items w.run)"
code 0 canfar-split explain w.run p
says out "weight 3;"
printf '3\tp\0' | code 0 canfar-split plan w.run --extend -0 --from - --weights column
printf '10\tx\n1\ty\n3\tp\n20\tq\n' | code 0 canfar-split plan w.run --check-list --from -
printf '1\ny\n' | code 1 canfar-split plan w.run --check-list --weights none --from -
printf 'x\ny\np\nq\n' | code 0 canfar-split plan w.run --check-list --weights none --from -
for word in stat none; do
    printf 'z\n' | code 2 canfar-split plan w.run --extend --weights $word --from -
    says err "w.run was planned with --weights column, not with --weights $word"
done
code 2 canfar-split plan w.run --extend z
says err "--weights column needs all items from --from"
printf 'x\n' | code 2 canfar-split plan w.run --replicas 1 --weights none --from - -- true
says err "'w.run' was planned with --weights column"
# a plan without the option has the one of its strategy
code 0 canfar-split plan s.run --replicas 1 data/a -- true
code 0 canfar-split plan s.run --extend --weights stat data/b
code 2 canfar-split plan s.run --extend --weights none data/c
says err "s.run was planned with --weights stat, not with --weights none"
code 0 canfar-split plan b.run --replicas 1 --strategy blocks data/a -- true
code 2 canfar-split plan b.run --extend --weights stat data/b
says err "b.run was planned without --weights, not with --weights stat"
code 0 canfar-split plan b.run --extend data/b

# the new list is not the plan's, and why is said
code 2 canfar-split plan s.run --replicas 1 data/a data/b -- true
says err "'s.run' was planned with 1 item (2 by now, some added by plan --extend), not 2; to add what is new: canfar-split plan 's.run' --extend ..."
code 2 canfar-split plan s.run --replicas 1 data/c -- true
says err "not these; to add what is new"
