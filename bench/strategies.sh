#!/bin/sh
# What strategies take, simulated and measured side by side: makespans from the first start of an item to the last end. Rows, TAB-separated:
#   makespan LOAD STRATEGY REPLICAS ITEMS   seconds: BOUND SIMULATED MEASURED LEAST MOST   MEASURED/SIMULATED MEASURED/BOUND
# (medians of ROUNDS; bound: max(total/R, largest)), and before them, of as many replicas, what the simulation is told:
#   told REPLICAS   milliseconds: what an item costs beside its sleep, and within which replicas begin
# Items of controlled loads are sleeps, ten for each replica, with a bound of SECONDS, and it fails if any is faster than that: equal,
# uniform, lognormal-1 and -2 (sigma), pareto (1.2), sorted (lognormal-1, smallest first), giant (equal, and one as long as the bound, at
# the end). STRATEGY-alone: each replica does its own share by itself, in a shell; the others are canfar-split run, which knows these times.
# Real ones: the FITS files of CFSPLIT_FITS (default: those of examples/demo.sh, if they are there): with examples/one.sh, that is
# source-extractor ("fits"), or examples/two-steps.sh, that is fitsverify, source-extractor and NoiseChisel ("two-steps"). First by one
# replica, which is a row of two-steps, too, then by 2; "replay" and "replay-two-steps" are sleeps of what that one replica took. Simulated
# from these times; strategies know the sizes of the files, or (-times) what they took, or (-listed: the order of the list) nothing.
#   missing LOAD WHAT   what is not there: not measured. Packages are installed (apt-get), unless CFSPLIT_INSTALL is "no".
#   simulate 1000000 items   seconds: all strategies with 10 numbers of replicas
# Needs a release build: cmake --preset release and cmake --build build. Takes SECONDS x 150, and for each round of the demo's files some 3
# minutes of fits, 5 of two-steps, 2 of its replay by 4.
# usage: bench/strategies.sh [ROUNDS [SECONDS [REPLICAS,... [LOAD,... [ITEMS [FILES]]]]]]; LOADs may be real ones, too; default: 1 1 4,32 (all
# of them) 1000000 (all files); FILES: for two-steps at most so many, evenly out of all. For a paper: 3 20 4,64,512
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
rounds=${1:-1} seconds=${2:-1} counts=$(echo "${3:-4,32}" | tr ',' ' ') millions=${5:-1000000}
loads=$(echo "${4:-equal,uniform,lognormal-1,lognormal-2,pareto,sorted,giant,fits,replay,two-steps,replay-two-steps}" | tr ',' ' ')
strategies="chunk stripe even size hash blocks queue"
data=${CFSPLIT_FITS:-$top/examples/data} most_files=${6:-1000000000}
# shellcheck source=bench/install.sh
. "$top/bench/install.sh"

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
              if (head !~ /fits|replay|two-steps/ && took < bound - 0.01) { print head ": faster than can be" >"/dev/stderr"; exit 1 }
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

