seq 200 | canfar-split stripe --replica 3/100 --from -
