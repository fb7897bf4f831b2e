# an item's replica does not depend on what else is in the list
seq 50 | canfar-split hash --replica 2/3 --from - >all
seq 50 -1 1 | canfar-split hash --replica 2/3 --from - | sort -n | cmp - all && echo same
