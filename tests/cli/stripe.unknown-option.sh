canfar-split stripe --nope a
