printf 12 >b; printf 1234567 >a; printf 12 >c; printf 12345 >d; printf 1234 >'e e'
for k in 1 2; do canfar-split size --replica $k/2 a b c d 'e e'; echo; done
