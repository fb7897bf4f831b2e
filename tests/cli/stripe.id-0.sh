canfar-split stripe --replica 0/3 a b c
