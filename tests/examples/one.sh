#!/bin/sh
# examples/one.sh: what it does with each answer of source-extractor (a stand-in here, so that nothing need be installed),
# and that a catalogue has its name only when it is whole.
# shellcheck source=common.sh
. "${0%/*}/common.sh"

# header KEY=VALUE...: cards of 80 bytes, END, filled up to a block of 2880.
header() {
    {
        for card; do
            printf '%-8s= %20s%50s' "${card%%=*}" "${card#*=}" "/ a comment"
        done
        printf '%-80s' END
    } | dd bs=2880 conv=sync 2>/dev/null
}
zeros() {
    dd if=/dev/zero bs=2880 count="$1" 2>/dev/null
}

mkdir bin
cat >bin/source-extractor <<'SCRIPT'
#!/bin/sh
printf 'partial' >catalogue
case $FAKE in
done) printf ' and whole\n' >>catalogue ;;
killed) kill -KILL $$ ;;
*)
    printf '\n> %s\n\n' "$FAKE" >&2
    exit 1
    ;;
esac
SCRIPT
chmod +x bin/source-extractor
PATH=$folder/bin:$PATH
export FAKE

# run FILE: sets code and last, the last line printed
run() {
    code=0
    CANFAR_SPLIT_ATTEMPT=2 one.sh "$1" "out/$1.cat" >said 2>&1 || code=$?
    last=$(tail -n 1 said)
}
none_left() {
    same "what is left in out/ of $1" "$(find out -name '*.attempt-*')" ""
}
is_rejected() {
    run "$1"
    same "exit code for $1" "$code" 65
    same "reason for $1" "$last" "$2"
    [ ! -e "out/$1.cat" ] || fail "$1 has a catalogue"
    none_left "$1"
}
is_failed() {
    run "$1"
    same "exit code for $1" "$code" "$2"
    same "last line for $1" "$last" "$3"
    [ ! -e "out/$1.cat" ] || fail "$1 has a catalogue"
    none_left "$1"
}

{ header SIMPLE=T BITPIX=16 NAXIS=2 NAXIS1=10 NAXIS2=10 && zeros 1; } >image.fits
head -c 3000 image.fits >cut.fits
head -c 300 image.fits >cut-header.fits
gzip -c image.fits >image.fits.gz
{ header SIMPLE=T BITPIX=16 NAXIS=1 NAXIS1=1500 && zeros 2; } >line.fits
header SIMPLE=T BITPIX=16 NAXIS=0 >headers.fits
{ header "XTENSION='BINTABLE'" BITPIX=8 NAXIS=2 NAXIS1=100 NAXIS2=30 PCOUNT=10 GCOUNT=1 && zeros 2; } >table
{ header "XTENSION='BINTABLE'" BITPIX=8 NAXIS=2 NAXIS1=8 NAXIS2=10 PCOUNT=0 GCOUNT=1 ZIMAGE=T && zeros 1; } >packed
{ header "XTENSION='IMAGE   '" BITPIX=-32 NAXIS=2 NAXIS1=10 NAXIS2=10 PCOUNT=0 GCOUNT=1 && zeros 1; } >extension
cat headers.fits table >table.fits
cat line.fits table >line-and-table.fits
cat headers.fits table extension >table-and-image.fits
cat headers.fits packed >packed.fits
sed 's/^/x/' image.fits >alien.fits
: >empty.fits

FAKE='done'
for name in 'a b:c[1].fits' -dash.fits "it's.fits"; do
    cp image.fits "./$name"
    run "$name"
    same "exit code for $name" "$code" 0
    same "catalogue of $name" "$(cat "out/$name.cat")" "partial and whole"
done
run image.fits.gz
same "exit code for a gzip file" "$code" 0

FAKE="Not enough valid FITS image extensions in image.fits"
is_rejected line.fits "no image in it: 1-D data only"
is_rejected table.fits "no image in it: tables only"
is_rejected line-and-table.fits "no image in it: 1-D data and tables only"
is_rejected headers.fits "no image in it: no data at all"
is_rejected alien.fits "not a FITS file"
is_rejected empty.fits "the file is empty"

is_failed image.fits 1 "$FAKE"
is_failed table-and-image.fits 1 "$FAKE"
is_failed packed.fits 1 "$FAKE"
is_failed cut.fits 1 "the file is cut off: its headers promise more than it holds"
is_failed cut-header.fits 1 "the file is cut off: its headers promise more than it holds"
is_failed missing.fits 66 "cannot read 'missing.fits'"
FAKE=killed
run line.fits
same "exit code when source-extractor is killed" "$code" 137
none_left line.fits
