# a deep and a wide tree, the same as find and sort say; the folder that cannot be read is named, the first of two
deep=t; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do deep=$deep/d$i; done
mkdir -p "$deep" t/w && touch "$deep/end.fits" t/top.fits
for i in 1 2 3 4 5 6 7 8 9; do mkdir -p "t/w/$i/.h" "t/w.$i" && touch "t/w/$i/a.fits" "t/w/$i/.h/b.fits" "t/w.$i/c.fits" "t/w/$i/d.txt"; done
ln -s ../top.fits t/w/link.fits; ln -s . t/w/loop; ln -s gone t/w/gone.fits; mkfifo t/w/pipe.fits
for _ in 1 2 3 4 5; do
    canfar-split stripe --replica 1/1 -r t --match '*.fits' >got
    { find t -type f -name '*.fits'; echo t/w/link.fits; } | sort >wanted
    cmp got wanted && wc -l <got
done
canfar-split stripe --replica 1/1 -r t/ --match '*.txt' | head -2
[ "$(id -u)" -ne 0 ] || drop='setpriv --reuid=65534 --clear-groups'
chmod 000 t/w/7 t/w/3 && chmod 755 . ..
$drop canfar-split --version >/dev/null 2>&1 || { echo 'another user cannot run the tool here' >&2; exit 77; }
$drop canfar-split stripe --replica 1/1 -r t
