# the reader takes one line and leaves: no complaint
seq 100000 | canfar-split stripe --replica 1/1 --from - | head -n 1
