REPLICA_ID=first REPLICA_COUNT=3 canfar-split stripe a b c
