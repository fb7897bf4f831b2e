#!/bin/sh
# The engine of a run is killed: one of three replicas, and later the process that started them.
# The first is made good by those that are left, the second by starting again; nobody waits for what does not come.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
if [ "$1" -ge "$(cat hold)" ]; then
    echo "$PPID" >"by.$1"
    while [ "$1" -ge "$(cat hold)" ]; do sleep 0.05; done
fi
echo "$1" >>ran
EOF
chmod +x one.sh
seq 1 30 >list
hold() { # items of that number or above wait
    echo "$1" >hold.new
    mv hold.new hold
}
ended() { # PID...: none of them is there any more, or is only waited for
    for pid; do
        case $(ps -o stat= -p "$pid") in '' | Z*) ;; *) return 1 ;; esac
    done
}

hold 21
code 0 canfar-split plan r.run --replicas 3 --strategy chunk --from list -- ./one.sh {}
timeout 60 canfar-split launch r.run --on local 2>err.launch &
launcher=$!
until_true 20 test -s by.21
kill -9 "$(cat by.21)"
hold 99
got=0
wait "$launcher" || got=$?
[ "$got" -ne 124 ] || fail "launch waits for a replica that was killed: $(cat err.launch)"
if ! canfar-split verify r.run >out 2>err; then # all others had left before it was killed
    [ "$got" -ne 0 ] || fail "launch exits 0, and verify says: $(cat out err)"
    code 0 timeout 60 canfar-split launch r.run --on local
fi
code 0 canfar-split verify r.run
[ "$(sort -nu ran | cmp - list 2>&1)" = "" ] || fail "ran: $(sort -n ran | tr '\n' ' ')"

rm -f by.* ran
hold 5
code 0 canfar-split plan again.run --replicas 3 --strategy chunk --from list -- ./one.sh {}
canfar-split launch again.run --on local 2>err.launch &
launcher=$!
until_true 20 test -s by.5 -a -s by.11 -a -s by.21
kill -9 "$launcher"
wait "$launcher" || true
code 1 canfar-split verify again.run
says out "incomplete: 4 done"
for replica in $(cat by.5 by.11 by.21); do
    kill -9 "$replica" 2>/dev/null || true
done
# shellcheck disable=SC2046 # a list of numbers
until_true 20 ended $(cat by.5 by.11 by.21)
hold 99
code 0 timeout 60 canfar-split launch again.run --on local
code 0 canfar-split verify again.run
says out "complete: 30 of 30 items accounted for: 30 done"
