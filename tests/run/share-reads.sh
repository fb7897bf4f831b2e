#!/bin/sh
# A replica reads the blocks of its own share, not the list: what its process has read, by /proc, when its first
# item runs; and its last one, when what the items themselves have read has been added.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
[ -r /proc/self/io ] || skip "no /proc/self/io here"
head -c 6000000 /dev/urandom | base64 -w 200 | tr / _ >list # 40,000 items that do not compress
cat >one.sh <<'EOF2'
#!/bin/sh
sed -n 's/^rchar: //p' "/proc/$PPID/io" >>reads
EOF2
chmod +x one.sh
for strategy in even stripe size hash; do
    code 0 canfar-split plan r.run --strategy "$strategy" --weights none --replicas 400 --from list -- ./one.sh '{}'
    : >reads
    code 0 canfar-split run r.run --replica 200 --no-adopt
    [ "$(wc -l <reads)" -gt 50 ] || fail "$strategy: $(wc -l <reads) items"
    list=$(stat -c %s r.run/items.lz4) index=$(stat -c %s r.run/items.idx) first=$(head -n 1 reads) last=$(tail -n 1 reads)
    [ "$list" -gt 5000000 ] || fail "$strategy: the list has $list bytes"
    [ "$first" -lt $((index + 500000)) ] || fail "$strategy: $first bytes read at first, of a list of $list and an index of $index"
    [ "$last" -lt $((index + list / 2)) ] || fail "$strategy: $last bytes read at last, of a list of $list and an index of $index"
    rm -rf r.run
done
