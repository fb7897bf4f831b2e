seq 1 100000 >list
canfar-split chunk --replica 2/2 --from - --from - <list
