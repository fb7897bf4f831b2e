#!/bin/sh
# failing-calls.sh COMMAND [KIND...]: for every n the n-th call of a kind fails, in one replica of two or in one command. That
# succeeds, or exits 5 and says why; nothing is lost, and without the fault the run goes on to its end.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
command=$1
shift
kinds=${*:-write sync link rename close create}
: >mended
mkdir disk log
cd disk
disk=$PWD

cat >../one.sh <<'EOS'
#!/bin/sh
t="../log/$CANFAR_SPLIT_INDEX.$CANFAR_SPLIT_ATTEMPT.$CANFAR_SPLIT_BY"
echo "start $1" >"$t"
[ ! -e ../deadly ] || kill -9 "$PPID"
[ "$1" != 2 ] || [ -e ../mended ] || exit 1
echo "end $1" >>"$t"
EOS
chmod +x ../one.sh

strategy=chunk
plan() {
    seq 1 6 | "$@" canfar-split plan r.run --strategy "$strategy" --replicas 2 --adopt-after 500ms --from - -- ../one.sh {}
}

# ---- each command: what stands before it, the command with the shim before it, and what must be true after it

before_plan() { :; }
do_plan() {
    plan shimmed "$@"
}
after_plan() {
    if [ "$got" -eq 5 ] && [ ! -e r.run ]; then # a plan is there whole or not at all
        [ -z "$(ls -A)" ] || fail "left over: $(ls -A)"
    fi
    plan >../plan.out 2>&1 || fail "to plan again: $(cat ../plan.out)"
    [ "$(ls -A)" = r.run ] || fail "left over: $(ls -A)"
}

before_run() {
    plan 2>../plan.err
}
do_run() {
    canfar-split run r.run --replica 2 >../other 2>&1 &
    other=$!
    code=0
    shimmed "$@" canfar-split run r.run --replica 1 || code=$?
    wait "$other" || fail "the other replica: $(cat ../other)"
    return "$code"
}
after_run() {
    canfar-split items r.run --state done >../listed
    while read -r i; do
        grep -qx "end $i" ../log/"$i".* || fail "item $i is listed done and never ended"
    done <../listed
    find ../log -type f -printf '%f\n' | cut -d . -f 1 | sort | uniq -c | awk '{print $2, $1}' | sort >../starts
    sort ../listed | join - ../starts >../listed.starts
}

# What stands there is what a killed replica left: it is ended, and its item is run again.
# The same where what is left is nobody's share.
before_blocks() {
    strategy=blocks
    before_run
}
do_blocks() { do_run "$@"; }
after_blocks() { after_run; }

before_extend() {
    plan 2>../plan.err
}
do_extend() {
    seq 1 9 | shimmed "$@" canfar-split plan r.run --extend --from -
}
after_extend() {
    seq 1 9 | canfar-split plan r.run --extend --from - >../extend.out 2>&1 || fail "to extend again: $(cat ../extend.out)"
    [ "$(canfar-split items r.run --state pending | sort -u | wc -l)" -eq 9 ] || fail "$(canfar-split items r.run --state pending)"
    [ "$(canfar-split items r.run --state pending | wc -l)" -eq 9 ] || fail "added twice"
    after_run
}

before_takeover() {
    plan 2>../plan.err
    : >../deadly
    canfar-split run r.run --replica 1 >../killed 2>&1 && fail "it was not killed"
    rm ../deadly
}
do_takeover() {
    do_run "$@"
}
after_takeover() {
    after_run
}

before_retry() {
    rm ../mended
    plan 2>../plan.err
    for k in 1 2; do canfar-split run r.run --replica "$k" 2>../run.err || :; done
    : >../mended
}
do_retry() {
    shimmed "$@" canfar-split retry r.run
}
after_retry() {
    if [ "$got" -eq 5 ]; then
        canfar-split retry r.run >../retry.out 2>&1 || fail "to retry again: $(cat ../retry.out)"
    fi
}

before_stop() {
    before_run
}
do_stop() {
    shimmed "$@" canfar-split stop r.run
}
after_stop() {
    [ "$got" -eq 5 ] || [ -e r.run/stop/1 ] || fail "no order was given"
    [ -z "$(find r.run -name '.tmp-*')" ] || fail "left over: $(find r.run -name '.tmp-*')"
}

