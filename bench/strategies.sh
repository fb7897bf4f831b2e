#!/bin/sh
# What strategies take, simulated and measured side by side: makespans from the first start of an item to the last end. Rows, TAB-separated:
#   makespan LOAD STRATEGY REPLICAS ITEMS   seconds: BOUND SIMULATED MEASURED LEAST MOST   MEASURED/SIMULATED MEASURED/BOUND
# (medians of ROUNDS; bound: max(total/R, largest)), and before them, of as many replicas, what the simulation is told:
#   told REPLICAS   milliseconds: what an item costs beside its sleep, and within which replicas begin
# Items of controlled loads are sleeps, ten for each replica, with a bound of SECONDS, and it fails if any is faster than that: equal,
# uniform, lognormal-1 and -2 (sigma), pareto (1.2), sorted (lognormal-1, smallest first), giant (equal, and one as long as the bound, at
# the end). STRATEGY-alone: each replica does its own share by itself, in a shell; the others are canfar-split run, which knows these times.
# Real ones: the FITS files of CFSPLIT_FITS (default: those of examples/demo.sh, if they are there) with examples/one.sh, that is
# source-extractor; "fits" by 2 replicas for real, "replay" as sleeps of what they took. Simulated from what one replica took; strategies
# know the sizes of the files, or (-times) what they took in that run.
#   simulate 1000000 items   seconds: all strategies with 10 numbers of replicas
# Needs a release build: cmake --preset release and cmake --build build. Takes SECONDS x 150 and some minutes of FITS.
# usage: bench/strategies.sh [ROUNDS [SECONDS [REPLICAS,... [LOAD,... [ITEMS]]]]]; LOADs may be fits and replay, too; default: 1 1 4,32 (all of
# them) 1000000. For a paper: 3 20 4,64,512
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
rounds=${1:-1} seconds=${2:-1} counts=$(echo "${3:-4,32}" | tr ',' ' ') millions=${5:-1000000}
loads=$(echo "${4:-equal,uniform,lognormal-1,lognormal-2,pareto,sorted,giant,fits,replay}" | tr ',' ' ')
strategies="chunk stripe even size hash blocks queue"
data=${CFSPLIT_FITS:-$top/examples/data}

# ---- one run

# moments RUN: START END INDEX LIFE, in milliseconds, of each attempt that ended, as the journals have them
moments() {
    for file in "$1"/journal/*; do
        tr -d '\0' <"$file" | awk -F '\t' -v life="${file##*/}" '$1 == "start" { from[$3] = $5 } $1 == "end" { print from[$3], $5, $3, life }'
    done
}
# replicas RUN R: as many do it, and all of it is accounted for
replicas() {
    pids=
    for k in $(seq "$2"); do
        REPLICA_ID=$k REPLICA_COUNT=$2 "$tool" run "$1" >"said.$k" 2>&1 &
        pids="$pids $!"
    done
    for pid in $pids; do
        code=0
        wait "$pid" || code=$?
        [ "$code" -le "${may_fail:-0}" ] || { cat said.* >&2; exit 1; }
    done
    [ "$("$tool" items "$1" --state pending -0 | tr -cd '\0' | wc -c)" -eq 0 ] || { "$tool" status "$1" >&2; exit 1; }
}
# makespan RUN: in milliseconds
makespan() {
    moments "$1" | awk 'NR == 1 || $1 < first { first = $1 } $2 > last { last = $2 } END { print last - first }'
}
# sleeps RUN STRATEGY R OPTION...: such a plan of sleeps, and it done; its makespan
sleeps() {
    run=$1 strategy=$2 count=$3
    shift 3
    rm -rf "$run"
    "$tool" plan "$run" --strategy "$strategy" --replicas "$count" --weights column "$@" -- sleep '{/}' 2>said || { cat said >&2; exit 1; }
    replicas "$run" "$count"
    makespan "$run"
}
# alone STRATEGY R: each does its share, by itself
alone() {
    from=$(date +%s%N) pids=
    for k in $(seq "$2"); do
        "$tool" "$1" --replica "$k/$2" --weights column --from list 2>"said.$k" | while IFS= read -r item; do sleep "${item#*/}"; done &
        pids="$pids $!"
    done
    for pid in $pids; do wait "$pid"; done
    echo $((($(date +%s%N) - from) / 1000000))
}

# ---- what is simulated

