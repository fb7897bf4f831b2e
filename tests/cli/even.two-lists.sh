seq 3 >one
seq 4 7 >two
for k in 1 2; do canfar-split even --replica $k/2 --from one --from two | tr '\n' ' '; echo; done
seq 4 7 | canfar-split even --replica 2/2 --from one --from - | tr '\n' ' '
