#!/bin/sh
# A process dies at a kill point (runtime/base/killpoint.h), others go on, it is started anew: the run ends complete, nothing
# that was listed as done is started again, nothing is left that blocks. The points are those of the sources.
#   kill-points.sh I/N       the I-th of N parts of all points
#   kill-points.sh NAME...   these
# shellcheck source=tests/lib/run.sh
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib/run.sh"

grep -rhoE 'CSI_KILL_POINT[A-Z_]*\("[^"]*"' "$here/../../runtime" --include='*.c' | sed 's/.*("//; s/"$//' | sort >all
[ -s all ] || fail "no kill point in the sources"
case $1 in
*/*) awk -v i="${1%/*}" -v n="${1#*/}" 'NR % n == i % n' all >names ;;
*) printf '%s\n' "$@" >names ;;
esac

# begin COMMAND...: in the background, as process $last
begin() {
    timeout 60 "$@" 2>>err.all &
    last=$!
}

# goes PID: it exits 0
goes() {
    got=0
    wait "$1" 2>/dev/null || got=$?
    [ "$got" -eq 0 ] || fail "$what: exit $got: $(cat err.all)"
}

# dies PID: sets hit to whether it died at the point; otherwise it must have gone as if there were none
dies() {
    got=0
    wait "$1" 2>/dev/null || got=$?
    case $got in
    137) hit=yes died=$((died + 1)) lost=$((lost + slots)) ;;
    "${2:-0}") hit=no ;;
    *) fail "$what: exit $got: $(cat err.all)" ;;
    esac
}

killed() { # COMMAND...: begun, and told to die at the point
    begin env CFSPLIT_KILL_AT="$at" "$@"
}

plan() {
    canfar-split plan r.run --strategy "$strategy" --replicas 2 --retries 1 --reject-exit 65 --stall-after 600ms --takeover-after 900ms \
        --adopt-after 2s --from items -- "$here/one.sh" {} 2>>err.all || fail "$what: plan: $(cat err.all)"
}

list() {
    "$here/check.sh" list r.run >list.out || fail "$what: $(cat list.out err.all)"
}

# Both replicas once more, and then all must be well.
all_well() {
    begin canfar-split run r.run --replica 1
    first=$last
    begin canfar-split run r.run --replica 2
    goes "$first"
    goes "$last"
    canfar-split verify r.run >verify.out || fail "$what: verify: $(cat verify.out err.all)"
    canfar-split status r.run --json | grep -q '"duplicates": 0' || fail "$what: $(canfar-split status r.run --json)"
    "$here/check.sh" judge r.run "$lost" >judge.out || fail "$what: $(cat judge.out err.all)"
    find . -name '.*.plan-*' >left
    [ "$(wc -l <left)" -le "$died" ] || fail "$what: left are $(cat left)"
}

# ---- who dies while doing what

in_plan() {
    killed canfar-split plan r.run --strategy chunk --replicas 2 --retries 1 --reject-exit 65 --stall-after 600ms --takeover-after 900ms \
        --adopt-after 2s --from items -- "$here/one.sh" {}
    dies "$last"
    [ "$hit" = yes ] || return 0
    plan
    all_well
}

# Two replicas that plan and join; one dies.
in_join() {
    set -- canfar-split run --in r.run --strategy chunk --retries 1 --reject-exit 65 --stall-after 600ms --adopt-after 2s --from items
    killed "$@" --replica 1/2 -- "$here/one.sh" {}
    first=$last
    begin "$@" --replica 2/2 -- "$here/one.sh" {}
    goes "$last"
    dies "$first"
    list
    all_well
}

# It died. What comes next depends on the pass.
and_again() {
    list
    case $n in
    2)
        killed canfar-split run r.run --replica 1
        dies "$last"
        hit=yes
        ;;
    3)
        begin canfar-split run r.run --spare
        goes "$last"
        ;;
    esac
    list
    all_well
}

# A replica dies while another is at work; or alone, and again when it is started anew; or before a spare comes.
in_run() {
    plan
    killed canfar-split run r.run --replica 1 -j "$slots"
    first=$last
    if [ "$n" -eq 1 ]; then
        begin canfar-split run r.run --replica 2
        goes "$last"
    fi
    dies "$first"
    [ "$hit" = yes ] || return 0
    and_again
}

# A replica has done its share and waits for another, which has not come.
in_alone() {
    plan
    killed canfar-split run r.run --replica 1 -j "$slots"
    dies "$last"
    [ "$hit" = yes ] || return 0
    list
    all_well
}

# A spare dies while it takes over from two that died with items at work; and the next one, too.
in_takeover() {
    plan
    for k in 1 2; do
        begin env CFSPLIT_KILL_AT=item.started:3 canfar-split run r.run --replica "$k" -j "$slots" --no-adopt
        dies "$last"
        [ "$hit" = yes ] || fail "$what: replica $k lives"
    done
    list
    killed canfar-split run r.run --spare
    dies "$last"
    [ "$hit" = yes ] || return 0
    list
    killed canfar-split run r.run --spare
    dies "$last"
    hit=yes
    list
    all_well
}