# simulated OPTION...: "bound" and its seconds; each STRATEGY and STRATEGY-alone and its makespan's
simulated() {
    "$tool" simulate --json "$@" 2>said >json || { cat said >&2; exit 1; }
    awk '/"bound": \[/ { getline; printf "bound %.3f\n", $1 / 1e6 }
         /"strategy":/ { gsub(/[",]/, ""); strategy = $2 }
         /"own_share_only":/ { alone = $2 ~ /true/ }
         /"makespan": \[/ { getline; printf "%s%s %.3f\n", strategy, alone ? "-alone" : "", $1 / 1e6 }' json
}
# row LOAD STRATEGY R ITEMS [AS]: of the samples, in milliseconds; AS is its name in the file `simulated`
row() {
    sort -n samples | awk -v bound="$(sed -n 's/^bound //p' simulated)" -v told="$(sed -n "s/^${5:-$2} //p" simulated)" -v head="makespan	$1	$2	$3	$4" '
        { ms[NR] = $1 }
        END { took = ms[int((NR + 1) / 2)] / 1000
              if (head !~ /fits|replay/ && took < bound - 0.01) { print head ": faster than can be" >"/dev/stderr"; exit 1 }
              printf "%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", head, bound, told, took, ms[1] / 1000, ms[NR] / 1000, took / told, took / bound }'
    rm samples
}
repeat() { # COMMAND...: into samples
    i=0
    while [ "$i" -lt "$rounds" ]; do
        i=$((i + 1))
        "$@" >>samples
    done
}

# ---- controlled loads

# Weights in milliseconds, TAB, NUMBER/SECONDS. Random numbers: minimal standard (Park and Miller 1988), seed 1.
load_of() { # LOAD R
    awk -v load="$1" -v R="$2" -v bound="$seconds" '
        function uniform() { x = x * 16807 % 2147483647; return x / 2147483647 }
        function normal() { return sqrt(-2 * log(uniform())) * cos(6.283185307 * uniform()) }
        function one() {
            if (load == "uniform") return uniform()
            if (load == "lognormal-1" || load == "sorted") return exp(normal())
            if (load == "lognormal-2") return exp(2 * normal())
            if (load == "pareto") return uniform() ^ (-1 / 1.2)
            return 1
        }
        BEGIN {
            x = 1; n = 10 * R
            for (i = 1; i <= 10; i++) uniform()
            for (i = 1; i <= n; i++) {
                at[i] = one()
                for (j = i; load == "sorted" && j > 1 && at[j] < at[j - 1]; j--) { t = at[j]; at[j] = at[j - 1]; at[j - 1] = t }
            }
            if (load == "giant" && R > 1) at[n] = (n - 1) / (R - 1)
            for (i = 1; i <= n; i++) { total += at[i]; if (at[i] > largest) largest = at[i] }
            scale = bound * 1000 / (total / R > largest ? total / R : largest)
            for (i = 1; i <= n; i++) { ms = int(at[i] * scale + 0.5); if (ms < 1) ms = 1; printf "%d\t%d/%.3f\n", ms, i, ms / 1000 }
        }'
}
# What an item costs beside its sleep, and within which time replicas begin: of R replicas with five sleeps each.
tell() { # R
    ms=$(awk -v s="$seconds" 'BEGIN { print int(s * 200) + 1 }')
    for i in $(seq $((5 * $1))); do printf '%d\t%d/%d.%03d\n' "$ms" "$i" $((ms / 1000)) $((ms % 1000)); done >list
    sleeps told.run stripe "$1" --from list >/dev/null
    moments told.run | sort -k 4,4 -k 1,1n | awk -v ms="$ms" '
        { cost += $2 - $1 - ms; items++ }
        $4 == life { cost += $1 - last }
        $4 != life { if (first == "" || $1 < first) first = $1; if ($1 > latest) latest = $1 }
        { life = $4; last = $2 }
        END { cost = cost / items; print "item", (cost > 0 ? int(cost + 0.5) : 0); print "begin", latest - first }' >"told.$1"
    printf 'told\t%d\t%d\t%d\n' "$1" "$(told item "$1")" "$(told begin "$1")"
}
told() { # WORD R
    sed -n "s/^$1 //p" "told.$2"
}
controlled() { # LOAD R
    load_of "$1" "$2" >list
    items=$(wc -l <list)
    simulated --weights column --from list --rate 1000 --replicas "$2" | grep bound >bound
    awk -F '\t' -v cost="$(told item "$2")" '{ print $1 + cost "\t" $2 }' list >costly
    simulated --weights column --from costly --rate 1000 --replicas "$2" --start-spread "$(told begin "$2")ms" >reckoned
    sed '/^bound/d' reckoned | cat bound - >simulated
    for strategy in $strategies; do
        repeat sleeps r.run "$strategy" "$2" --from list
        row "$1" "$strategy" "$2" "$items"
    done
    for strategy in chunk stripe size; do
        repeat alone "$strategy" "$2"
        row "$1" "$strategy-alone" "$2" "$items"
    done
}

# ---- real files

# analyse RUN STRATEGY R WEIGHTS: the FITS files in a run of as many replicas; its makespan
analyse() {
    rm -rf "$1" catalogues
    mkdir catalogues
    "$tool" plan "$1" --strategy "$2" --replicas "$3" --weights "$4" --reject-exit 65 --from files -- \
        "$top/examples/one.sh" '{}' "$work/catalogues/{#}.cat" 2>said || { cat said >&2; exit 1; }
    may_fail=1 replicas "$1" "$3"
    makespan "$1"
}
# What each took: by one replica, in the order of the list.
look_at_files() {
    [ ! -e files ] || return 0
    if ! command -v source-extractor >/dev/null || ! [ -d "$data" ]; then
        echo "no source-extractor, or no FITS files (examples/demo.sh fetches them): not measured with them" >&2
        return 1
    fi
    find -L "$data" -type f \( -name '*.fit*' -o -name '*.FITS' -o -name '*.fts*' -o -name '*.fz' \) | LC_ALL=C sort >files
    analyse first.run chunk 1 stat >/dev/null
    moments first.run | awk '{ print $3, $2 - $1 }' | sort -n | cut -d ' ' -f 2 >took
    lz4 -dcq first.run/items.lz4 | tr '\0' '\n' | cut -f 1 | paste - took >sizes
    [ "$(wc -l <sizes)" -eq "$(wc -l <files)" ] || { echo "not every file was looked at once" >&2; exit 1; }
}
by_times() { # R: as `simulated`, by sizes and by times
    simulated first.run --as-planned --replicas "$1"
    simulated first.run --replicas "$1" | sed -n 's/^\(size\|queue\) /\1-times /p'
}
load_fits() {
    by_times 2 >simulated
    for strategy in $strategies; do
        repeat analyse f.run "$strategy" 2 stat
        row fits "$strategy" 2 "$(wc -l <files)"
    done
    for strategy in size queue; do
        repeat analyse f.run "$strategy" 2 run:first.run
        row fits "$strategy-times" 2 "$(wc -l <files)"
    done
}
load_replay() { # R
    by_times "$1" >simulated
    awk -v cost="$(told item "$1")" '{ ms = $2 > cost ? $2 - cost : 0; printf "%d\t%d/%.3f\n", $1, NR, ms / 1000 }' sizes >by-size
    awk -v cost="$(told item "$1")" '{ ms = $2 > cost ? $2 - cost : 0; printf "%d\t%d/%.3f\n", $2, NR, ms / 1000 }' sizes >by-time
    for strategy in $strategies; do
        repeat sleeps r.run "$strategy" "$1" --from by-size
        row replay "$strategy" "$1" "$(wc -l <files)"
    done
    for strategy in size queue; do
        repeat sleeps r.run "$strategy" "$1" --from by-time
        row replay "$strategy-times" "$1" "$(wc -l <files)"
    done
}

for load in $loads; do
    case $load in
    equal | uniform | lognormal-1 | lognormal-2 | pareto | sorted | giant | fits | replay) ;;
    *) echo "no such load: '$load'" >&2; exit 2 ;;
    esac
done
for count in $counts; do tell "$count"; done
for load in $loads; do
    case $load in
    fits) look_at_files && load_fits ;;
    replay) look_at_files && for count in $counts; do load_replay "$count"; done ;;
    *) for count in $counts; do controlled "$load" "$count"; done ;;
    esac
done
awk -v n="$millions" 'BEGIN { for (i = 1; i <= n; i++) { x = i * 7919 % 1000003 / 1000003; printf "%d\tsurvey/field-%07d/image.fits\n", 1000 / (1.0001 - x), i } }' >many
repeat milliseconds "$tool" simulate --weights column --from many
printf 'simulate\t%d\t%s\n' "$millions" "$(median samples | awk '{ printf "%.2f", $1 / 1000 }')"
