#!/bin/sh
# examples/shell-pipeline.sh: the shares are what stripe says, each file once, and a wrong identity is an error.
# shellcheck source=common.sh
. "${0%/*}/common.sh"
four_files
tab=$(printf '\t')

got=$(REPLICA_ID=1 REPLICA_COUNT=2 shell-pipeline.sh './*.fits')
same "replica 1 of 2" "$got" "4$tab./-f.fits
2$tab./c:d.fits"
got=$(REPLICA_ID=2 REPLICA_COUNT=2 shell-pipeline.sh './*.fits')
same "replica 2 of 2" "$got" "1$tab./a b.fits
3$tab./e.fits"
got=$(REPLICA_ID=5 REPLICA_COUNT=5 shell-pipeline.sh './*.fits')
same "an empty share" "$got" ""

code=0
REPLICA_ID=3 REPLICA_COUNT=2 shell-pipeline.sh './*.fits' >out 2>err || code=$?
same "exit code of replica 3 of 2" "$code" 2
[ ! -s out ] || fail "replica 3 of 2 got files"
