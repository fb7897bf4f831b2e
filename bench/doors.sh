# shellcheck shell=sh
# Sourced in place of common.sh by scripts that measure a queue (bench_queue): through the in-process door, and with a crowd of workers.
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
queue=$build/bin/bench_queue
built "$queue"

plan() { # RUN ITEMS REPLICAS OPTION...
    rm -rf "$1"
    run=$1 count=$2 replicas=$3
    shift 3
    seq -f 'data/image-%08.0f.fits' "$count" |
        "$tool" plan "$run" --replicas "$replicas" --strategy queue --weights none --from - "$@" 2>said || { cat said >&2; exit 1; }
}
# whole RUN: or it is no measurement
whole() {
    "$tool" verify "$1" >verified 2>&1 || { cat verified >&2; exit 1; }
}
# two_doors RUN: what two replicas at once took, in the file both
two_doors() {
    "$queue" door "$1" 1 >door.1 &
    other=$!
    "$queue" door "$1" 2 >door.2
    wait "$other"
    whole "$1"
    cat door.1 door.2 | awk -F '\t' '
        $1 == "began" && $2 > 0 && (!from || $2 < from) { from = $2 }
        $1 == "ended" && $2 > to { to = $2 }
        $1 == "done" { done += $2 }
        $1 == "cpu_us" { cpu += $2 }
        END { printf "rate\t%.0f\ncpu_us\t%.2f\n", done * 1e6 / (to - from), cpu / done }' >both
}
# divide A B [FORMAT]
divide() {
    awk -v a="$1" -v b="$2" -v format="${3:-%.2f}" 'BEGIN { printf format "\n", a / b }'
}
# has PATTERN TEXT: waits until a file of that name has it
has() {
    tries=0
    # shellcheck disable=SC2086 # a pattern
    until grep -qs "$2" $1; do
        tries=$((tries + 1))
        [ "$tries" -le 600 ] || { echo "nothing has come of $1" >&2; exit 1; }
        sleep 0.05
    done
}
# coordinates RUN: waits until somebody does
coordinates() {
    has "$1/coordinator/epoch-1" .
}
# crowd RUN ITEMS WORKERS IDLE-S [ITEM-MS]: what a crowd took, in crowd.said, and its coordinator, in lead.said
crowd() {
    plan "$1" "$2" "$3"
    "$queue" lead "$1" >lead.said &
    leader=$!
    coordinates "$1"
    "$queue" crowd "$1" "$3" "$leader" "$4" "${5:-0}" >crowd.said
    wait "$leader"
}
