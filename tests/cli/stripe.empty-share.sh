# an empty share of a list that is not empty is fine
canfar-split stripe --replica 3/3 a b
printf 'a\nb\n' | canfar-split stripe --replica 3/3 --from -
printf 'a\nb\n' | canfar-split even --replica 3/3 --from -
