# shellcheck shell=sh
# Sourced by the tests of the static program: a queue of two replicas in a root folder of its own, as a user that nobody knows.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"

# inside PROGRAM...: in $work/root, as a user without a name
inside() {
    chroot --userspec=4242:4243 "$work/root" "$@"
}

# replica K: of /data/r.run, which it has to reach over the network
replica() {
    REPLICA_ID=$1 REPLICA_COUNT=2 inside /canfar-split run /data/r.run --bind 127.0.0.1
}

# queue_works ITEMS COMMAND...: two replicas do items 1..ITEMS of a queue, over TCP, with encryption as ever
queue_works() {
    items=$1
    shift
    [ "$(id -u)" -eq 0 ] || skip "only root may enter a root folder"
    mkdir -p root/data
    chown 4242:4243 root/data
    cp "${program:?}" root/canfar-split
    # shellcheck disable=SC2046 # a list of words
    code 0 inside /canfar-split plan /data/r.run --strategy queue --no-fallback --weights none --replicas 2 \
        $(seq "$items") -- "$@"
    replica 1 2>err.1 &
    code 0 replica 2
    wait $! || fail "replica 1: $(cat err.1)"
    code 0 inside /canfar-split verify /data/r.run
    says out "complete: $items of $items items accounted for: $items done"
    code 0 inside /canfar-split status /data/r.run
    says out "handed out the items"
    says out "2 expected, 2 came"
    epoch=root/data/r.run/coordinator/epoch-1
    grep -q "^address.tcp://127\.0\.0\.1:[0-9]*$" "$epoch" || fail "no numeric address: $(cat "$epoch")"
    [ "$(stat -c %u:%g "$epoch")" = 4242:4243 ] || fail "not done by the user that nobody knows"
    code 2 inside /canfar-split run /data/r.run --replica 1/2 --bind localhost
    says err "numeric address"
}
