#!/bin/sh
# What the strategies would take, by canfar-split simulate: ITEMS weights that are lognormal (sigma 1), on 1 to 512 replicas; the picture of it in SVG, if
# that is given and there is gnuplot; and the time in which MANY items are simulated. Needs a release build: cmake --preset release and cmake --build build.
# usage: bench/simulate.sh [ITEMS [MANY [SVG]]]
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
items=${1:-2000} many=${2:-1000000} svg=${3:-}

# weights N: WEIGHT TAB NAME, by the method of Box and Muller, always the same
weights() {
    awk -v n="$1" 'BEGIN {
        srand(1)
        for (i = 1; i <= n; i++)
            printf "%d\timage-%08d.fits\n", 1 + 10000 * exp(sqrt(-2 * log(1 - rand())) * cos(6.283185307 * rand())), i }'
}
weights "$items" >few
weights "$many" >lot
set -- --from few --weights column
if [ -n "$svg" ] && command -v gnuplot >/dev/null; then set -- "$@" --plot "$svg"; fi
"$tool" simulate "$@"
echo "$many items, as many numbers of replicas: $(milliseconds "$tool" simulate --from lot --weights column) ms"
