printf 'a\n%60001s\n' '' | tr ' ' y | canfar-split stripe --replica 1/1 --from -
