printf '7\ta\n9\tb c\n' | canfar-split stripe --replica 1/1 --weights column --from -
