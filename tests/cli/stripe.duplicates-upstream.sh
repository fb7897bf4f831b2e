canfar-split stripe --replica 1/1 --upstream a b a
