printf '5\ta\n' >list
canfar-split size --weights column --replica 1/2 --from list b
