#!/bin/sh
# A small disk fills while two replicas run, at a random moment: each ends its items, says why and exits 5, or had room enough. Then
# room is made, and the run goes on to its end; nothing that was listed done is started again.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
rounds=${1:-5} items=30
seed=${CFSPLIT_TEST_SEED:-$$}
echo "seed $seed, $rounds rounds"
mkdir disk log
mount -t tmpfs -o size=2m tmpfs disk 2>/dev/null || skip "no tmpfs for this user"
trap 'umount "$work/disk"; rm -rf "$work"' EXIT

random() { # sets r to 0..$1-1
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    r=$((seed / 65536 % $1))
}

cat >one.sh <<'EOS'
#!/bin/sh
t="log/$CANFAR_SPLIT_INDEX.$CANFAR_SPLIT_ATTEMPT.$CANFAR_SPLIT_BY"
echo "start $1" >"$t"
head -c "$((CANFAR_SPLIT_INDEX * 7919 % 9000))" /dev/urandom | od -An -tx1
while [ -e hold ] && [ "$1" -gt "$(cat hold)" ]; do sleep 0.02; done
echo "end $1" >>"$t"
EOS
chmod +x one.sh

refused=0
round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    rm -rf disk/* log/*
    random 10
    echo "$((r + 1))" >hold # the first replica stops behind this item, the second at its first
    seq 1 "$items" | code 0 canfar-split plan disk/r.run --strategy chunk --replicas 2 --from - -- ./one.sh {}
    pids=
    for k in 1 2; do
        canfar-split run disk/r.run --replica "$k" 2>"err.$k" &
        pids="$pids $!"
    done
    until_true 60 grep -qx "start $(($(cat hold) + 1))" -r log
    until_true 60 grep -qx "start $((items / 2 + 1))" -r log
    head -c 4m /dev/zero >disk/fill 2>/dev/null || :
    random 16 # some room may be left
    [ "$r" -eq 0 ] || truncate -s "-$((r * 4096))" disk/fill
    rm hold
    k=0
    for pid in $pids; do
        k=$((k + 1))
        got=0
        wait "$pid" || got=$?
        case $got in
        0) ;;
        5)
            refused=$((refused + 1))
            says "err.$k" "No space left on device"
            says "err.$k" "nothing lost: make room and run again"
            ;;
        *) fail "round $round: exit $got: $(cat "err.$k")" ;;
        esac
    done
    canfar-split items disk/r.run --state done | sort >listed
    find log -type f -printf '%f\n' | cut -d . -f 1 | sort | uniq -c | awk '{print $2, $1}' | sort | join listed - >starts
    [ "$(wc -l <starts)" -eq "$(wc -l <listed)" ] || fail "round $round: listed done and never started"
    rm disk/fill
    mount -o remount,size=16m disk
    code 0 canfar-split launch disk/r.run --on local
    code 0 canfar-split verify disk/r.run
    for i in $(seq 1 "$items"); do
        grep -qx "end $i" log/"$i".* || fail "round $round: item $i never ended"
    done
    while read -r i before; do
        [ "$(find log -name "$i.*" | wc -l)" -eq "$before" ] || fail "round $round: item $i was listed done and started again"
    done <starts
    rm -rf disk/*
    mount -o remount,size=2m disk
done
echo "$refused replicas met a full disk"
[ "$refused" -gt 0 ] || fail "the disk was never full"
