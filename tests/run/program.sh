#!/bin/sh
# A program that cannot be run is said once, apart from failures, and nothing counts as started.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
echo '#!/bin/sh' >one.sh
code 0 canfar-split plan r.run --replicas 1 --strategy chunk a b -- ./one.sh {}
code 2 canfar-split run r.run --replica 1
says err "cannot run './one.sh': Permission denied (no item was started)"
code 0 canfar-split plan s.run --replicas 1 --strategy chunk a b -- no-such-program {}
code 2 canfar-split run s.run --replica 1
says err "cannot run 'no-such-program': No such file or directory (no item was started)"
printf '#!/no/such/interpreter\n' >two.sh
chmod +x two.sh
code 0 canfar-split plan t.run --replicas 1 --strategy chunk a b -- ./two.sh {}
code 2 canfar-split run t.run --replica 1
says err "cannot run './two.sh': No such file or directory"
[ "$(canfar-split items t.run --state pending | wc -l)" -eq 2 ] || fail "$(canfar-split status t.run)"
chmod +x one.sh
code 0 canfar-split run r.run --replica 1
code 0 canfar-split verify r.run
printf '#!/bin/sh\nexit 0\n' >two.sh
code 0 canfar-split run t.run --replica 1
code 0 canfar-split verify t.run
