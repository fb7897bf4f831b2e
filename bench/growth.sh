#!/bin/sh
# How cost grows as the work grows, in lines of TAB-separated fields:
#   grows  WHAT  N  MEDIAN  UNIT  LEAST  MOST     of ROUNDS (one from 10 million on)
#   fit    WHAT  EXPONENT  LIMIT  VERDICT         cost as N^EXPONENT, by least squares of the logarithms over all N from 100,000 items on (of workers: over all),
#                                                 and what the same fit gives for N log N; "faster" if it is more than 0.1 above that
# WHAT, of N = 1,000, 10,000, ... MOST items:
#   stripe, size       a filter: one share of 100, of a list in a file; size with weights from a column
#   plan, plan-queue   a run directory of them
#   run, queue         all items, which do nothing: one replica with a static share, or two that a coordinator hands them out to, through the
#                      in-process door; all on disk at the end
#   verify             that the run is complete
#   plan-memory, verify-memory   the most that these have in memory
# and, of N = 1, 10, 100, 1,000 connected workers in one process that are handed EACH items together:
#   workers            the processor time of the coordinator
#   workers-took       the time until all have ended
# Needs a release build: cmake --preset release -DBUILD_TESTING=ON and cmake --build build. usage: bench/growth.sh [ROUNDS [MOST [EACH]]]
# shellcheck source=bench/doors.sh
. "$(dirname "$0")/doors.sh"
rounds=${1:-3} most=${2:-10000000} each=${3:-200000}
took=$build/bin/bench_took door=$build/bin/bench_door
built "$took" "$door"
mkdir samples

# add WHAT N VALUE
add() {
    echo "$3" >>"samples/$1 $2"
}
# one WHAT N COMMAND...: its time in ms, and what it had in memory in MiB
one() {
    what=$1 of=$2
    shift 2
    "$took" one.took "$@" >out 2>said || { cat said >&2; exit 1; }
    add "$what" "$of" "$(tail -n 1 one.took | awk '{ print $1 / 1000 }')"
    add "$what-memory" "$of" "$(tail -n 1 one.took | awk '{ printf "%.1f", $2 / 1024 }')"
}
items_of() { # N: all costs of so many items, once
    seq -f '/some/folder/of/images/exposure-%08.0f.fits' 1 "$1" >list
    one stripe "$1" "$tool" stripe --replica 3/100 --from list
    awk '{ print 1 + (NR * 7919) % 100003 "\t" $0 }' list >weights
    one size "$1" "$tool" size --replica 3/100 --weights column --from weights
    rm -rf weights g.run
    one plan "$1" "$tool" plan g.run --replicas 1 --strategy chunk --from list
    "$door" group g.run >us
    add run "$1" "$(awk -v n="$1" '{ print $1 * n / 1000 }' us)"
    one verify "$1" "$tool" verify g.run
    rm -rf g.run
    one plan-queue "$1" "$tool" plan g.run --replicas 2 --strategy queue --weights none --from list
    two_doors g.run
    add queue "$1" "$(awk -v n="$1" -v rate="$(value both rate)" 'BEGIN { print n * 1000 / rate }')"
    rm -rf g.run list
}
workers_of() { # N
    crowd c.run "$each" "$1" 0
    add workers "$1" "$(divide "$(value crowd.said lead_cpu_us)" 1000)"
    add workers-took "$1" "$(divide "$(value crowd.said took_us)" 1000)"
}
# fit WHAT LEAST: of the lines before
fit() {
    awk -F '\t' -v what="$1" -v least="$2" '
        $2 == what && $3 >= least && $4 > 0 { x = log($3); y = log($4); l = log($3 * (log($3) > 1 ? log($3) : 1))
            n++; sx += x; sy += y; sl += l; sxx += x * x; sxy += x * y; sxl += x * l }
        END { if (n < 2) { printf "fit\t%s\t-\t-\ttoo few to fit\n", what; exit }
              d = n * sxx - sx * sx; e = (n * sxy - sx * sy) / d; limit = (n * sxl - sx * sl) / d
              printf "fit\t%s\t%.2f\t%.2f\t%s\n", what, e, limit, e <= limit + 0.1 ? "no faster than n log n" : "faster" }' grown
}

i=0
while [ "$i" -lt "$rounds" ]; do
    i=$((i + 1))
    n=1000
    while [ "$n" -le "$most" ]; do
        [ "$i" -gt 1 ] && [ "$n" -ge 10000000 ] || items_of "$n"
        n=$((n * 10))
    done
    n=1
    while [ "$n" -le 1000 ] && [ "$n" -le "$each" ]; do
        workers_of "$n"
        n=$((n * 10))
    done
done
costs="stripe size plan plan-queue run queue verify"
for what in $costs plan-memory verify-memory workers workers-took; do
    unit=ms
    case $what in *-memory) unit=MiB ;; esac
    for n in 1 10 100 1000 10000 100000 1000000 10000000 100000000; do
        [ ! -e "samples/$what $n" ] || row "$n" "samples/$what $n" "$unit" | sed "s/^/grows\t$what\t/"
    done
done >grown
cat grown
for what in $costs plan-memory verify-memory; do
    fit "$what" 100000
done
fit workers 1
fit workers-took 1
