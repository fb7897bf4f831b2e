#!/bin/sh
# The disk is full: nothing is lost, the replica says why and exits 5; with room again, running again ends the run.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
mkdir disk
mount -t tmpfs -o size=1m tmpfs disk 2>/dev/null || skip "no tmpfs for this user"
trap 'umount "$work/disk"; rm -rf "$work"' EXIT
cat >one.sh <<'EOF'
#!/bin/sh
echo x >>"did.$1"
head -c 30000 /dev/urandom | od -An -tx1
EOF
chmod +x one.sh
seq 1 200 | code 0 canfar-split plan disk/r.run --replicas 2 --strategy chunk --from - -- ./one.sh {}
code 5 canfar-split run disk/r.run --replica 1
says err "No space left on device"
says err "nothing lost: make room and run again"
done_before=$(canfar-split items disk/r.run --state done | wc -l)
[ "$done_before" -gt 0 ] || fail "nothing was done before the disk was full"
# what was started has ended and counts, full disk or not
[ "$(ls did.* | wc -l)" -eq "$done_before" ] || fail "$(ls did.* | wc -l) were started, $done_before are done"
code 1 canfar-split verify disk/r.run
says out "pending"
canfar-split items disk/r.run --state done >listed
mount -o remount,size=64m disk
code 0 canfar-split launch disk/r.run --on local
code 0 canfar-split verify disk/r.run
while read -r i; do
    [ "$(wc -l <"did.$i")" -eq 1 ] || fail "item $i was listed done and started again"
done <listed
[ "$(cat did.* | wc -l)" -eq 200 ] || fail "$(cat did.* | wc -l) starts of 200 items"
# no room for a plan at all
mount -o remount,size=64m disk
head -c 70000000 /dev/zero >disk/fill 2>/dev/null || :
code 5 canfar-split plan disk/s.run --replicas 2 --strategy chunk a b -- true
[ ! -e disk/s.run ] || fail "half a plan was left"
