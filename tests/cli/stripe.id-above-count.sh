canfar-split stripe --replica 4/3 a b c
