#!/bin/sh
# --keep: a command is started once a slot, has its items on stdin and answers on stdout.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >loop.sh <<'EOF2'
#!/bin/sh
echo "$$" >>starts
while IFS= read -r item; do
    printf '%s\n' "$item" >>items
    echo "out of $item"
    echo "err of $item" >&2
    case $item in
    bad) echo "failed KeyError: 'EXPTIME'" ;;
    second) if [ -e was.second ]; then echo done; else echo "failed not yet"; : >was.second; fi ;;
    spectrum) echo "rejected no image in it" ;;
    mute) echo failed ;;
    *) echo done ;;
    esac
done
echo over >>ends
EOF2
chmod +x loop.sh
code 0 canfar-split plan r.run --replicas 1 --strategy chunk --retries 1 --keep good bad second spectrum mute last -- ./loop.sh
code 1 canfar-split run r.run --replica 1
says err "'bad' failed (exit 1, attempt 1 of 2): KeyError: 'EXPTIME'"
says err "'second' failed (exit 1, attempt 1 of 2): not yet"
says err "'mute' failed (exit 1, attempt 2 of 2): err of mute"
[ "$(wc -l <starts)" -eq 1 ] || fail "started $(wc -l <starts) times"
[ "$(cat ends)" = over ] || fail "the command did not see the end of its items"
count done 3
count failed 2
count rejected 1
canfar-split items r.run --state failed --why >out
printf "bad\tKeyError: 'EXPTIME'\nmute\terr of mute\n" | cmp - out || fail "$(cat out)"
canfar-split items r.run --state rejected --why >out
printf 'spectrum\tno image in it\n' | cmp - out || fail "$(cat out)"
canfar-split log r.run last | sort >out
printf 'err of last\nout of last\n' | cmp - out || fail "$(cat out)"

# so many commands as slots, at most; names of any bytes, but for one that is two lines
rm -f starts items
tab=$(printf '\t')
odd=$(printf 'a\377\376\r.fits')
printf '%s\0' 'a b' "it's" '"q"' "c${tab}d" "$odd" ' lead and trail ' '-dash' 'back\slash' '$(x)' '*' 'two
lines' >names
code 0 canfar-split plan n.run --replicas 1 --strategy chunk -0 --from names -- ./loop.sh
code 1 canfar-split run n.run --replica 1 -j 3 --keep
says err "failed (exit 1, attempt 1 of 1): not started: there is a newline in its name, and --keep without -0 gives one line an item"
[ "$(wc -l <starts)" -le 3 ] || fail "started $(wc -l <starts) times"
canfar-split items n.run --state done | sort >done
sort items | cmp - done || fail "other items: $(cat -A items)"
[ "$(wc -l <done)" -eq 10 ] || fail "$(wc -l <done) items are done"

# what it finds around it
cat >show.sh <<'EOF2'
#!/bin/sh
env | grep -E '^(CANFAR_SPLIT|REPLICA)_' | grep -v _BY | sort >found
grep -q . /proc/$$/environ && env | grep -q '^CANFAR_SPLIT_BY=2-' && echo "$*" >>found
pwd >>found
while read -r item; do echo done; done
EOF2
chmod +x show.sh
mkdir elsewhere
code 0 canfar-split plan e.run --replicas 2 --strategy chunk --keep a b -- ./show.sh 'one word' two
(cd elsewhere && REPLICA_ID=2 REPLICA_COUNT=2 CANFAR_SPLIT_ITEM=x canfar-split run ../e.run --no-adopt 2>/dev/null)
cat >wanted <<EOF2
CANFAR_SPLIT_KEEP=1
REPLICA_COUNT=2
REPLICA_ID=2
one word two
$(pwd -P)
EOF2
diff wanted found || fail "other surroundings"

# launch passes it on; a shell line may be kept, too; the one-shot passes on what items print
code 0 canfar-split plan l.run --replicas 2 --strategy stripe a b c d -- ./loop.sh
code 0 canfar-split launch l.run --on local --keep -j 1
says err "complete: 4 of 4 items accounted for: 4 done"
code 0 canfar-split launch l.run --on slurm --check --keep -0
[ "$(grep -c -e ' --keep --null$' out)" -eq 1 ] || fail "$(cat out)"
code 0 canfar-split run -j 1 --shell --keep a b -- "while read -r x; do echo \"hello \$x\"; echo done; done"
printf 'hello a\nhello b\n' | cmp - out || fail "$(cat out)"

# what makes no sense with it is refused, before anything is planned or started
code 2 canfar-split plan x.run --replicas 1 --keep a b -- ./loop.sh {/.}
says err "{/.} has no place in a command that is kept (--keep): its items come on its stdin"
[ ! -e x.run ] || fail "it was planned"
code 2 canfar-split plan x.run --replicas 1 --keep --reject-exit 65 a b -- ./loop.sh
says err "--reject-exit is about exit codes"
code 0 canfar-split plan x.run --replicas 1 --weights none a b -- ./loop.sh {}
code 2 canfar-split run x.run --replica 1 --keep
says err "{} has no place in a command that is kept (--keep): its items come on its stdin (no item was started)"
count_of() { canfar-split items "$1" --state "$2" | wc -l; }
[ "$(count_of x.run pending)" -eq 2 ] || fail "something was started"
code 0 canfar-split plan y.run --replicas 1 --weights none --keep a b -- ./missing.sh
code 2 canfar-split run y.run --replica 1
says err "cannot run './missing.sh'"
