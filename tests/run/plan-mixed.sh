#!/bin/sh
# One plan of all kinds of sources, in the order given; --check-list reads them all again.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
mkdir -p flat tree/deep/er
for name in flat/b.fits flat/a.fits tree/z.fits tree/deep/y.fits tree/deep/er/x.fits tree/skip.txt 'one [1].fits' two.fits three.fits four.fits; do
    echo "$name" >"$name"
done
printf 'two.fits\r\n\r\nthree.fits' >lines
printf 'four.fits\n' | lz4 -q >packed.lz4
cat >wanted <<'EOF2'
one [1].fits
flat/a.fits
flat/b.fits
two.fits
three.fits
tree/deep/er/x.fits
tree/deep/y.fits
tree/z.fits
four.fits
EOF2
set -- 'one [1].fits' 'flat/*.fits' --from lines -r tree --match '*.fits' --from packed.lz4
code 0 canfar-split plan r.run --strategy even --replicas 2 "$@" -- true
canfar-split items r.run --state pending >got
cmp wanted got || fail "$(cat got)"
code 0 canfar-split plan --check-list r.run "$@"
code 0 canfar-split plan s.run --replicas 3 "$@" -- true # weighed by size
code 0 canfar-split plan --check-list s.run "$@"
says err "the sources give the 9 items that were planned"
canfar-split items s.run --state pending | LC_ALL=C sort >got
LC_ALL=C sort wanted | cmp - got || fail "$(cat got)"
touch flat/c.fits
rm tree/z.fits
code 1 canfar-split plan --check-list s.run "$@"
says err "1 item is not in the plan, the first is 'flat/c.fits'"
says err "1 planned item is gone from the sources, the first is 'tree/z.fits'"
# an item that two sources name is named
code 2 canfar-split plan t.run --replicas 2 'flat/*.fits' -r flat -- true
says err "is in the list twice"
code 0 canfar-split plan t.run --duplicates drop --replicas 2 'flat/*.fits' -r flat -- true
[ "$(canfar-split items t.run --state pending | wc -l)" -eq 3 ] || fail "$(canfar-split items t.run --state pending)"
