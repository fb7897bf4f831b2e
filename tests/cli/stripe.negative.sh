canfar-split stripe --replica -1 --replicas 3 a b c
