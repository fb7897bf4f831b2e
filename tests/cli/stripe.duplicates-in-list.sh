# --from alone is not checked, as it streams; with arguments all are
printf 'a\na\n' >list
canfar-split stripe --replica 1/1 --from list
canfar-split stripe --replica 1/1 --from list b
