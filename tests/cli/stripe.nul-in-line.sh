printf 'a\nb\0c\n' | canfar-split stripe --replica 1/1 --from -
