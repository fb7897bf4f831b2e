#!/bin/sh
# An item of two steps: is this FITS file valid? Then find its sources, and what is sky in its first image.
#
#   two-steps.sh FILE CATALOGUE
#
# The first step is fitsverify; the second is source-extractor, which makes CATALOGUE, and NoiseChisel, which makes
# CATALOGUE.sky.fits: where there is a catalogue, there is this, too. Debian: fitsverify source-extractor gnuastro.
#
# NoiseChisel takes about a second for a million pixels. Of an image that has more than TWO_STEPS_PIXELS (16 million) it
# gets the middle.
#
# Exit codes: 0 done; 65 there is nothing to do in FILE (--reject-exit 65); anything else failed. The last line printed says
# why. As in one.sh, everything is written in a folder of this attempt's own, and gets its name only when it is whole.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: two-steps.sh FILE CATALOGUE" >&2
    exit 64
fi
file=$1
catalogue=$2
most=${TWO_STEPS_PIXELS:-16000000}
case $most in
'' | *[!0-9]*)
    echo "TWO_STEPS_PIXELS is no number: '$most'" >&2
    exit 64
    ;;
esac
case $file in /*) ;; *) file=$PWD/$file ;; esac
case $catalogue in /*) ;; *) catalogue=$PWD/$catalogue ;; esac
if ! [ -f "$file" ] || ! [ -r "$file" ]; then
    echo "cannot read '$1'" >&2
    exit 66
fi
[ -d "${catalogue%/*}" ] || mkdir -p "${catalogue%/*}"
folder=$(mktemp -d "$catalogue.attempt-${CANFAR_SPLIT_ATTEMPT:-0}.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$folder"

# Under a plain name here: all of these programs read some characters of a name in their own way.
case $file in
*.gz) gzip -dc <"$file" >image.fits ;;
*) ln -s "$file" image.fits ;;
esac

# What is printed last is the reason that canfar-split shows.
reject() {
    echo "$1" >&2
    exit 65
}
# step PROGRAM ARGUMENT...: what it prints is in `said`; if it fails, so does this, with what it says last
step() {
    code=0
    "$@" >said 2>&1 </dev/null || code=$?
    [ "$code" -ne 0 ] || return 0
    LC_ALL=C tr '\r\033' '[\n*]' <said | sed -e 's/^\[1[AM]//' -e 's/^> *//' -e '/^ *$/d' >plain
    cat plain >&2
    # The programs of Gnuastro give advice after that; their reason is a line that begins with their name.
    sed -n "s/^$1: //p" plain | grep -v -i warning >reason || tail -n 1 plain >reason
    echo "$1 failed (exit $code): $(head -n 1 reason)" >&2
    exit "$code"
}

# ---- the first step

# fitsverify's exit code is how many errors there are. It cannot read at all what is no FITS file.
[ -s image.fits ] || reject "the file is empty"
code=0
fitsverify -e image.fits >report 2>&1 </dev/null || code=$?
errors=$(sed -n 's/.*Verification found .* and \([0-9]*\) error.*/\1/p' report)
if [ -z "$errors" ]; then
    if ! grep -q 'Abort Verification' report; then
        cat report >&2
        echo "fitsverify failed (exit $code)" >&2
        exit "$code"
    fi
    [ "$(head -c 9 image.fits | tr -d '\0')" = "SIMPLE  =" ] || reject "not a FITS file"
    echo "the file is cut off, or its first header is damaged" >&2
    exit 1
fi
if grep -q '^< End-of-File >' report; then
    echo "the file is cut off: its headers promise more than it holds" >&2
    exit 1
fi
if [ "$errors" -gt 0 ]; then
    sed -n '/^\*\*\* Error/,/^ *$/p' report >&2
    reject "not valid FITS"
fi

# ---- the second step

# The first image of two axes: its HDU, width and height; or the words for what there is instead.
step astfits --quiet image.fits
first=$(LC_ALL=C awk '
    match($0, / (u?int[0-9]+|float[0-9]+|table_[a-z]+) +[0-9x]+( |$)/) {
        split(substr($0, RSTART, RLENGTH), word, " ")
        axes = split(word[2], pixels, "x")
        wide = 0
        for (i = 1; i <= axes; i++) wide += pixels[i] > 1
        if (word[1] ~ /^table/) tables = 1
        else if (wide > 2) cubes = 1
        else if (wide < 2 || pixels[1] == 1 || pixels[2] == 1) lines = 1
        else if (!image) image = $1 " " pixels[1] " " pixels[2]
    }
    END {
        what = (lines ? " and 1-D data" : "") (cubes ? " and cubes" : "") (tables ? " and tables" : "")
        print image ? image : what ? substr(what, 6) " only" : "no data at all"
    }' said)
case $first in
*only | no*) reject "no image in it: $first" ;;
esac
# shellcheck disable=SC2086 # three numbers
set -- $first
hdu=$1 width=$2 height=$3

printf '%s\n' NUMBER ALPHA_J2000 DELTA_J2000 X_IMAGE Y_IMAGE FLUX_AUTO MAG_AUTO FLAGS >columns
step source-extractor image.fits -c /dev/null -PARAMETERS_NAME columns -FILTER N -CATALOG_NAME catalogue -VERBOSE_TYPE QUIET
cat said

sky_of=image.fits
if [ $((width * height)) -gt "$most" ]; then
    middle=$(awk -v w="$width" -v h="$height" -v most="$most" '
        function part(all, side) { side = int(all * share); return int((all - side) / 2) + 1 ":" int((all - side) / 2) + side }
        BEGIN { share = sqrt(most / (w * h)); print part(w) "," part(h) }')
    step astcrop --quiet --mode=img --section="$middle" --hdu="$hdu" --output=middle.fits image.fits
    echo "NoiseChisel gets the middle of $width x $height pixels: $middle"
    sky_of=middle.fits hdu=1
fi
# Options that make do with little sky, so that small images have one, too. Where there is too little all the same, the file
# is not at fault, nor is NoiseChisel.
too_little='no sky pseudo-detections|pseudo-detections could be found|tiles usable after|neighbors found while'
(step astnoisechisel --quiet --numthreads=1 --rawoutput --oneelempertile --interpnumngb=4 --minnumfalse=5 \
    --meanmedqdiff=0.05 --outliersigma=50 --hdu="$hdu" --output=sky.fits "$sky_of") || {
    code=$?
    [ "$code" -ne 1 ] || ! grep -q -E "$too_little" said || reject "too little sky in its first image for NoiseChisel"
    exit "$code"
}

# The catalogue is last: where it is, all of it is.
mv -f sky.fits "$catalogue.sky.fits"
mv -f catalogue "$catalogue"
