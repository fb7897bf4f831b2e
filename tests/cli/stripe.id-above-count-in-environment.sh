REPLICA_ID=4 REPLICA_COUNT=3 canfar-split chunk a b c
