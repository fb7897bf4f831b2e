# the order of the list changes nothing
for i in 1 2 3 4 5 6 7 8 9; do head -c $((i % 4)) /dev/zero >f$i; done
canfar-split size --replica 2/3 f1 f2 f3 f4 f5 f6 f7 f8 f9 >there
canfar-split size --replica 2/3 f9 f7 f8 f1 f2 f5 f4 f3 f6 >back
cmp there back && cat there
