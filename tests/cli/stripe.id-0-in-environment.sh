REPLICA_ID=0 REPLICA_COUNT=3 canfar-split stripe a b c
