#!/bin/sh
# --keep, when commands die: of an item, of nothing, of all items, and of breaking the rules.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"

# One poison item and 63 innocents: it ends its command four times, three of them alone, and is set aside.
cat >poison.sh <<'EOF2'
#!/bin/sh
while read -r item; do
    echo "$item" >>"started.$item"
    [ "$item" != 7 ] || kill -9 $$
    echo done
done
EOF2
chmod +x poison.sh
seq 1 64 | code 0 canfar-split plan r.run --replicas 1 --strategy chunk --keep --from - -- ./poison.sh
code 1 canfar-split run r.run --replica 1 -j 4
says err "'7' ended its command (attempt 1; tried again last and alone, up to --crash-limit): ended by signal 9 (KILL)"
says err "(attempt 4; tried again last and alone, up to --crash-limit): "
says err "'7' is set aside: it ended its replica or command 3 times while it ran alone"
says err "63 done, 0 rejected, 0 failed, 1 set aside"
says err "1 item was set aside; see: canfar-split items r.run --state set-aside --why"
[ "$(wc -l <started.7)" -eq 4 ] || fail "the poison was started $(wc -l <started.7) times"
for i in $(seq 1 64); do
    [ "$i" -eq 7 ] || [ "$(wc -l <"started.$i")" -eq 1 ] || fail "item $i was started $(wc -l <"started.$i") times"
done
code 1 canfar-split verify r.run
says out "set-aside: '7'"
says out "63 done, 1 set-aside"
code 0 canfar-split run r.run --replica 1 # nothing is left to do
[ "$(wc -l <started.7)" -eq 4 ] || fail "what is set aside was started"

# Others fail besides: both are named.
rm -rf r.run started.*
cat >both.sh <<'EOF2'
#!/bin/sh
while read -r item; do
    [ "$item" != 7 ] || kill -9 $$
    echo "failed no good"
done
EOF2
chmod +x both.sh
seq 6 8 | code 0 canfar-split plan r.run --replicas 1 --strategy chunk --keep --from - -- ./both.sh
code 1 canfar-split run r.run --replica 1
says err "2 items failed, 1 was set aside; see: canfar-split items r.run --state failed --why; canfar-split items r.run --state set-aside --why"

# The poison comes first, in the only slot: it is not the command that is at fault.
rm -rf r.run started.*
seq 7 12 | code 0 canfar-split plan r.run --replicas 1 --strategy chunk --keep --from - -- ./poison.sh
code 1 canfar-split run r.run --replica 1
count done 5
count set-aside 1

# The poison is all there is: it is set aside as any other.
rm -rf r.run started.*
code 0 canfar-split plan r.run --replicas 1 --strategy chunk --keep 7 -- ./poison.sh
code 1 canfar-split run r.run --replica 1
count set-aside 1
[ "$(wc -l <started.7)" -eq 4 ] || fail "the poison was started $(wc -l <started.7) times"

# A command that can't start at all takes no item: it is tried three times, and no item is charged.
rm -rf r.run started.*
printf '#!/bin/sh\necho x >>lives\necho "ImportError: no astropy" >&2\nexit 1\n' >broken.sh
chmod +x broken.sh
seq 1 8 | code 0 canfar-split plan r.run --replicas 1 --strategy chunk --keep --crash-limit 1 --from - -- ./broken.sh
for life in 1 2 3; do
    rm -f lives
    code 2 canfar-split run r.run --replica 1
    says err "the command ends before it takes an item (exit 1): ImportError: no astropy; nothing more is started"
    [ "$(wc -l <lives)" -eq 3 ] || fail "life $life: it was started $(wc -l <lives) times"
    count pending 8
done
code 2 canfar-split run r.run --replica 1 -j 4
count pending 8
canfar-split explain r.run 1 >out
says out "stopped (exit 1)"
cp poison.sh broken.sh
sed -i 's/= 7/= none/' broken.sh
code 0 canfar-split run r.run --replica 1
code 0 canfar-split verify r.run

# One that dies of every item: stopped after three, and none is charged, though they are tried last from now on.
rm -rf r.run
printf '#!/bin/sh\nread -r x\necho "Segfault in $x" >&2\nexit 3\n' >all.sh
chmod +x all.sh
seq 1 8 | code 0 canfar-split plan r.run --replicas 1 --strategy chunk --keep --crash-limit 1 --from - -- ./all.sh
code 2 canfar-split run r.run --replica 1
says err "the command died of its first 3 items and has not answered any (exit 3): Segfault in 3; nothing more is started"
count pending 8
code 2 canfar-split run r.run --replica 1
says err "Segfault in 6"
cp broken.sh all.sh
code 0 canfar-split run r.run --replica 1
code 0 canfar-split verify r.run

# One that exits after each item is started anew without a word; one that fails then says so.
rm -rf r.run
printf '#!/bin/sh\nread -r x\necho done\nexit "$(cat code)"\n' >one.sh
chmod +x one.sh
echo 0 >code
seq 1 8 | code 0 canfar-split plan r.run --replicas 1 --strategy chunk --keep --from - -- ./one.sh
code 0 canfar-split run r.run --replica 1
grep -q 'ended' err && fail "$(cat err)"
count done 8
rm -rf r.run
echo 3 >code
code 0 canfar-split plan r.run --replicas 1 --strategy chunk --keep a -- ./one.sh
code 0 canfar-split run r.run --replica 1
says err "a command without an item ended (exit 3)"
count done 1

# Against the rules: garbage without a line's end, a closed stdout, answers without items.
rm -rf r.run
cat >rules.sh <<'EOF2'
#!/bin/sh
while read -r item; do
    case $item in
    garbage) head -c 100000 /dev/zero | tr '\0' g; exit 4 ;;
    closed) exec >&-; sleep 1000 ;;
    huge) head -c 30000000 /dev/zero | tr '\0' h; echo; echo done ;;
    twice) echo done; echo done ;;
    *) echo done ;;
    esac
done
EOF2
chmod +x rules.sh
code 0 canfar-split plan r.run --replicas 1 --strategy chunk --keep --crash-limit 1 --output-limit 1000 \
    a garbage b closed c huge d twice e -- ./rules.sh
code 1 canfar-split run r.run --replica 1
count done 7
count set-aside 2
says err "'closed' ended its command (attempt 1; tried again last and alone, up to --crash-limit): ended by signal 9 (KILL): it closed its stdout"
says err "'garbage' ended its command (attempt 1; tried again last and alone, up to --crash-limit): the command ended without an answer (exit 4): ggggg"
canfar-split log r.run huge | wc -c >out
[ "$(cat out)" -lt 1200 ] || fail "$(cat out) bytes are kept"
