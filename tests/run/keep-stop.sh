#!/bin/sh
# --keep, when time is over: --timeout, stop, SIGTERM, and kill -9 of the replica.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >loop.sh <<'EOF2'
#!/bin/sh
echo "$$" >>starts
while read -r item; do
    echo "$item" >>"started.$item"
    [ "$item" != slow ] || sleep 1000
    [ ! -e hold ] || { echo "$$" >"ready.$item"; while [ -e hold ]; do sleep 0.05; done; }
    echo done
done
echo over >>ends
EOF2
chmod +x loop.sh

gone() { # PID: ended, reaped by whoever has it or not
    case $(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null) in '' | Z | X) ;; *) return 1 ;; esac
}

# an item that takes too long has failed, is tried again by a new command, and holds nobody else up
code 0 canfar-split plan r.run --replicas 1 --strategy chunk --keep --timeout 2s --retries 1 a slow b -- ./loop.sh
code 1 canfar-split run r.run --replica 1
says err "'slow' failed (exit 124, attempt 1 of 2): took longer than 2 s"
says err "'slow' failed (exit 124, attempt 2 of 2): took longer than 2 s"
count done 2
count failed 1
[ "$(wc -l <starts)" -eq 2 ] || fail "started $(wc -l <starts) times"

# stop: what runs is finished, the command sees the end of its items
rm -rf r.run starts ends
: >hold
code 0 canfar-split plan r.run --replicas 1 --strategy chunk --keep a b c -- ./loop.sh
canfar-split run r.run --replica 1 2>err1 &
pid=$!
until_true 20 test -s ready.a
code 0 canfar-split stop r.run
until_true 20 grep -q "told to stop" err1
rm hold
got=0
wait "$pid" || got=$?
[ "$got" -eq 75 ] || fail "exit $got: $(cat err1)"
count done 1
count pending 2
[ "$(cat ends)" = over ] || fail "the command did not see the end"

# stop --now and SIGTERM: what runs is ended, and nothing is charged
for how in now term; do
    : >hold
    rm -f ready.*
    canfar-split run r.run --replica 1 2>err1 &
    pid=$!
    until_true 20 test -s ready.b
    if [ "$how" = now ]; then code 0 canfar-split stop r.run --now; else kill -TERM "$pid"; fi
    got=0
    wait "$pid" || got=$?
    [ "$got" -eq 75 ] || fail "$how: exit $got: $(cat err1)"
    gone "$(cat ready.b)" || fail "$how: the command still runs"
    count pending 2
    canfar-split explain r.run b >out
    says out "stopped (exit 143)"
done
rm hold
code 0 canfar-split run r.run --replica 1 --crash-limit 1
code 0 canfar-split verify r.run

# kill -9 of the replica: its commands end with it, one without an item too, and a restart goes on
rm -rf r.run
: >hold
code 0 canfar-split plan r.run --replicas 1 --strategy chunk --keep d e f -- ./loop.sh
canfar-split run r.run --replica 1 -j 2 2>err1 &
pid=$!
until_true 20 test -s ready.d -a -s ready.e
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
until_true 20 gone "$(cat ready.d)"
until_true 20 gone "$(cat ready.e)"
rm hold
code 0 canfar-split run r.run --replica 1 -j 2
code 0 canfar-split verify r.run

# --grace: a command that does not end when its items have is ended
printf '#!/bin/sh\nread -r x\necho done\necho "$$" >deaf\nexec sleep 1000\n' >deaf.sh
chmod +x deaf.sh
code 0 canfar-split plan g.run --replicas 1 --strategy chunk --keep --grace 200ms a -- ./deaf.sh
code 0 canfar-split run g.run --replica 1
gone "$(cat deaf)" || fail "it still runs"
code 0 canfar-split verify g.run
