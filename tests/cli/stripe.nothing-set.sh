canfar-split stripe a b
