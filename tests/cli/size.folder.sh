mkdir d
canfar-split size --replica 1/2 d
