canfar-split stripe --replica 1/1 a ''
