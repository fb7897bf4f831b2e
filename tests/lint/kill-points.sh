#!/bin/sh
# lint.kill-points: a build without CFSPLIT_KILL_POINTS has no trace of a kill point, one with it has all; each name stands at
# one place and reads "area.step".
#   kill-points.sh TOP CC
set -eu
top=$1 cc=$2
cd "$top"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# What the compiler sees of a file, its includes with it.
seen() {
    "$cc" -std=c11 -D_GNU_SOURCE -I include -I runtime "$@" -E -P
}

grep -rhoE 'CSI_KILL_POINT[A-Z_]*\([^,)]*' runtime --include='*.c' | sed 's/.*(//' | LC_ALL=C sort >"$folder/points"
grep -vxE '"[a-z]+\.[a-z-]+"' "$folder/points" | sed 's/$/ is no name of a kill point: "area.step"/' >"$folder/wrong" || true
LC_ALL=C uniq -d "$folder/points" | sed 's/$/ stands at more than one place/' >>"$folder/wrong"
for file in $(grep -rlE 'CSI_KILL_POINT[A-Z_]*\(' runtime --include='*.c'); do
    seen "$file" >"$folder/without"
    seen -DCFSPLIT_KILL_POINTS "$file" >"$folder/with"
    ! grep -n 'csi_kill_point' "$folder/without" || echo "$file: a build without kill points has one" >>"$folder/wrong"
    for point in $(grep -oE 'CSI_KILL_POINT[A-Z_]*\([^,)]*' "$file" | sed 's/.*(//'); do
        ! grep -qF -e "$point" "$folder/without" || echo "$file: $point is left without CFSPLIT_KILL_POINTS"
        grep -qF -e "$point" "$folder/with" || echo "$file: $point is not there with CFSPLIT_KILL_POINTS"
    done >>"$folder/wrong"
done
if [ ! -s "$folder/points" ]; then
    echo "no kill point found: nothing to check"
    exit 1
fi
cat "$folder/wrong"
[ ! -s "$folder/wrong" ]
