# shellcheck shell=sh
# Sourced by the tests of this folder: four files of 1, 2, 3 and 4 bytes in a folder of the test's own, and what to say.
# $1: the folders of the built programs; $2: the folder of the examples.
set -eu
PATH=$1:$2:$PATH
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
unset REPLICA_ID REPLICA_COUNT

four_files() {
    printf 1 >'a b.fits'
    printf 22 >'c:d.fits'
    printf 333 >e.fits
    printf 4444 >-f.fits
}

fail() {
    echo "$*" >&2
    exit 1
}

# same WHAT GOT WANTED
same() {
    [ "$2" = "$3" ] || fail "$1: got '$2', not '$3'"
}
