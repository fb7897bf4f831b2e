touch a
printf 'a\na\n' | canfar-split size --replica 1/2 --from -
