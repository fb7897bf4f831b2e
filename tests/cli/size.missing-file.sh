touch a
canfar-split size --replica 1/2 a b
