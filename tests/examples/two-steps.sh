#!/bin/sh
# examples/two-steps.sh with the real programs: what becomes of images, of files without one, and of broken ones; that its
# products have their names only when both are whole; and that a run of it accounts for each file.
# shellcheck source=common.sh
. "${0%/*}/common.sh"
for program in fitsverify source-extractor astnoisechisel; do
    command -v "$program" >/dev/null || { echo "skipped: no $program (Debian: fitsverify source-extractor gnuastro)"; exit 77; }
done

# header KEY=VALUE...: at most 35 cards of 80 bytes and END, filled up to a block of 2880
header() {
    cards=
    for card; do
        case $card in *\') align=- ;; *) align= ;; esac # text begins in column 11
        cards=$cards$(printf "%-8s= %${align}20s%50s." "${card%%=*}" "${card#*=}" '')
        cards=${cards%.}
    done
    printf '%-2880s' "${cards}END"
}
# Noise about 100, and nine stars: 300 x 300 pixels of a byte each. Random numbers: minimal standard, seed 1.
sky() {
    LC_ALL=C awk '
        function uniform() { x = x * 16807 % 2147483647; return x / 2147483647 }
        BEGIN {
            x = 1
            for (row = 1; row <= 300; row++)
                for (column = 1; column <= 300; column++) {
                    far = (row % 100 - 50) ^ 2 + (column % 100 - 50) ^ 2
                    printf "%c", int(100 + 8 * sqrt(-2 * log(uniform())) * cos(6.283185307 * uniform()) + 100 * exp(-far / 8))
                }
        }' | fill
}
fill() { # up to a block of 2880, with zeros
    cat >data
    cat data
    dd if=/dev/zero bs=1 count=$((2880 - $(wc -c <data) % 2880)) 2>/dev/null
}

mkdir in
{ header SIMPLE=T BITPIX=8 NAXIS=2 NAXIS1=300 NAXIS2=300 && sky; } >image.fits
header SIMPLE=T BITPIX=8 NAXIS=0 EXTEND=T >in/headers.fits
{ cat in/headers.fits && header "XTENSION='IMAGE   '" BITPIX=8 NAXIS=2 NAXIS1=300 NAXIS2=300 PCOUNT=0 GCOUNT=1 && sky; } >in/extension.fits
{ header SIMPLE=T BITPIX=8 NAXIS=3 NAXIS1=30 NAXIS2=32 NAXIS3=3 && dd if=/dev/zero bs=2880 count=1; } >in/cube.fits 2>/dev/null
{ header SIMPLE=T BITPIX=8 NAXIS=1 NAXIS1=2880 && dd if=/dev/zero bs=2880 count=1; } >in/line.fits 2>/dev/null
{ header SIMPLE=T BITPIX=8 NAXIS=2 NAXIS1=48 NAXIS2=60 && dd if=/dev/zero bs=2880 count=1; } >in/flat.fits 2>/dev/null
{ header SIMPLE=T BITPIX=8 NAXIS=2 NAXIS1=300 NAXIS2=300 lower=1 && sky; } >in/invalid.fits
cp image.fits 'in/a b:c[1].fits'
gzip -c image.fits >'in/@p a c k e d.fits.gz'
head -c 9000 image.fits >in/cut.fits
head -c 300 image.fits >in/cut-header.fits
sed 's/^/x/' image.fits >in/alien.fits
: >in/empty.fits

# run FILE [PIXELS]: sets code and last, the last line printed
run() {
    code=0
    CANFAR_SPLIT_ATTEMPT=2 TWO_STEPS_PIXELS=${2:-1000000} two-steps.sh "$1" "out dir/$1.cat" >said 2>&1 || code=$?
    last=$(tail -n 1 said)
}
# ends FILE CODE LINE: so it ends, says that last, and leaves nothing
ends() {
    rm -rf 'out dir'
    run "$1"
    same "exit code for $1" "$code" "$2"
    same "last line for $1" "$last" "$3"
    same "what is left of $1" "$(find 'out dir' -type f -o -name '*.attempt-*')" ""
}
# is_done FILE [PIXELS]: with a catalogue and a map of the sky, and nothing else
is_done() {
    rm -rf 'out dir'
    run "$@"
    [ "$code" -eq 0 ] || fail "exit $code for $1: $(cat said)"
    [ "$(grep -vc '^#' "out dir/$1.cat")" -ge 9 ] || fail "no nine sources in $1: $(cat "out dir/$1.cat")"
    same "products of $1" "$(cd 'out dir/in' && LC_ALL=C ls)" "${1#in/}.cat
${1#in/}.cat.sky.fits"
}

is_done 'in/a b:c[1].fits'
is_done 'in/@p a c k e d.fits.gz'
is_done in/extension.fits
same "a whole image" "$(astfits --quiet --hdu=1 --keyvalue=NAXIS1,NAXIS2 'out dir/in/extension.fits.cat.sky.fits' | tr -s ' ')" "300 300"
is_done in/extension.fits 40000
same "the middle of an image" "$(astfits --quiet --hdu=1 --keyvalue=NAXIS1,NAXIS2 'out dir/in/extension.fits.cat.sky.fits' | tr -s ' ')" "200 200"
grep -q 'the middle of 300 x 300 pixels: 51:250,51:250' said || fail "it does not say what it took: $(cat said)"

ends in/flat.fits 65 "too little sky in its first image for NoiseChisel"
ends in/cube.fits 65 "no image in it: cubes only"
ends in/line.fits 65 "no image in it: 1-D data only"
ends in/headers.fits 65 "no image in it: no data at all"
ends in/invalid.fits 65 "not valid FITS"
ends in/alien.fits 65 "not a FITS file"
ends in/empty.fits 65 "the file is empty"
ends in/cut.fits 1 "the file is cut off: its headers promise more than it holds"
ends in/cut-header.fits 1 "the file is cut off, or its first header is damaged"
code=0
two-steps.sh in/gone.fits out.cat >said 2>&1 || code=$?
same "exit code for a file that is not there" "$code" 66
same "what it says" "$(cat said)" "cannot read 'in/gone.fits'"
code=0
TWO_STEPS_PIXELS=4M two-steps.sh image.fits out.cat >said 2>&1 || code=$?
same "exit code for pixels that are no number" "$code" 64

# A program that does not do its part: no reject, and no product.
mkdir bin
printf '#!/bin/sh\necho "astnoisechisel: out of memory" >&2\nexit 1\n' >bin/astnoisechisel
chmod +x bin/astnoisechisel
(PATH=$folder/bin:$PATH && ends 'in/a b:c[1].fits' 1 "astnoisechisel failed (exit 1): out of memory")

rm -rf 'out dir'
canfar-split plan r.run --replicas 1 --reject-exit 65 -r in --match '*.fits*' -- two-steps.sh '{}' 'out dir/{#}.cat' 2>err || fail "$(cat err)"
code=0
canfar-split launch r.run --on local >said 2>&1 || code=$?
same "exit code of the run" "$code" 1
same "what is done" "$(canfar-split items r.run --state done | LC_ALL=C sort)" 'in/@p a c k e d.fits.gz
in/a b:c[1].fits
in/extension.fits'
same "what failed" "$(canfar-split items r.run --state failed | LC_ALL=C sort)" "in/cut-header.fits
in/cut.fits"
same "why one is rejected" "$(canfar-split items r.run --state rejected --why | grep cube | cut -f 2)" "no image in it: cubes only"
