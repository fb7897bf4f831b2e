REPLICA_ID=x canfar-split chunk --upstream a b c
