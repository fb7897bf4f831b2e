mkdir -p d/e/f other
touch d/z.fits d/e/a.fits d/e/f/m.fits d/e.fits d/readme other/o.fits
ln -s ../other d/link
ln -s ../other/o.fits d/o.fits
canfar-split stripe --replica 1/1 -r d --match '*.fits' -r other first
