#!/bin/sh
# What one item of the demo means: find the sources in one FITS file and write them as a catalogue.
#
#   one.sh FILE CATALOGUE
#
# Exit codes: 0 done; 65 there is no image in FILE, so there is nothing to do (--reject-exit 65); anything else failed.
# The last line printed says why.
#
# A pod can be killed at any instruction, and a file can be started twice. So everything is written in a folder of this
# attempt's own, and the catalogue gets its name only when it is whole.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: one.sh FILE CATALOGUE" >&2
    exit 64
fi
file=$1
catalogue=$2
case $file in /*) ;; *) file=$PWD/$file ;; esac
case $catalogue in /*) ;; *) catalogue=$PWD/$catalogue ;; esac
if ! [ -f "$file" ] || ! [ -r "$file" ]; then
    echo "cannot read '$1'"
    exit 66
fi
[ -d "${catalogue%/*}" ] || mkdir -p "${catalogue%/*}"
folder=$(mktemp -d "$catalogue.attempt-${CANFAR_SPLIT_ATTEMPT:-0}.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$folder"

# Under a plain name here: source-extractor reads some characters of a name in its own way, and no gzip.
case $file in
*.gz) gzip -dc <"$file" >image.fits ;;
*) ln -s "$file" image.fits ;;
esac
printf '%s\n' NUMBER ALPHA_J2000 DELTA_J2000 X_IMAGE Y_IMAGE FLUX_AUTO MAG_AUTO FLAGS >columns

# HDU by HDU, one line each: what it is (image, line, table, nothing), or what is wrong with the file.
walk_headers() {
    size=$(wc -c <image.fits)
    block=0
    while [ $((block * 2880)) -lt "$size" ]; do
        hdu=$(dd if=image.fits bs=2880 skip="$block" 2>/dev/null | LC_ALL=C tr -c ' -~' '?' | fold -b -w 80 | LC_ALL=C awk -v first="$block" '
            function card(key) { return substr($0, 1, 8) == sprintf("%-8s", key) }
            function value() { v = substr($0, 11); sub(/\/.*/, "", v); gsub(/[ \047]/, "", v); return v }
            NR == 1 && first == 0 && !card("SIMPLE") { print "alien 0 0"; known = 1; exit }
            NR == 1 && first > 0 && !card("XTENSION") { print "trailer 0 0"; known = 1; exit }
            card("XTENSION") { kind = value() }
            card("BITPIX") { bits = value(); if (bits < 0) bits = -bits }
            card("NAXIS") { axes = value() + 0 }
            /^NAXIS[1-9]/ { axis[substr($0, 6, 3) + 0] = value() + 0 }
            card("PCOUNT") { extra = value() }
            card("GCOUNT") { groups = value() }
            card("ZIMAGE") { packed = value() == "T" }
            card("END") {
                pixels = axes > 0
                for (i = 1; i <= axes; i++) { pixels *= axis[i]; wide += axis[i] > 1 }
                if (groups == "") groups = 1
                bytes = bits / 8 * groups * (extra + pixels)
                what = packed ? "image" : kind ~ /TABLE/ ? "table" : !pixels ? "nothing" : wide > 1 ? "image" : "line"
                header = int((NR + 35) / 36)
                printf "%s %.0f %.0f\n", what, header + int((bytes + 2879) / 2880), header * 2880 + bytes
                known = 1
                exit
            }
            NR > 36000 { exit }
            END { if (!known) print "endless 0 0" }')
        # shellcheck disable=SC2086 # three words: what it is, its blocks, its bytes without the padding
        set -- $hdu
        echo "$1"
        [ "$2" -gt 0 ] || return 0
        [ $((block * 2880 + $3)) -le "$size" ] || echo short
        block=$((block + $2))
    done
}

# Says why there is nothing to do. It is the reason that canfar-split shows.
reject() {
    echo "$1"
    exit 65
}

code=0
source-extractor image.fits -c /dev/null -PARAMETERS_NAME columns -FILTER N -CATALOG_NAME catalogue \
    -VERBOSE_TYPE QUIET >said 2>&1 || code=$?
if [ "$code" -eq 0 ]; then
    cat said
    mv -f catalogue "$catalogue"
    exit 0
fi

# Is it the program that failed, or is there nothing to do in this file? Only then the headers are read.
if [ "$code" -eq 1 ]; then
    [ -s image.fits ] || reject "the file is empty"
    found=$(walk_headers | LC_ALL=C sort -u | tr '\n' ' ')
    case " $found" in
    *' image '* | *' short '* | *' endless '*) ;;
    *' alien '*) reject "not a FITS file" ;;
    *' line '*'table '*) reject "no image in it: 1-D data and tables only" ;;
    *' line '*) reject "no image in it: 1-D data only" ;;
    *' table '*) reject "no image in it: tables only" ;;
    *) reject "no image in it: no data at all" ;;
    esac
    case " $found" in
    *' short '* | *' endless '*) echo "the file is cut off: its headers promise more than it holds" >>said ;;
    esac
fi
LC_ALL=C tr '\r\033' '[\n*]' <said | sed -e 's/^\[1[AM]//' -e 's/^> *//' -e '/^ *$/d'
exit "$code"
