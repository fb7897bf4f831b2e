mkdir d
canfar-split stripe --replica 1/1 --from d
