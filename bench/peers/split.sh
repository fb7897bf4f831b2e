# shellcheck shell=sh disable=SC2154
# Sourced by bench/peers.sh: one share of a list, 3 of 100. The names of all items are read, those of one share are printed.
shares=100
folder_files=$((items / 20)) weighed=$((items / 10))
seq -f '/some/folder/of/images/exposure-%08.0f.fits' 1 "$items" >list
awk '{ print 1 + (NR * 7919) % 100003 "\t" $0 }' list | head -n "$weighed" >weights
tr '\t' ' ' <weights >weights.fpart
mkdir folder
seq -f 'folder/exposure-%08.0f.fits' 1 "$folder_files" | xargs touch
recipe=$top/bench/peers/recipe.py

round_split() {
    for strategy in stripe chunk; do
        timed "$strategy" canfar-split "$items" "$tool" "$strategy" --replica "3/$shares" --from list
        timed "$strategy" 'Python recipe' "$items" "$python" "$recipe" "$strategy" 3 "$shares" list list
    done
    timed stripe 'split -n r' "$items" split -n "r/3/$shares" list
    timed stripe awk "$items" awk -v k=3 -v r="$shares" 'NR % r == k' list
    timed chunk 'split -n l' "$items" split -n "l/3/$shares" list
    timed folder canfar-split "$folder_files" "$tool" stripe --replica "3/$shares" 'folder/*.fits'
    timed folder 'Python recipe' "$folder_files" "$python" "$recipe" stripe 3 "$shares" glob 'folder/*.fits'
    timed folder fpart "$folder_files" fpart -n "$shares" -o parts folder
    timed size canfar-split "$weighed" "$tool" size --replica "3/$shares" --weights column --from weights
    timed size fpart "$weighed" fpart -a -n "$shares" -i weights.fpart -o parts
    rm -f parts.*
}

say_split() {
    say stripe canfar-split 'items/s' 'one share'
    say stripe 'split -n r' 'items/s' 'one share'
    say stripe awk 'items/s' 'one share'
    say stripe 'Python recipe' 'items/s' 'one share; the start of Python included'
    say chunk canfar-split 'items/s' 'one share'
    say chunk 'split -n l' 'items/s' 'one share, by bytes: it reads no other lines, and its shares differ in items'
    say chunk 'Python recipe' 'items/s' 'one share; the start of Python included'
    say folder canfar-split 'files/s' 'one stripe of a pattern, names sorted'
    say folder 'Python recipe' 'files/s' 'one stripe of a pattern, names not sorted'
    say folder fpart 'files/s' 'all shares, by size (a stat of each file), files of names written'
    say size canfar-split 'items/s' 'one share, weights from a column'
    say size fpart 'items/s' 'all shares, weights from a column, files of names written'
}
