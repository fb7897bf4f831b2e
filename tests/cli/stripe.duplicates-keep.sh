canfar-split stripe --replica 1/1 --duplicates keep a b a
