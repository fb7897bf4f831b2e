# shellcheck shell=sh
# Sourced by the shell tests: a fresh folder of their own, and words to fail with. canfar-split is on PATH.
set -eu
for variable in $(env | sed -n 's/^\(REPLICA_[A-Z]*\|SLURM_[A-Z_]*\|OMPI_[A-Z_]*\|PMI_[A-Z]*\|FLUX_[A-Z_]*\|SGE_[A-Z_]*\|PBS_[A-Z_]*\|LSB_[A-Z_]*\|AWS_BATCH_[A-Z_]*\|JOB_COMPLETION_INDEX\)=.*/\1/p'); do
    unset "$variable"
done
LC_ALL=C
LSAN_OPTIONS=suppressions=$(cd "$(dirname "$0")/../lib" && pwd)/lsan.txt:print_suppressions=0
export LC_ALL LSAN_OPTIONS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

skip() { # ctest counts 77 as skipped
    echo "skipped: $*"
    exit 77
}

# code WANTED COMMAND...: runs it, keeps its output in out and err, and fails unless it exits with WANTED
code() {
    wanted=$1
    shift
    got=0
    "$@" >out 2>err || got=$?
    [ "$got" -eq "$wanted" ] || fail "exit $got, not $wanted: $*
$(cat out err)"
}

# says FILE TEXT: the file holds that text
says() {
    grep -qF -e "$2" "$1" || fail "$1 does not say '$2' but:
$(cat "$1")"
}

# count STATE N: so many items of r.run are in that state
count() {
    got=$(canfar-split items r.run --state "$1" -0 | tr -cd '\0' | wc -c)
    [ "$got" -eq "$2" ] || fail "$got items are $1, not $2
$(canfar-split status r.run)"
}

# until_true SECONDS COMMAND...: waits for it to succeed; four times as long on a machine that is busy
until_true() {
    limit=$(($(date +%s) + 4 * $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$limit" ] || fail "waited too long for: $*"
        sleep 0.05
    done
}

# shimmed VARIABLE=VALUE... COMMAND...: runs it with the shim (lib/shim.c), which these variables tell what to do
shimmed() {
    env LD_PRELOAD="$CFSPLIT_SHIM" "$@"
}
