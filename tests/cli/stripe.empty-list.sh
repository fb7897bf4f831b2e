printf '\n\n' >list
canfar-split stripe --replica 1/2 --from list
