printf '5\ta\n1\tb\n6\tc\n1\td e\n' >list
for k in 1 2; do canfar-split size --weights column --replica $k/2 --from list; echo; done
