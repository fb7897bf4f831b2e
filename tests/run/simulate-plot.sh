#!/bin/sh
# simulate --plot: a picture of every curve, and what is said where none can be drawn.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
tool=$(command -v canfar-split)
seq 1 99 | awk '{ print $1 * $1 "\titem " $1 }' >list
simulate() { canfar-split simulate --weights column --from list "$@"; }

# no picture of that kind
code 2 simulate --plot picture.jpg
says err "simulate: --plot needs a name that ends in .svg or .png, not 'picture.jpg'"
code 2 simulate --plot .svg

# no gnuplot: said before anything is reckoned
mkdir empty
code 2 env PATH="$work/empty" "$tool" simulate --weights column --from list --plot picture.svg
says err "simulate: --plot draws with gnuplot, and it cannot be started: No such file or directory"
[ ! -s out ] || fail "$(cat out)"

# one that fails: the picture that was there stays, and nothing lies about
mkdir broken
cat >broken/gnuplot <<'END'
#!/bin/sh
[ -z "$(head -c 1)" ] || exit 3
END
chmod +x broken/gnuplot
echo kept >picture.svg
code 5 env PATH="$work/broken:$PATH" "$tool" simulate --weights column --from list --plot picture.svg
says err "simulate: gnuplot could not draw it (exit 3)"
[ "$(cat picture.svg)" = kept ] || fail "the old picture is gone"
[ "$(echo picture*)" = picture.svg ] || fail "left: $(echo picture*)"

command -v gnuplot >/dev/null || skip "no gnuplot: the rest is as it should be"
name="it's a picture.svg"
code 0 simulate --plot "$name"
says out "recommended: "
[ ! -s err ] || fail "$(cat err)"
for word in chunk stripe even size hash blocks queue; do says "$name" ">$word<"; done
for word in chunk stripe even size hash; do says "$name" ">$word, own share only<"; done
says "$name" "99 items by weight"
says "$name" "</svg>"
# the numbers of replicas stand below it, and each makespan is inside, be it the only one
for number in 1 2 4 8 16 32 64 128 256 512; do says "$name" ">$number<"; done
printf '5\tone\n' >single
code 0 canfar-split simulate --weights column --from single --plot single.svg
[ ! -s err ] || fail "$(cat err)"
code 0 simulate --replicas 3,1000,1000000,1001 --plot few.svg
[ ! -s err ] || fail "$(cat err)"
for number in 3 1000 1000000; do says few.svg ">$number<"; done
code 0 simulate --plot "$name" --json
grep -q '"unit": *"weight"' out || fail "$(cat out)"
code 0 simulate --replicas 4 --plot one.png
[ "$(head -c 4 one.png | tail -c 3)" = PNG ] || fail "it is no PNG"
[ ! -s err ] || fail "$(cat err)"
# nothing ever ends: there is still the lower bound to draw
code 0 simulate --rate 100 --replicas 2 --lose 2 --plot never.svg
says out "none of it ends: all replicas die"
code 5 simulate --plot no/folder.svg
says err "cannot write 'no/folder.svg': No such file or directory"
