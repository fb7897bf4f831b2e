printf 'a\nb\0c d\0e\0' | canfar-split stripe --replica 1/2 -0 --from - | od -c
