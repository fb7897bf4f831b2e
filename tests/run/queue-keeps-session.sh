#!/bin/sh
# A replica whose ends are not told yet seems to hold more than it has slots. Asked to give back, it has nothing to give: no new session.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
trap 'kill -9 $first $second 2>/dev/null || :; wait; rm -rf "$work"' EXIT
first='' second=''
cat >one.sh <<'END'
#!/bin/sh
[ "$1" != long ] || { : >begun; until [ -e go ]; do sleep 0.05; done; }
END
chmod +x one.sh
printf '%s\n' a b c long >list
code 0 canfar-split plan r.run --strategy queue --replicas 2 --batch 4 --sync-every 10m --from list -- ./one.sh {}
canfar-split run r.run --replica 1 >1.out 2>&1 &
first=$!
until_true 30 test -e begun
canfar-split run r.run --replica 2 >2.out 2>&1 &
second=$!
# the coordinator tells of itself again and again: two are there, and all four are held
told() {
    until_true 60 sh -c 'awk -F "\t" "NR == 1 { exit !(\$4 == 2 && \$8 == 4) }" r.run/coordinator/seen-1 && [ r.run/coordinator/seen-1 -nt mark ]'
    touch mark
}
touch mark
told
told
told
: >go
wait "$first" || fail "replica 1: exit $?: $(cat 1.out)"
wait "$second" || fail "replica 2: exit $?: $(cat 2.out)"
first='' second=''
code 0 canfar-split verify r.run
[ "$(cat r.run/journal/1-* | grep -ac '^bound')" -eq 1 ] || fail "replica 1 began anew: $(grep -a '^bound' r.run/journal/*)"
