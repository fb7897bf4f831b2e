# a share as an LZ4 frame is the share, for lz4 and for --from; an empty one is an empty frame; what failed has no end
seq -f 'some/folder/item-%06.0f' 1 100000 >list
for strategy in chunk stripe even hash; do
    canfar-split $strategy --replica 2/3 --from list >plain
    canfar-split $strategy --replica 2/3 --from list --lz4 >packed
    canfar-split stripe --replica 1/1 --from packed | cmp - plain && wc -l <plain
done
[ "$(wc -c <packed)" -lt 300000 ] || echo "$(wc -c <packed) bytes"
if command -v lz4 >/dev/null; then lz4 -dc packed | cmp - plain; fi
canfar-split chunk -0 --lz4 --replica 1/1 'a
b' c >packed
canfar-split stripe -0 --replica 1/1 --from packed | tr '\0\n' ';|'; echo
canfar-split size --lz4 --weights none --replica 1/1 a b | canfar-split stripe --replica 1/1 --from -
canfar-split stripe --lz4 --replica 3/3 a b >packed
canfar-split stripe --replica 1/1 --allow-empty --from packed
{ cat list; printf 'x\0y\n'; } >broken
canfar-split stripe --lz4 --replica 1/3 --from broken >packed
canfar-split stripe --replica 1/1 --from packed >/dev/null
