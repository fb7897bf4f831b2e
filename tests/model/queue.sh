#!/bin/sh
# model.queue: spin searches the model of the queue's protocol (queue.pml), all of it, and finds nothing wrong; and it does
# find what is wrong when one of the rules is taken away.
#   queue.sh quick|long
model=$(cd "$(dirname "$0")" && pwd)/queue.pml
. "${model%/*}/../lib/run.sh"
size=$1
command -v spin >/dev/null || skip "no spin (Debian package spin)"

# search PAN-DEFINITIONS MODEL-DEFINITION...: searches; what pan says is in `said`
search() {
    how=$1
    shift
    rm -f pan ./*.trail
    spin "$@" -a "$model" >generated || fail "spin $*: $(cat generated)"
    # shellcheck disable=SC2086 # a list of words
    cc -O2 -DSAFETY -DNOFAIR -DMEMLIM=2048 $how -o pan pan.c || fail "the search of $* does not compile"
    ./pan -m1000 -w22 >said 2>&1 || fail "pan $*: $(cat said)"
}

# holds PAN-DEFINITIONS MODEL-DEFINITION...: the whole state space was searched, and holds no error
holds() {
    search "$@"
    shift
    grep -q 'errors: 0$' said || fail "an error is found with $*; spin -t -p shows it:
$(cat said)"
    ! grep -qiE 'max search depth too small|out of memory|memory limit|aborted|incomplete|truncated' said ||
        fail "not all was searched with $*: $(cat said)"
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' said)
    echo "holds: $* ($states states)"
}

# breaks MODEL-DEFINITION...: without that rule an assertion fails
breaks() {
    search "" "$@"
    grep -q '^pan:1: assertion violated' said || fail "nothing is found wrong with $*:
$(cat said)"
    echo "breaks, as it must: $*"
}

# Of each rule that is taken away, which promise is broken: 1 is (a), no item is accepted twice; 4 is (c), nothing is lost.
controls() {
    breaks -DCHECKS=1 -DTROUBLES=2 -DWITHOUT_FENCE
    breaks -DCHECKS=1 -DTROUBLES=2 -DWITHOUT_SEAL
    breaks -DCHECKS=1 -DTROUBLES=2 -DWITHOUT_GIVING_BACK
    breaks -DCHECKS=1 -DTROUBLES=2 -DWITHOUT_BARRIER
    breaks -DCHECKS=1 -DTROUBLES=2 -DWITHOUT_LOOK_AFTER_CLAIM
    breaks -DCHECKS=1 -DTROUBLES=2 -DWITHOUT_IDENTITY_FIRST
    breaks -DCHECKS=4 -DTROUBLES=2 -DWITHOUT_OWN_FENCE
}

case $size in
quick)
    holds "" -DTROUBLES=1
    controls
    ;;
long) # the largest one as a minimized automaton: slower, in a tenth of the memory
    controls
    holds "" -DTROUBLES=2
    holds "" -DTROUBLES=1 -DITEMS=3 -DFIRST_OF_PIECE_1=1
    holds "" -DTROUBLES=1 -DITEMS=3 -DFIRST_OF_PIECE_1=2
    holds -DMA=100 -DTROUBLES=3
    ;;
*) fail "queue.sh quick|long" ;;
esac
