# shellcheck shell=sh
# Sourced by the tests of a queue over a bad network, after run.sh: namespaces and the relay between them (lib/relay.c). Skips the test where
# there can be none. Who starts a replica closes descriptor 3 for it (3>&-): the relay ends when nobody can tell it anything more.
if [ "$(id -u)" -ne 0 ] || ! command -v ip >/dev/null || ! unshare --net true 2>/dev/null; then
    skip "network namespaces are for root"
fi
[ -e /dev/net/tun ] || skip "no tun device here"
net=cr$$
subnet=10.198.$(($$ % 250)) # the address of the K-th namespace is $subnet.K
ends='' relay=''

# network_lay K...: those namespaces, $net-K
network_lay() {
    for end in "$@"; do
        ip netns add "$net-$end" || skip "no network namespaces here"
        ends="$ends $end"
        ip netns exec "$net-$end" true 2>err || skip "nothing runs in a network namespace here: $(cat err)"
        ip -n "$net-$end" tuntap add dev relay mode tun || skip "no tun device here"
        ip -n "$net-$end" link set lo up
        ip -n "$net-$end" addr add "$subnet.$end/24" dev relay
        ip -n "$net-$end" link set relay mtu 400 up # so that most frames are cut somewhere
    done
}

# network_remove: to be called at the end, when nobody uses it any more
network_remove() {
    [ -z "$relay" ] || kill -9 "$relay" 2>/dev/null || :
    for end in $ends; do ip netns del "$net-$end" 2>/dev/null || :; done
}

# network_begin SEED RULE: with that rule for all
network_begin() {
    rm -f told
    mkfifo told
    # shellcheck disable=SC2046 # words
    relay "$1" $(printf "$net-%s " $ends) <told >relay.out 2>relay.err &
    relay=$!
    exec 3>told
    network_rule "* * $2"
}

# network_rule RULE: FROM TO WORD NUMBER...
network_rule() {
    echo "$1" >&3
}

# network_end: in relay.out stands what it did
network_end() {
    exec 3>&-
    wait "$relay" || fail "the relay exits $?: $(cat relay.err)"
    relay=''
}

# network_did FILE WORD...: each of these is a part of what a relay did, by a line of FILE at least
network_did() {
    file=$1
    shift
    for word in "$@"; do
        awk -v word="$word" '{ for (i = 1; i < NF; i++) if ($i == word && $(i + 1) > 0) found = 1 } END { exit !found }' "$file" ||
            fail "nothing was $word: $(cat "$file")"
    done
}
