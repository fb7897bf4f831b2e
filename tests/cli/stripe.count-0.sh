canfar-split stripe --replica 1 --replicas 0 a
