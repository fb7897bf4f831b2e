for k in 1 2 3 4; do seq 10 | canfar-split even --replica $k/4 --from - | tr '\n' ' '; echo; done
