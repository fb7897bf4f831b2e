canfar-split stripe --replicas 3 a b c
