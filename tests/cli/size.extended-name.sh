printf 123 >i.fits; printf 1 >a
canfar-split size --replica 1/1 a 'i.fits[1]'
