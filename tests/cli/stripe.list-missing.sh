canfar-split stripe --replica 1/1 --from nowhere.txt
