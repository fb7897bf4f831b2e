long=$(printf '%4000s' '' | tr ' ' x)
canfar-split stripe --replica 1/1 "$long" | wc -c
printf '%60000s\n%60000s' '' '' | tr ' ' y | canfar-split stripe --replica 1/1 --from - | wc -c
