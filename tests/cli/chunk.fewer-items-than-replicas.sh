for k in 1 2 3 4; do canfar-split chunk --replica $k/4 a b | tr '\n' ' '; echo; done
