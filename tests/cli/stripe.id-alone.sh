REPLICA_ID=1 canfar-split stripe a b c
