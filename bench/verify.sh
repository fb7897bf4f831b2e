#!/bin/sh
# What it costs to prove a run complete: `canfar-split verify` of 1,000,000 items in 512 journals, all done, beside reading the
# same bytes with `cat | wc -l` and hashing them with xxhsum (XXH64), in turn, five times; medians and ratios, from memory (the
# files have just been written). Needs a release build: cmake --preset release and cmake --build build.
# usage: bench/verify.sh [ITEMS] [REPLICAS] [ROUNDS]
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
items=${1:-1000000} replicas=${2:-512} rounds=${3:-5}
fill=$build/bin/bench_fill
built "$fill"

ours() {
    "$tool" verify r.run
}
count_lines() {
    cat r.run/journal/* | wc -l
}
hash() {
    cat r.run/journal/* | xxhsum -H1 -
}

seq -f '/some/folder/of/images/exposure-%08.0f.fits' 1 "$items" >list
plan() {
    "$tool" plan r.run --replicas "$replicas" --strategy even --from list -- /bin/true '{}' 2>said || { cat said >&2; exit 1; }
}
milliseconds plan >plan.ms
milliseconds "$fill" r.run >fill.ms
echo "planned $items items for $replicas replicas in $(cat plan.ms) ms, played the replicas in $(cat fill.ms) ms"

i=0
while [ "$i" -lt "$rounds" ]; do
    i=$((i + 1))
    milliseconds ours >>ours.ms
    milliseconds count_lines >>lines.ms
    milliseconds hash >>hash.ms
    milliseconds sync_once >>sync.ms
done
ours
count_lines | sed 's/$/ lines in the journals/'

echo "on disk (KiB, files):"
for part in run.json items.idx items.lz4 replicas claims journal beat output fence; do
    printf '  %-10s %8d %6d\n' "$part" "$(du -sk "r.run/$part" | cut -f 1)" "$(find "r.run/$part" -type f | wc -l)"
done
report() { # NAME FILE
    printf '  %-26s %6d ms  %6.2f\n' "$1" "$(median "$2")" \
        "$(awk -v a="$(median ours.ms)" -v b="$(median "$2")" 'BEGIN { print a / (b ? b : 1) }')"
}
echo "medians of $rounds, and how many times as long verify takes:"
report "canfar-split verify" ours.ms
report "cat journal/* | wc -l" lines.ms
report "cat journal/* | xxhsum -H1" hash.ms
report "one fdatasync by dd" sync.ms
