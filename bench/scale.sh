#!/bin/sh
# What a large run costs, and that it ends complete: all replicas at once on this machine, each a process that does nothing with
# its items, with shares (even), with blocks, and with shares while some replicas never start and some others are killed (-9) when
# half of the items are done. Prints the table of docs/run-directory.md, and ends non-zero if a run is not complete, a folder has
# more than 10,000 files, a replica more than 6 files besides claims, or if in an undisturbed crowd a median replica looks at what
# each other has. For numbers, a release build: cmake --preset release -DBUILD_TESTING=ON and cmake --build build. usage: bench/scale.sh [REPLICAS [ITEMS [KILLED [ABSENT [SEED]]]]]
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
replicas=${1:-512} items=${2:-1000000} killed=${3:-51} absent=${4:-20} seed=${5:-$(date +%s)}
scale=$build/bin/bench_scale
built "$scale"
echo "seed $seed"
seq -f '/some/folder/of/images/exposure-%08.0f.fits' 1 "$items" >list

broken() {
    echo "FAILED: $*" >&2
    exit 1
}

# folders RUN: "FILES FOLDER" of all folders, the largest last; what waits for a rename or was left by the killed counts, too
folders() {
    find "$1" -mindepth 1 -printf '%h\n' | sort | uniq -c | sort -n
}

# grow NAME RUN: what its folders would hold with 512 replicas: those of replicas as much more as there are more of them, those of
# claims no more pieces than 256
grow() {
    for folder in replicas journal beat output fence; do
        n=$(find "$2/$folder" -type f | wc -l)
        [ $((n * 512 / replicas)) -le 10000 ] || broken "$1: $n files in $folder of $replicas replicas"
    done
    for folder in "$2"/claims/*.*/; do
        n=$(find "$folder" -type f -printf '%f\n' | sed 's/[.]e[0-9]*$//' | sort -u | wc -l)
        [ "$n" -le 256 ] || broken "$1: claims on $n pieces in $folder"
    done
}

# measure NAME STRATEGY KILLED ABSENT: NAME.row holds what a run took
measure() {
    run=$1.run
    "$tool" plan "$run" --replicas "$replicas" --strategy "$2" --adopt-after 1s --from list 2>said || { cat said >&2; exit 1; }
    "$scale" run "$run" "$replicas" items "$items" kill "$3" absent "$4" seed "$seed" >"$1.took" 2>said ||
        { sort said | uniq -c | sort -n | tail -n 20 >&2; broken "$1: a replica failed"; }
    "$scale" peak "$tool" verify "$run" >"$1.verified" 2>"$1.verify" || { tail -n 3 "$1.verified" >&2; broken "$1: not complete"; }
    grep -q "^complete: $items of $items items" "$1.verified" || broken "$1: $(tail -n 1 "$1.verified")"
    "$scale" peak "$tool" status "$run" >"$1.status.out" 2>"$1.status"
    folders "$run" >"$1.folders"
    largest=$(tail -n 1 "$1.folders" | awk '{ print $1 }')
    [ "$largest" -le 10000 ] || broken "$1: $largest files in one folder"
    lives=$(find "$run/replicas" -type f | wc -l)
    files=$(find "$run/replicas" "$run/journal" "$run/beat" "$run/output" "$run/fence" -type f -printf '%f\n' |
        sed 's/[.]seal$//' | sort | uniq -c | sort -n | tail -n 1 | awk '{ print $1 }')
    [ "$files" -le 6 ] || broken "$1: $files files of one replica"
    grow "$1" "$run"
    claims=$(find "$run/claims" -type f | wc -l)
    opened=$(value "$1.took" calls.open)
    [ "$replicas" -lt 64 ] || [ "$3" -gt 0 ] || [ "$opened" -lt "$claims" ] ||
        broken "$1: a median replica opened $opened files where there are $claims claims"
    {
        echo "time of all replicas, s|$(awk -v ms="$(value "$1.took" took_ms)" 'BEGIN { printf "%.1f", ms / 1000 }')"
        echo "replicas that came; killed; never started|$lives; $(value "$1.took" killed); $(value "$1.took" absent)"
        echo "claims|$claims"
        echo "files, most of one replica|$files"
        echo "files, largest folder|$largest (\`$(tail -n 1 "$1.folders" | awk '{ print $2 }' | sed "s|^$run/*||")\`)"
        echo "bytes of the run directory, MB|$(du -sb "$run" | awk '{ printf "%.1f", $1 / 1e6 }')"
        for call in open list read stat write sync link; do
            echo "$call, of a replica: median, most|$(value "$1.took" "calls.$call"), $(value "$1.took" "calls.$call" 3)"
        done
        echo "memory of a replica, MiB: median, most|$(awk -v a="$(value "$1.took" peak_kib)" -v b="$(value "$1.took" peak_kib 3)" \
            'BEGIN { printf "%.1f, %.1f", a / 1024, b / 1024 }')"
        echo "processor of a replica, ms: median, most|$(($(value "$1.took" cpu_us) / 1000)), $(($(value "$1.took" cpu_us 3) / 1000))"
        for command in verify status; do
            echo "$command: s, MiB|$(awk -v a="$(value "$1.$command" took_ms)" -v b="$(value "$1.$command" peak_kib)" \
                'BEGIN { printf "%.2f, %.1f", a / 1000, b / 1024 }')"
        done
    } >"$1.row"
    rm -rf "$run"
}

measure even even 0 0
measure blocks blocks 0 0
measure killed even "$killed" "$absent"
{
    echo "of $items items by $replicas replicas|\`even\`|\`blocks\`|\`even\`, some killed"
    echo "---|---|---|---"
    cut -d '|' -f 2 blocks.row >blocks.column
    cut -d '|' -f 2 killed.row >killed.column
    paste -d '|' even.row blocks.column killed.column
} | sed 's/^/| /; s/|/ | /2g; s/$/ |/'
