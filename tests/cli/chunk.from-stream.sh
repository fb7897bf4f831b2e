# a regular file is read twice, also as standard input; a pipe is held
seq 10 >list
canfar-split chunk --replica 4/4 --from list
canfar-split chunk --replica 4/4 --from - <list
cat list | canfar-split chunk --replica 4/4 --from -
