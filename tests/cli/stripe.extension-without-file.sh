canfar-split stripe --replica 1/1 'img.fits[1]'
