# shellcheck shell=sh disable=SC2154
# Sourced by bench/peers.sh: /bin/true in 2 slots. A tenth of the items where one takes milliseconds.
spawns=$((items / 500 + 20)) tenth=$((items / 5000 + 20))
seq "$spawns" >spawn.list
seq "$tenth" >tenth.list
{
    echo ".PHONY: all $(seq -s ' ' -f 't%.0f' "$spawns")"
    echo "all: $(seq -s ' ' -f 't%.0f' "$spawns")"
    seq -f 't%.0f:; @/bin/true' "$spawns"
} >true.mk

ours_spawn() { # WHO STRATEGY
    rm -rf r.run
    "$tool" plan r.run --replicas 1 --strategy "$2" --weights none --from spawn.list -- /bin/true '{}' 2>said || ours "$1" "$(cat said)"
    timed spawn "$1" "$spawns" "$tool" run r.run --replica 1 -j 2
    whole r.run
}

round_spawn() {
    ours_spawn 'canfar-split, chunk' chunk
    timed spawn 'xargs -P2 -n1' "$spawns" xargs -a spawn.list -P2 -n1 /bin/true
    ours_spawn 'canfar-split, queue' queue
    timed spawn 'make -j2' "$spawns" make -s -j2 -f true.mk
    timed spawn xjobs "$spawns" xjobs -v 0 -j 2 -s spawn.list /bin/true
    # shellcheck disable=SC2046 # words
    timed spawn 'moreutils parallel' "$spawns" parallel.moreutils -j 2 /bin/true -- $(cat spawn.list)
    rm -f joblog
    timed spawn 'GNU parallel' "$tenth" parallel -j2 --joblog joblog -a tenth.list /bin/true
    rm -rf flow
    mkdir flow
    awk '{ printf "x.%d:\n\ttouch x.%d\n\n", $1, $1 }' tenth.list >flow/flow
    timed spawn 'Work Queue' "$tenth" "$top/bench/peers/work-queue.sh" flow
}

say_spawn() {
    say spawn 'canfar-split, chunk' 'items/s' 'each start written before exec, ends synced at least every 100 ms'
    say spawn 'canfar-split, queue' 'items/s' 'the same, handed out by a coordinator, encrypted'
    say spawn 'xargs -P2 -n1' 'items/s' 'nothing on disk'
    say spawn 'make -j2' 'items/s' 'nothing on disk; no file made'
    say spawn xjobs 'items/s' 'nothing on disk'
    say spawn 'moreutils parallel' 'items/s' 'nothing on disk'
    say spawn 'GNU parallel' 'items/s' 'a line of --joblog for each end, not synced'
    say spawn 'Work Queue' 'items/s' 'makeflow -T wq, one worker of 2 cores, on loopback: an empty file made and sent back for each; its log is written, not synced for each; start and end of both included'
}
