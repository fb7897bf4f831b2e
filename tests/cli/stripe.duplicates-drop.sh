canfar-split stripe --replica 1/1 --duplicates drop a b a
printf 'c\nd\nc\n' | canfar-split stripe --replica 1/1 --duplicates drop --from -