# Who coordinates the queue dies while another is at work; or alone, and again when it is started anew; or before a spare comes.
in_queue() {
    strategy=queue
    plan
    killed canfar-split run r.run --replica 1 -j "$slots"
    first=$last
    if [ "$n" -eq 1 ]; then
        until_true 30 test -e r.run/coordinator/epoch-1
        begin canfar-split run r.run --replica 2
        goes "$last"
    fi
    dies "$first"
    [ "$hit" = yes ] || return 0
    and_again
}

# Who coordinates died with items at work; the next one dies while it takes that over, and the one after that.
in_succession() {
    strategy=queue
    plan
    begin env CFSPLIT_KILL_AT=item.started:3 canfar-split run r.run --replica 1 -j "$slots"
    dies "$last"
    [ "$hit" = yes ] || fail "$what: the first coordinator lives"
    list
    killed canfar-split run r.run --replica 2 -j "$slots"
    dies "$last"
    [ "$hit" = yes ] || return 0
    list
    killed canfar-split run r.run --spare
    dies "$last"
    hit=yes
    list
    all_well
}

# Who does not reach the queue goes on alone and dies, while another coordinates; or after one that died.
in_fallback() {
    strategy=queue
    plan
    if [ "$n" -eq 1 ]; then
        begin canfar-split run r.run --replica 2 -j "$slots"
        first=$last
    fi
    killed canfar-split run r.run --replica 1 --network-timeout 0 -j "$slots"
    dies "$last"
    [ "$n" -ne 1 ] || goes "$first"
    [ "$hit" = yes ] || return 0
    list
    killed canfar-split run r.run --spare --network-timeout 0
    dies "$last"
    hit=yes
    list
    all_well
}

# Items are added while a replica is at work, and by two at a time.
in_extend() {
    plan
    printf '%s\n' ok.5 twice.3 no.3 >>items
    begin canfar-split run r.run --replica 1
    first=$last
    killed canfar-split plan r.run --extend --from items
    dies "$last"
    [ "$hit" = yes ] || goes "$first"
    [ "$hit" = yes ] || return 0
    begin canfar-split plan r.run --extend --from items
    second=$last
    begin canfar-split plan r.run --extend --from items
    goes "$second"
    goes "$last"
    goes "$first"
    all_well
}

in_retry() {
    echo bad.1 >>items
    plan
    begin canfar-split launch r.run --on local
    dies "$last" 1
    list
    : >mended
    killed canfar-split retry r.run
    dies "$last"
    [ "$hit" = yes ] || return 0
    canfar-split retry r.run 2>>err.all || fail "$what: the second retry: $(cat err.all)"
    all_well
}

in_stop() {
    plan
    : >hold
    begin canfar-split run r.run --replica 1
    first=$last
    until_true 30 test -e attempts/ok.1
    killed canfar-split stop r.run
    dies "$last"
    canfar-split stop r.run 2>>err.all || fail "$what: the second stop: $(cat err.all)"
    until_true 30 grep -q "told to stop" err.all
    rm hold
    stopped=0
    wait "$first" || stopped=$?
    [ "$stopped" -eq 75 ] || fail "$what: the one that was stopped: exit $stopped: $(cat err.all)"
    list
    all_well
}

# ---- which points can be met where

scenes() {
    case $1 in
    plan.*) echo plan join ;;
    file.*) echo plan extend run takeover retry stop ;;
    publish.*) echo run takeover retry stop ;;
    order.*) echo retry stop ;;
    claim.caretaker) echo alone ;;
    extend.*) echo extend ;;
    fence.* | seal.*) echo takeover succession ;;
    adopt.*) echo takeover ;;
    queue.alone) echo fallback ;;
    queue.coordinator-lost) echo succession ;;
    queue.*) echo queue succession ;;
    claim.* | ends.*) echo run takeover queue ;;
    identity.* | journal.* | beat.* | output.* | item.*) echo run takeover ;;
    *) fail "$1: nobody knows where this point is met: see scenes() in $0" ;;
    esac
}

# play SCENE: in a folder of its own
play() {
    mkdir scene
    cd scene
    printf '%s\n' ok.1 no.1 twice.1 ok.2 ok.3 twice.2 no.2 ok.4 >items
    : >listed
    : >err.all
    mkdir attempts
    died=0 lost=0 hit=no slots=2 strategy=chunk
    case $name in
    beat.*) : >slow ;;                            # the beat's thread has a turn, too
    journal.zeros-* | journal.reserved) slots=40 ;; # so many ends need more room than a new journal has
    esac
    "in_$1"
    cd ..
    until_true 30 rm -rf scene # what the dead had started may still be ending
}

while read -r name; do
    passes=0
    for scene in $(scenes "$name"); do
        for n in 1 2 3; do
            at=$name:$n what="$name, pass $n, $scene"
            case $name in
            queue.piece-claimed) ;;
            queue.*) at=$name ;; # these are passed once
            esac
            play "$scene"
            [ "$hit" = yes ] || break
            passes=$((passes + 1))
        done
    done
    echo "$name: died $passes times"
    [ "$passes" -gt 0 ] || fail "$name: nobody came by"
done <names
