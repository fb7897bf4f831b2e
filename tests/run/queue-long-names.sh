#!/bin/sh
# Names as long as names may be: a batch of 64 of them is larger than a message may be, and its items come in several.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
long=$(head -c 59990 /dev/zero | tr '\0' n)
i=0
while [ "$i" -lt 100 ]; do # some tell themselves, some do not: LZ4 is of no help with the second half
    i=$((i + 1))
    if [ "$i" -le 50 ]; then
        printf '%s-%04d\0' "$long" "$i"
    else
        printf '%s-%04d\0' "$(head -c 44990 /dev/urandom | base64 -w 0)" "$i"
    fi
done >list
code 0 canfar-split plan r.run --strategy queue --batch 64 --replicas 2 --network-timeout 10m -0 --from list -- \
    sh -c 'printf "%s %s\n" "${#1}" "${1##*-}" >>"$0"' "$work/ran" {}
code 0 canfar-split launch r.run --on local
code 0 canfar-split verify r.run
count done 100
[ "$(awk '$1 > 59990' ran | sort -u | wc -l)" = 100 ] && [ "$(wc -l <ran)" = 100 ] || fail "$(cat ran)"
! grep -q "was not reached" err || fail "$(cat err)"
