canfar-split stripe --replica 1/1 --duplicates ignore a b a