before_verify() {
    before_run
    for k in 1 2; do canfar-split run r.run --replica "$k" 2>../run.err; done
}
do_verify() {
    shimmed "$@" canfar-split verify r.run
}
after_verify() { :; }

# ---- one fault

restore() {
    rm -rf r.run .r.run* ../log
    [ ! -e ../base ] || cp -a ../base r.run
    cp -a ../base.log ../log
    : >../calls
    : >../listed.starts
}

# A file whose sync failed is not synced again: the kernel may have thrown away what it could not write, and say nothing. Who
# reads another's journal has it read from the disk then.
syncs_are_sound() {
    awk '$1 == "create" { own[$4] = 1 }
         $1 == "sync" && failed[$4] && (own[$4] || $4 !~ "/journal/") { print "synced again: " $4; bad = 1 }
         $1 == "sync" { failed[$4] = $3 != "ok" }
         END { exit bad }' ../calls
}

# Who wrote what counts and could not may not call it a success. What is printed is no proof, nor is the last beat; who closes
# what was only read has lost nothing; and whoever has the name, not what link answered, decides.
may_succeed() {
    awk '$1 == "write" { written[$4] = 1 }
         $3 != "ok" && $1 != "link" && $4 !~ "/(beat|output)/" && ($1 != "close" || written[$4]) { print; bad = 1 }
         END { exit bad }' ../calls
}

finish() {
    for k in 1 2; do
        canfar-split run r.run --replica "$k" >../again 2>&1 || fail "running again: $(cat ../again)"
    done
    canfar-split verify r.run >../verify.out 2>&1 || fail "$(cat ../verify.out)"
    for i in 1 2 3 4 5 6; do
        grep -qx "end $i" ../log/"$i".* || fail "item $i never ended"
    done
    while read -r i starts; do
        [ "$(find ../log -name "$i.*" | wc -l)" -eq "$starts" ] || fail "item $i was listed done and started again"
    done <../listed.starts
}

sentence() {
    case $1 in
    ENOSPC*) echo "No space left on device" ;;
    EDQUOT*) echo "Disk quota exceeded" ;;
    EIO*) echo "Input/output error" ;;
    esac
}

tries=0
refused=0
try() { # SHIM_FAIL's value
    what="$command, $1"
    tries=$((tries + 1))
    restore
    got=0
    "do_$command" SHIM_ROOT="$disk" SHIM_LOG="$disk/../calls" SHIM_FAIL="$1" >../out 2>../err || got=$?
    case $got in
    0) may_succeed >../sound || fail "$what: exit 0: $(cat ../sound)" ;;
    5)
        refused=$((refused + 1))
        ! grep -q "[^[:print:]]" ../err || fail "$what: says $(cat ../err)"
        grep -q "^canfar-split: .*$(sentence "${1##*[0-9+]:}")" ../err || fail "$what: does not say why: $(cat ../err)"
        ;;
    *) fail "$what: exit $got: $(cat ../out ../err)" ;;
    esac
    syncs_are_sound >../sound || fail "$what: $(cat ../sound)"
    "after_$command"
    finish
}

fail() {
    echo "FAILED: ${what-}: $*" >&2
    cat ../err >&2
    exit 1
}

"before_$command"
[ ! -e r.run ] || cp -a r.run ../base
cp -a ../log ../base.log
total=0
for kind in $kinds; do
    restore
    what="$command without a fault"
    "do_$command" SHIM_ROOT="$disk" SHIM_LOG="$disk/../calls" >../out 2>../err || fail "$(cat ../err)"
    last=$(grep -c "^$kind " ../calls || :)
    total=$((total + last))
    n=0
    tries=0
    refused=0
    while [ "$n" -lt "$last" ]; do
        n=$((n + 1))
        # a hiccup, a disk that stays full, and one that takes half of what is written
        set -- "$n:EIO" "$n+:ENOSPC" "$n:EDQUOT:torn"
        [ "$n" -le 40 ] || { shift $((n % 3)) && set -- "$1"; }
        for fault; do try "$kind:$fault"; done
    done
    echo "$command: $last calls of $kind, $tries faults, $refused ended with 5"
done
[ "$total" -gt 0 ] || fail "no call was ever counted"
