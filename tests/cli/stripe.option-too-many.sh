canfar-split stripe --replica 1/1000001 a
