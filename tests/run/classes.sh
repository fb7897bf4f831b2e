#!/bin/sh
# done, failed, rejected, later, timeout, signals; retries; what verify, items and log say of each.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
echo "out of $1"
echo "err of $1" >&2
case $1 in
good) exit 0 ;;
bad) echo "KeyError: 'EXPTIME'" >&2; exit 1 ;;
second) [ "$CANFAR_SPLIT_ATTEMPT" -ge 2 ] ;;
spectrum) echo "no image in it"; exit 65 ;;
busy) [ -e was.busy ] || { : >was.busy; echo "server is busy"; exit 75; } ;;
slow) exec sleep 60 ;;
killed) kill -9 $$ ;;
esac
EOF
chmod +x one.sh
code 0 canfar-split plan r.run --replicas 1 --strategy chunk --retries 1 --reject-exit 65 --later-exit 75 --timeout 1s \
    good bad second spectrum busy slow killed -- ./one.sh {}
code 1 canfar-split run r.run --replica 1 -j 4
says err "'bad' failed (exit 1, attempt 1 of 2): KeyError: 'EXPTIME'"
says err "'bad' failed (exit 1, attempt 2 of 2): KeyError: 'EXPTIME'"
says err "'slow' failed (exit 124, attempt 2 of 2): took longer than 1 s: err of slow"
says err "'killed' failed (exit 137, attempt 2 of 2): ended by signal 9 (KILL): err of killed"
says err "3 items failed; see: canfar-split items r.run --state failed --why"
count done 3
count failed 3
count rejected 1
code 1 canfar-split verify r.run
says out "failed: 'bad' (attempt 2): KeyError: 'EXPTIME'"
says out "incomplete: 3 done, 1 rejected, 3 failed; see: canfar-split items r.run --state failed"
canfar-split items r.run --state rejected --why >out
printf 'spectrum\tno image in it\n' | cmp - out || fail "$(cat out)"
canfar-split log r.run good >out
printf 'out of good\nerr of good\n' | cmp - out || fail "$(cat out)"
canfar-split log r.run busy --attempt 1 >out
says out "server is busy"
canfar-split log r.run --joblog >out
[ "$(wc -l <out)" -eq 13 ] || fail "$(cat out)"
[ "$(head -n 1 out)" = "$(printf 'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand')" ] || fail "$(cat out)"
canfar-split verify r.run --json >out || :
says out '"complete": false'
says out '"failed": 3'

# what has failed for good is not started again, until retry says so; done and rejected never are
code 0 canfar-split run r.run --replica 1
code 0 canfar-split retry r.run bad good
says err "1 item open again"
count pending 1
code 1 canfar-split run r.run --replica 1
says err "'bad' failed (exit 1, attempt 4 of 4)"
for state in done rejected pending running; do
    code 2 canfar-split retry r.run --state $state
    says err "retry: only what has failed or was set aside can run again: --state failed or --state set-aside, not $state"
done
code 2 canfar-split retry r.run good --state failed
says err "--state failed has no meaning with names"
code 0 canfar-split retry r.run --state set-aside
says err "0 items of r.run open again"
code 0 canfar-split retry --help
says out "--state failed|set-aside     only those in that state (default: both)"
count failed 3
sed -i 's/exit 1 ;;/exit 0 ;;/; s/exec sleep 60/exit 0/; s/kill -9 ../exit 0/' one.sh
code 0 canfar-split retry r.run
says err "3 items open again"
code 0 canfar-split run r.run --replica 1
code 0 canfar-split verify r.run
says out "complete: 7 of 7 items accounted for: 6 done, 1 rejected"

# An end may be on disk before anything else is asked for: what it opened is still tried, before the replica leaves.
rm -rf r.run
code 0 canfar-split plan r.run --replicas 1 --strategy chunk --retries 3 --sync-every 0 a -- false {}
code 1 canfar-split run r.run --replica 1 -j 2
says err "'a' failed (exit 1, attempt 4 of 4)"
count failed 1
