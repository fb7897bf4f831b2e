for k in 1 2 3; do canfar-split stripe --replica $k --replicas 3 a b c d e f g | tr '\n' ' '; echo; done
