# a variable that is not set is not the root
canfar-split stripe --replica 1/1 -r ''
