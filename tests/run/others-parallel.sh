#!/bin/sh
# Interrupted, a new file appears that sorts first, and the run goes on: nothing is lost, nothing is done twice, and a second
# plan says that the list is another. GNU parallel's --resume counts lines of its job log instead: it never runs the new file,
# and one of the old ones twice (shown where it is installed).
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
touch b.fits c.fits d.fits
cat >one.sh <<'EOF'
#!/bin/sh
if [ "$1" = c.fits ] && [ ! -e go ]; then
    : >ready
    while [ ! -e go ]; do sleep 0.05; done
fi
echo "$1" >>ran
EOF
chmod +x one.sh
code 0 canfar-split plan r.run --replicas 1 --strategy chunk '*.fits' -- ./one.sh {}
setsid canfar-split run r.run --replica 1 2>err.first &
first=$!
until_true 20 test -e ready
code 0 canfar-split stop r.run --now
got=0
wait "$first" || got=$?
[ "$got" -eq 75 ] || fail "the interrupted one exits $got: $(cat err.first)"
[ "$(cat ran)" = b.fits ] || fail "before the interruption ran: $(cat ran)"

touch a.fits go
code 2 canfar-split plan r.run --replicas 1 --strategy chunk '*.fits' -- ./one.sh {}
says err "'r.run' was planned with 3 items, not 4"
code 0 canfar-split run r.run --replica 1
code 0 canfar-split verify r.run
says out "complete: 3 of 3 items accounted for: 3 done"
[ "$(sort ran | tr '\n' ' ')" = "b.fits c.fits d.fits " ] || fail "ran: $(cat ran)"
code 0 canfar-split plan new.run --replicas 1 --strategy chunk a.fits -- ./one.sh {}
code 0 canfar-split run new.run --replica 1
[ "$(sort ran | tr '\n' ' ')" = "a.fits b.fits c.fits d.fits " ] || fail "with the new one ran: $(cat ran)"

if command -v parallel >/dev/null; then
    rm a.fits
    : >theirs
    parallel --will-cite -j1 --joblog joblog 'echo {} >>theirs' ::: b.fits c.fits </dev/null >/dev/null 2>&1 || true
    touch a.fits
    parallel --will-cite -j1 --resume --joblog joblog 'echo {} >>theirs' ::: *.fits </dev/null >/dev/null 2>&1 || true
    echo "GNU parallel --resume ran: $(tr '\n' ' ' <theirs)"
fi
