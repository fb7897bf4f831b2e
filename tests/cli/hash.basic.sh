for k in 1 2 3; do seq 10 | canfar-split hash --replica $k/3 --from - | tr '\n' ' '; echo; done
