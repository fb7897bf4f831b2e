#!/bin/sh
# examples/split.c: linked with the shared library, it splits by size, largest first.
# shellcheck source=common.sh
. "${0%/*}/common.sh"
four_files

same "replica 1 of 2" "$(REPLICA_ID=1 REPLICA_COUNT=2 example_split './*.fits')" "./-f.fits
./a b.fits"
same "replica 2 of 2" "$(REPLICA_ID=2 REPLICA_COUNT=2 example_split './*.fits')" "./e.fits
./c:d.fits"

code=0
REPLICA_ID=1 REPLICA_COUNT=2 example_split './*.fit' >out 2>err || code=$?
same "exit code of a pattern without match" "$code" 2
[ ! -s out ] || fail "a pattern without match printed files"
grep -q '\*\.fit' err || fail "the message does not name the pattern: $(cat err)"
code=0
REPLICA_ID=1 REPLICA_COUNT=2 example_split e.fits e.fits >out 2>err || code=$?
same "exit code of a file named twice" "$code" 2
