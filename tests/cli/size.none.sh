canfar-split size --weights none --replica 1/2 d c b a
