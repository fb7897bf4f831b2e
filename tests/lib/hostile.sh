# shellcheck shell=sh
# Sourced by the tests of hostile peers: a run of a queue by two replicas that cannot end before `let_end`, and what must be so
# afterwards.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
descriptors_max=200
memory_max=200000 # KiB, with what a sanitizer takes
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=16
export ASAN_OPTIONS
first='' second=''
trap 'kill -9 $first $second 2>/dev/null || :; wait; rm -rf "$work"' EXIT

# begin N [OPTION...]: replicas 1 and 2 are at N items, planned so; the last 20 of them wait for let_end
begin() {
    items=$1
    shift
    seq 1 "$items" | code 0 canfar-split plan r.run --strategy queue --replicas 2 --network-timeout 10m "$@" --from - -- \
        sh -c 'echo "$1" >>"$0/ran"; [ "$1" -le "$2" ] || until [ -e "$0/go" ]; do sleep 0.05; done; sleep 0.01' \
        "$work" {} $((items - 20))
    canfar-split run r.run --replica 1 --bind 127.0.0.1 -j 2 >1.out 2>&1 &
    first=$!
    until_true 30 test -s r.run/coordinator/epoch-1 # replica 1 leads
    canfar-split run r.run --replica 2 --bind 127.0.0.1 -j 2 >2.out 2>&1 &
    second=$!
    until_true 30 sh -c 'grep -qa "^start" r.run/journal/1-* && grep -qa "^start" r.run/journal/2-*'
    coordinator=$first
}

let_end() {
    : >go
}

# seen_at_least FIELD N: what the coordinator tells of itself comes to that soon; 4 connected, 5 refused, 6 strange, 8 held
seen_at_least() {
    until_true 30 sh -c 'awk -F "\t" -v field="$0" -v least="$1" "NR == 1 { exit !(\$field >= least) }" r.run/coordinator/seen-1' "$@"
}

# bounded: the coordinator's process has not taken more than it may
bounded() {
    memory=$(awk '/^VmHWM/ { print $2 }' "/proc/$coordinator/status")
    [ "$memory" -le "$memory_max" ] || fail "the coordinator took $memory KiB"
    descriptors=$(find "/proc/$coordinator/fd" -mindepth 1 2>/dev/null | wc -l)
    [ "$descriptors" -le "$descriptors_max" ] || fail "the coordinator has $descriptors files open"
}

# ended: both replicas ended well, and each item ran once, in one epoch
ended() {
    wait "$first" || fail "replica 1: exit $?: $(cat 1.out)"
    wait "$second" || fail "replica 2: exit $?: $(cat 2.out)"
    first='' second=''
    code 0 canfar-split verify r.run
    count done "$items"
    seq 1 "$items" >wanted
    sort -n ran | diff - wanted || fail "not every item ran once"
    [ ! -e r.run/coordinator/epoch-2 ] || fail "another one had to lead: $(cat 1.out 2.out)"
}
