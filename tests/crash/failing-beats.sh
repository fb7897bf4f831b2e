#!/bin/sh
# A replica that can no longer say that it is alive starts no more: what runs ends and counts, it exits 5 and says why, and does not
# try that file again. Without the fault the run goes on to its end.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
mkdir disk
cat >one.sh <<'EOS'
#!/bin/sh
while [ -e hold ]; do sleep 0.05; done
echo "$1" >>did
EOS
chmod +x one.sh
for fault in write:1:ENOSPC write:3:EIO write:2:EDQUOT:torn sync:1:EIO sync:2:EIO sync:4:ENOSPC; do
    rm -rf disk/r.run did calls
    : >hold
    code 0 canfar-split plan disk/r.run --strategy chunk --replicas 1 --stall-after 3s a b c -- ./one.sh {}
    shimmed SHIM_ROOT="$work/disk" SHIM_ONLY=/beat/ SHIM_LOG="$work/calls" SHIM_FAIL="$fault" \
        canfar-split run disk/r.run --replica 1 >out 2>err &
    replica=$!
    until_true 60 grep -q "^${fault%%:*} .* E" calls # it has failed
    rm hold
    got=0
    wait "$replica" || got=$?
    [ "$got" -eq 5 ] || fail "$fault: exit $got: $(cat err)"
    says err "cannot write the beat"
    case $fault in
    *EIO*) says err "nothing lost: run again when the storage is well" ;;
    *) says err "nothing lost: make room and run again" ;;
    esac
    [ "$(sed -n '/ E[A-Z]* /,$p' calls | grep -c "^[ws]")" -eq 1 ] || fail "$fault: the file was tried again: $(cat calls)"
    # the one that ran, and perhaps one that was being started just then
    started=$(cat did 2>/dev/null | wc -l)
    [ "$started" -le 2 ] || fail "$fault: $started were started"
    [ "$(canfar-split items disk/r.run --state done | wc -l)" -eq "$started" ] || fail "$fault: what ran does not count"
    code 0 canfar-split run disk/r.run --replica 1
    code 0 canfar-split verify disk/r.run
    [ "$(sort did | uniq | wc -l)" -eq 3 ] && [ "$(wc -l <did)" -eq 3 ] || fail "$fault: $(cat did)"
done
