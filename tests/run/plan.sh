#!/bin/sh
# Planning: the same again is fine, another is refused by its first difference; bad input is named.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
for i in 1 2 3; do head -c "$i" /dev/zero >"$i.fits"; done
code 0 canfar-split plan r.run --replicas 2 '*.fits' -- true
says err "r.run: 3 items for 2 replicas by size; to run it: canfar-split launch r.run --on local"
code 0 canfar-split plan r.run --replicas 2 '*.fits' -- true
says err "r.run: already planned"
code 2 canfar-split plan r.run --replicas 3 '*.fits' -- true
says err "'r.run' was planned for 2 replicas, not 3"
code 2 canfar-split plan r.run --replicas 2 --strategy chunk '*.fits' -- true
says err "'r.run' was planned with strategy size, not chunk"
code 2 canfar-split plan r.run --replicas 2 '*.fits' -- false
says err "'r.run' was planned with command 'true', not 'false'"
code 2 canfar-split plan r.run --replicas 2 --retries 1 '*.fits' -- true
says err "'r.run' was planned with another value of option 'retries'"
code 2 canfar-split plan r.run --replicas 2 1.fits 2.fits -- true
says err "'r.run' was planned with 3 items, not 2"
code 2 canfar-split plan r.run --replicas 2 3.fits 2.fits 1.fits -- true
says err "'r.run' was planned with other items, or with them in another order"
code 2 canfar-split plan n.run '*.fits' -- true
says err "among how many replicas? --replicas N"
code 2 canfar-split plan n.run --replicas 0 '*.fits' -- true
says err "a run has 1 to"
code 2 canfar-split plan n.run --replicas 2 '*.fit' -- true
says err "'*.fit'"
code 2 canfar-split plan n.run --replicas 2 1.fits 1.fits -- true
says err "'1.fits'"
code 2 canfar-split plan n.run --replicas 2 1.fits nothing.fits -- true
says err "'nothing.fits'"
code 2 canfar-split plan n.run --replicas 2 --from no-such-list -- true
says err "cannot open 'no-such-list': No such file or directory"
code 2 canfar-split plan n.run --replicas 2 --from /dev/null -- true
code 2 canfar-split plan n.run --replicas 2 --strategy best '*.fits' -- true
says err "best"
code 2 canfar-split plan no/such/folder/n.run --replicas 2 '*.fits' -- true
says err "No such file or directory"
code 2 canfar-split plan n.run --replicas 2 --cwd no/such '*.fits' -- true
mkdir full
: >full/file
code 2 canfar-split plan full --replicas 2 '*.fits' -- true
says err "'full' is not a run directory"
mkdir empty
code 0 canfar-split plan empty --replicas 2 '*.fits' -- true
[ ! -e n.run ] || fail "a refused plan left something"
[ -z "$(find . -name '.*plan-*')" ] || fail "left over: $(find . -name '.*plan-*')"
[ "$(stat -c %a r.run r.run/run.json r.run/journal | tr '\n' ' ')" = "700 600 700 " ] || fail "$(stat -c '%a %n' r.run r.run/*)"
code 0 canfar-split plan g.run --group --replicas 2 '*.fits' -- true
[ "$(stat -c %a g.run g.run/run.json g.run/journal | tr '\n' ' ')" = "750 640 750 " ] || fail "$(stat -c '%a %n' g.run g.run/*)"
code 0 canfar-split launch g.run --on local
[ -z "$(find g.run -type f ! -perm 640)" ] || fail "not for the group: $(find g.run -type f ! -perm 640)"
[ -z "$(find r.run -type f ! -perm 600)" ] || fail "not 0600: $(find r.run -type f ! -perm 600)"
lz4 -dc r.run/items.lz4 | tr '\0' '\n' >out
printf '3\t3.fits\n2\t2.fits\n1\t1.fits\n' | cmp - out || fail "$(cat out)"
# an empty list, if that is right: complete at once
code 0 canfar-split plan e.run --replicas 2 --strategy chunk --allow-empty --from /dev/null -- true
code 0 canfar-split launch e.run --on local
code 0 canfar-split verify e.run
code 2 canfar-split status no.run
says err "there is no run 'no.run'"
code 2 canfar-split status full
code 2 canfar-split explain r.run other.fits
says err "'other.fits' is not an item of 'r.run'"
code 2 canfar-split items r.run --state finished
code 2 canfar-split verify r.run other
says err "verify: what is 'other'?"
code 2 canfar-split stop r.run now
says err "stop: what is 'now'?"
code 0 canfar-split plan c.run --replicas 2 '*.fits'
code 2 canfar-split run c.run --replica 1
says err "'c.run' was planned without a command"
code 2 canfar-split verify
says err "verify: which run?"
code 2 canfar-split launch r.run
# Without a command it is for programs that link the library; `run` says so.
code 0 canfar-split plan library.run --replicas 2 '*.fits'
says err "library.run: 3 items for 2 replicas by size; without a command: for programs that link the library"
code 2 canfar-split run library.run --replica 1
says err "'library.run' was planned without a command"
