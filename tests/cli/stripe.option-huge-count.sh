canfar-split stripe --replica 1 --replicas 99999999999999999999999 a