# KIND is fits or two-steps: which script, what it needs, which strategies are compared
script_of() { # KIND
    case $1 in fits) echo one.sh ;; two-steps) echo two-steps.sh ;; esac
}
packages_of() { # KIND
    case $1 in fits) echo source-extractor ;; two-steps) echo source-extractor fitsverify gnuastro ;; esac
}
programs_of() { # KIND
    case $1 in fits) echo source-extractor ;; two-steps) echo source-extractor fitsverify astnoisechisel ;; esac
}
strategies_of() { # KIND
    case $1 in fits) echo "$strategies size-times queue-times" ;; two-steps) echo chunk stripe size blocks queue queue-listed size-times queue-times ;; esac
}
# analyse KIND RUN STRATEGY R: the FITS files in a run of as many replicas; its makespan
analyse() {
    case $3 in *-times) weights=run:$1.first.run ;; *-listed) weights=none ;; *) weights=stat ;; esac
    rm -rf "$2" catalogues
    mkdir catalogues
    "$tool" plan "$2" --strategy "${3%-*}" --replicas "$4" --weights "$weights" --reject-exit 65 --from "$1.files" -- \
        "$top/examples/$(script_of "$1")" '{}' "$work/catalogues/{#}.cat" 2>said || { cat said >&2; exit 1; }
    may_fail=1 replicas "$2" "$4"
    makespan "$2"
}
# choose KIND: its files, sorted
choose() {
    find -L "$data" -type f \( -name '*.fit*' -o -name '*.FITS' -o -name '*.fts*' -o -name '*.fz' \) | LC_ALL=C sort >found
    if [ "$1" = two-steps ]; then
        awk -v all="$(wc -l <found)" -v most="$most_files" 'most >= all || int(NR * most / all) > int((NR - 1) * most / all)' found
    else
        cat found
    fi >"$1.files"
}
# look_at KIND LOAD: what each file takes: by one replica, in the order of the list. Once; false if something is missing.
look_at() {
    [ ! -e "$1.took" ] || return 0
    # shellcheck disable=SC2046 # a list of words
    install_missing $(packages_of "$1")
    for program in $(programs_of "$1"); do
        command -v "$program" >/dev/null || { printf 'missing\t%s\t%s\n' "$2" "$program"; return 1; }
    done
    [ -d "$data" ] || { printf 'missing\t%s\t%s\n' "$2" "FITS files (examples/demo.sh fetches them)"; return 1; }
    choose "$1"
    analyse "$1" "$1.first.run" chunk 1 >"$1.alone"
    [ "$("$tool" items "$1.first.run" --state failed -0 | tr -cd '\0' | wc -c)" -lt "$(wc -l <"$1.files")" ] || { echo "$1: every file failed" >&2; exit 1; }
    moments "$1.first.run" | awk '{ print $3, $2 - $1 }' | sort -n | cut -d ' ' -f 2 >each
    lz4 -dcq "$1.first.run/items.lz4" | tr '\0' '\n' | cut -f 1 | paste - each >"$1.took"
    [ "$(wc -l <"$1.took")" -eq "$(wc -l <"$1.files")" ] || { echo "not every file was looked at once" >&2; exit 1; }
}
# by_times KIND R: as `simulated`, by sizes, by times, and in the order of the list, where whoever is free takes the next
by_times() {
    simulated "$1.first.run" --as-planned --replicas "$2"
    simulated "$1.first.run" --replicas "$2" | sed -n 's/^\(size\|queue\) /\1-times /p'
    awk -v R="$2" '
        { for (i = first = 1; i <= R; i++) if (free[i] + 0 < free[first] + 0) first = i
          free[first] += $2; if (free[first] > last) last = free[first] }
        END { printf "queue-listed %.3f\n", last / 1000 }' "$1.took"
}
load_real() { # KIND
    files=$(wc -l <"$1.files")
    if [ "$1" = two-steps ]; then
        by_times "$1" 1 >simulated
        cp "$1.alone" samples
        row "$1" chunk 1 "$files"
    fi
    by_times "$1" 2 >simulated
    for way in $(strategies_of "$1"); do
        repeat analyse "$1" f.run "$way" 2
        row "$1" "$way" 2 "$files"
    done
}
load_replay() { # LOAD KIND R
    files=$(wc -l <"$2.files")
    by_times "$2" "$3" >simulated
    awk -v cost="$(told item "$3")" '
        { ms = $2 > cost ? $2 - cost : 0; item = sprintf("%06d/%.3f", NR, ms / 1000) # in the order of the list by their bytes, too
          print $1 "\t" item >"by-size"; print $2 "\t" item >"by-times"; print "1\t" item >"by-listed" }' "$2.took"
    for way in $(strategies_of "$2"); do
        case $way in *-*) list=by-${way#*-} ;; *) list=by-size ;; esac
        repeat sleeps r.run "${way%-*}" "$3" --from "$list"
        row "$1" "$way" "$3" "$files"
    done
}

for load in $loads; do
    case $load in
    equal | uniform | lognormal-1 | lognormal-2 | pareto | sorted | giant | fits | replay | two-steps | replay-two-steps) ;;
    *) echo "no such load: '$load'" >&2; exit 2 ;;
    esac
done
for count in $counts; do tell "$count"; done
for load in $loads; do
    case $load in
    fits | two-steps) if look_at "$load" "$load"; then load_real "$load"; fi ;;
    replay) if look_at fits "$load"; then for count in $counts; do load_replay "$load" fits "$count"; done; fi ;;
    replay-two-steps) if look_at two-steps "$load"; then for count in $counts; do load_replay "$load" two-steps "$count"; done; fi ;;
    *) for count in $counts; do controlled "$load" "$count"; done ;;
    esac
done
awk -v n="$millions" 'BEGIN { for (i = 1; i <= n; i++) { x = i * 7919 % 1000003 / 1000003; printf "%d\tsurvey/field-%07d/image.fits\n", 1000 / (1.0001 - x), i } }' >many
repeat milliseconds "$tool" simulate --weights column --from many
printf 'simulate\t%d\t%s\n' "$millions" "$(median samples | awk '{ printf "%.2f", $1 / 1000 }')"
