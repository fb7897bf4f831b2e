#!/bin/sh
# A share that could not be packed is no share, and no success: at the first call, and behind what is written already.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
[ -n "${CFSPLIT_SHIM:-}" ] || skip "no shim"
seq 1 200000 >list
for call in 1 2; do
    code 5 shimmed "SHIM_NO_PACK=$call" canfar-split chunk --lz4 --replica 1/1 --from list
    says err "canfar-split: cannot write the output: Cannot allocate memory"
    mv out packed
    code 2 canfar-split chunk --replica 1/1 --from packed
    says err "'packed' ends in the middle of an LZ4 frame"
done
code 0 shimmed SHIM_NO_PACK=1000000 canfar-split chunk --lz4 --replica 1/1 --from list
mv out packed
code 0 canfar-split chunk --replica 1/1 --from packed
cmp out list
