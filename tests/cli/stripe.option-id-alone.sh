canfar-split stripe --replica 1 a b c
