# what the shell makes of a pattern, in the same order: dots, folders, wildcards of all kinds, slashes
mkdir -p d/sub d2
for name in a.fits b.fits .hidden.fits ab.fits a.txt 'x y.fits' 'a[1].fits' 'new
line.fits' Ä.fits B.fits '*.star'; do echo >"d/$name"; done
ln -s nowhere d/broken.fits
cp d/a.fits d2
for pattern in 'd/*.fits' 'd//*.fits' './d/a*' 'd/a*b*' 'd/?.fits' 'd/[ab]*' 'd*/a.*' 'd/.h*' 'd/*' '*/*.fits' 'd/a*.fits' 'd/[*]*' \
    'd/*b.fits' 'd/*]*' '*' 'd?' 'd/*fits*'; do
    canfar-split stripe -0 --replica 1/1 "$pattern" >"$HOME/got"
    IFS= && printf '%s\0' $pattern >"$HOME/wanted" && unset IFS
    cmp "$HOME/got" "$HOME/wanted" && echo "$pattern: $(tr -dc '\0' <"$HOME/got" | wc -c)"
done
canfar-split stripe --replica 1/1 'd/\**'
canfar-split stripe --replica 1/1 'd/nothing*'
canfar-split stripe --replica 1/1 'nowhere/*.fits'
