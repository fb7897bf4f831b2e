canfar-split stripe --replica 1/3 --replicas 4 a b c
