printf '7\ta\nb\n' | canfar-split stripe --replica 1/1 --weights column --from -
