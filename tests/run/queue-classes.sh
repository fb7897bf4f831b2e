#!/bin/sh
# By queue: done, failed, rejected, later, timeout; retries by other replicas; --max-fails, --keep, and what a restart leaves alone.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF2'
#!/bin/sh
echo "$CANFAR_SPLIT_ATTEMPT" >>"started.$1"
case $1 in
bad) echo "KeyError: 'EXPTIME'"; exit 1 ;;
second) [ "$CANFAR_SPLIT_ATTEMPT" -ge 2 ] ;;
spectrum) exit 65 ;;
busy) [ -e was.busy ] || { : >was.busy; exit 75; } ;;
slow) exec sleep 60 ;;
killed) kill -9 $$ ;;
esac
EOF2
chmod +x one.sh
queue="--strategy queue --takeover-after 2s --stall-after 1m"

attempts() { # ITEM WANTED
    [ "$(tr '\n' ' ' <"started.$1")" = "$2 " ] || fail "$1 has the attempts $(cat "started.$1")"
}

# shellcheck disable=SC2086 # words
code 0 canfar-split plan r.run --replicas 3 $queue --retries 1 --reject-exit 65 --later-exit 75 --timeout 1s \
    good bad second spectrum busy slow killed $(seq 20) -- ./one.sh {}
code 1 canfar-split launch r.run --on local --jobs 2
says err "'bad' failed (exit 1, attempt 1 of "
says err "'bad' failed (exit 1, attempt 2 of 2): KeyError: 'EXPTIME'"
says err "'slow' failed (exit 124, attempt 2 of 2): took longer than 1 s"
says err "'killed' failed (exit 137, attempt 2 of 2): ended by signal 9 (KILL)"
count done 23
count failed 3
count rejected 1
attempts good 1
attempts bad "1 2"
attempts second "1 2"
attempts busy "1 2"
attempts spectrum 1
code 1 canfar-split verify r.run
says out "incomplete: 23 done, 1 rejected, 3 failed"
# what has failed for good is not started again, until retry says so
code 0 canfar-split run r.run --replica 3
attempts bad "1 2"
code 0 canfar-split retry r.run bad
code 1 canfar-split run r.run --spare
attempts bad "1 2 3 4"
attempts slow "1 2"

# --max-fails: that replica starts no more; another one goes on
rm -rf r.run
# shellcheck disable=SC2086
seq 40 | code 0 canfar-split plan r.run --replicas 2 $queue --from - -- sh -c 'test "$1" -gt 5' x {}
code 1 canfar-split run r.run --replica 1 --max-fails 3
says err "3 failures: starting no more"
count failed 3
code 1 canfar-split run r.run --replica 2
count failed 5
count done 35
rm -rf r.run
# shellcheck disable=SC2086
seq 100 | code 0 canfar-split plan r.run --replicas 1 $queue --from - -- false
code 1 canfar-split run r.run --replica 1
says err "the first 20 items all failed: starting no more"
count failed 20
count pending 80

# --keep: a command a slot, items in batches, one of which ends its command each time
rm -rf r.run
cat >keep.sh <<'EOF2'
#!/bin/sh
echo $$ >>commands
while IFS= read -r item; do
    echo "$item" >>"kept.$item"
    [ "$item" != 7 ] || kill -9 $$
    [ "$item" != 8 ] || { echo "failed no good"; continue; }
    echo done
done
EOF2
chmod +x keep.sh
# shellcheck disable=SC2086
seq 60 | code 0 canfar-split plan r.run --replicas 2 $queue --keep --batch 16 --crash-limit 2 --from - -- ./keep.sh
code 1 canfar-split launch r.run --on local --jobs 2
says err "'7' is set aside: it ended its replica or command 2 times while it ran alone"
count done 58
count failed 1
[ "$(wc -l <kept.7)" -eq 3 ] || fail "the poison was started $(wc -l <kept.7) times, not 3"
[ "$(wc -l <kept.8)" -eq 1 ] || fail "what failed was started $(wc -l <kept.8) times"
for i in $(seq 60); do
    [ "$i" -eq 7 ] || [ "$(wc -l <"kept.$i")" -eq 1 ] || fail "item $i was started $(wc -l <"kept.$i") times"
done
[ "$(wc -l <commands)" -le 8 ] || fail "$(wc -l <commands) commands for 60 items"
