for k in 1 2 3 4; do canfar-split chunk --replica $k/4 a b c d e f g h i j | tr '\n' ' '; echo; done
