[ -c /dev/full ] || { echo 'there is no /dev/full' >&2; exit 77; }
seq 1000000 1500000 | sed 's/$/ of a long list/' >list
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    canfar-split stripe --replica 1/1 --from list 2>&1 >/dev/full
done | sort -u
