for k in 0/3 -1/3 4/3; do canfar-split stripe --upstream --replica $k a b c && echo $k: nothing; done
REPLICA_ID=0 REPLICA_COUNT=3 canfar-split stripe --upstream a b c
REPLICA_ID=2 REPLICA_COUNT=3 canfar-split stripe --upstream a b c
canfar-split stripe --upstream a b
canfar-split stripe --upstream --replica 1/0 a
