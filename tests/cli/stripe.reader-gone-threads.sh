# a large file is written by more than one thread: whoever of them meets the end, nobody complains of storage
seq 1000000 1500000 | sed 's/$/ of a long list/' >list
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    { canfar-split stripe --replica 1/1 --from list; echo $? >>codes; } | head -n 1 >/dev/null
done
grep -c . codes
sort -u codes | grep -vx -e 141 -e 1
