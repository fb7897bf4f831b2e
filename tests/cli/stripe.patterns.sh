mkdir sub
touch b.fits a.fits B.fits sub/c.fits 'x y.fits' n.txt 'odd[1].fits'
canfar-split stripe --replica 1/1 '*.fits' extra 'sub/[a-c].fits' 'a.fits[1]' 'odd[1].fits[2]'
