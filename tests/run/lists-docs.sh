#!/bin/sh
# Every example of docs/lists.md runs as it stands, in a folder like a user's; and its table has every launcher there is.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
mkdir -p data tree/deep
for i in a b c d e; do echo "$i" >"data/$i.fits"; done
touch tree/deep/t.fits tree/deep/t.txt
printf 'one\ntwo\nthree\nfour\n' >list.txt
awk '/^```/ { inside = ($0 == "```sh"); next } inside' "$top/docs/lists.md" >script
[ "$(wc -l <script)" -ge 8 ] || fail "no examples found"
sh -eu script >out 2>err || fail "$(cat script out err)"
cat >wanted <<'EOF2'
a.fits
data/b.fits
data/d.fits
tree/deep/t.fits
two
four
data/c.fits
data/d.fits
data/e.fits
one
two
one
two
long
replica 2 of 4, by REPLICA_ID and REPLICA_COUNT
  REPLICA_ID=2
  REPLICA_COUNT=4
replica 1 of 8, by RANK
  RANK=0
  WORLD_SIZE=8
EOF2
# the order in which find(1) names files is anybody's
sed '7,9d' out >got
sed '7,9d' wanted | cmp - got || fail "$(cat out)"
[ ! -s err ] || fail "$(cat err)"
sed -n 's/.*\.id = "\([A-Z_]*\)".*/\1/p' "$top/runtime/share/launcher.c" >names
[ "$(wc -l <names)" -ge 12 ] || fail "$(cat names)"
while read -r name; do says "$top/docs/lists.md" "$name"; done <names
