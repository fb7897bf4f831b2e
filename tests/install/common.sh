# shellcheck shell=sh
# Sourced by the tests of software that uses what is installed in $prefix: sees it as a user of it does, and runs it.
# shellcheck source=tests/lib/run.sh
. "${here:?}/../lib/run.sh"
[ -d "${prefix:?}" ] || fail "there is no $prefix: the test install.prefix makes it"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name cfsplit.pc)")
export PKG_CONFIG_PATH
unset LD_LIBRARY_PATH

# works PROGRAM: it splits, and it is a replica of a run
works() {
    rm -rf r.run
    code 0 canfar-split plan r.run --strategy stripe --replicas 1 a b c
    code 0 env REPLICA_ID=1 REPLICA_COUNT=1 "$1" r.run
    says out "a c"
    code 0 canfar-split verify r.run
    says out "3 of 3 items accounted for: 3 done"
}

# needs PROGRAM: its libraries, one a line
needs() {
    readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'
}
