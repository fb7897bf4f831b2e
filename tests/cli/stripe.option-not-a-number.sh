canfar-split stripe --replica 1of3 a b c
