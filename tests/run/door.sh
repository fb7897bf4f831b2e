#!/bin/sh
# Two programs that link the library and two replicas that run a command are at work on one run at the same time. One of the
# programs is killed in the middle of an item: nothing is lost, nothing done twice.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
command -v example_measure >/dev/null || skip "built without CFITSIO"
real_files=$(dirname "$0")/../../examples/data/eso-midas-testdata # where examples/demo.sh has fetched them

# cards CARD...: a header of one block
cards() {
    printf '%-80s' "$@" END | awk '{ printf "%-2880s", $0 }'
}
# fits FILE TEXT: an image of bytes, which are the characters of TEXT
fits() {
    {
        cards "SIMPLE  =                    T" "BITPIX  =                    8" "NAXIS   =                    1" \
            "NAXIS1  = $(printf %20d ${#2})"
        printf %s "$2" | awk '{ printf "%-2880s", $0 }'
    } >"$1"
}

mkdir data results
for i in $(seq 38); do
    fits "data/$i.fits" abcabcabc
done
i=10
find "$real_files" -name '*.fits' -size -500k 2>/dev/null | sort | head -n 12 | while IFS= read -r file; do
    cp "$file" "data/$i.fits"
    i=$((i + 1))
done
cards "SIMPLE  =                    T" "BITPIX  =                    8" "NAXIS   =                    0" >data/empty.fits
mkfifo data/hold1.fits data/hold2.fits # a program that comes to one of these waits until somebody writes

cat >one.sh <<'SCRIPT'
#!/bin/sh
: >"at.$REPLICA_ID"
while [ ! -e go ]; do sleep 0.02; done
[ "$1" != data/empty.fits ] || exit 65
echo "a script" >"results/$CANFAR_SPLIT_INDEX.txt"
SCRIPT
chmod +x one.sh
{
    echo data/hold1.fits
    seq -f 'data/%g.fits' 1 9
    echo data/hold2.fits
    seq -f 'data/%g.fits' 10 17
    echo data/empty.fits
    seq -f 'data/%g.fits' 18 37
} >list
code 0 canfar-split plan r.run --replicas 4 --strategy chunk --retries 1 --reject-exit 65 --from list -- ./one.sh {}

code 2 example_measure r.run results
says err "no replica number here, and r.run has 4"
code 2 env REPLICA_ID=1 REPLICA_COUNT=5 example_measure r.run results
says err "replica 1 of 5, but r.run was planned for 4"

REPLICA_ID=1 REPLICA_COUNT=4 example_measure r.run results 2>err.1 &
first=$!
REPLICA_ID=2 REPLICA_COUNT=4 example_measure r.run results 2>err.2 &
second=$!
REPLICA_ID=3 REPLICA_COUNT=4 canfar-split run r.run 2>err.3 &
third=$!
REPLICA_ID=4 REPLICA_COUNT=4 canfar-split run r.run 2>err.4 &
fourth=$!
exec 3>data/hold1.fits # opens when a program opens it to read
exec 4>data/hold2.fits
until_true 20 test -e at.3
until_true 20 test -e at.4
count running 4
kill -9 "$first"
wait "$first" 2>/dev/null || true
fits hold1 abcabcabc
fits hold2 abcabcabc
mv hold1 data/hold1.fits
mv hold2 data/hold2.fits
exec 3>&- 4>&- # the second program reads what is there now, or fails with the nothing it got and tries again
: >go
wait "$second" || fail "$(cat err.2)"
wait "$third" || fail "$(cat err.3)"
wait "$fourth" || fail "$(cat err.4)"
code 0 env REPLICA_ID=1 REPLICA_COUNT=4 example_measure r.run results
says err "0 failed, 0 left"

code 0 canfar-split verify r.run
code 0 canfar-split status r.run --json
says out '"duplicates": 0'
done=$(canfar-split items r.run --state done -0 | tr -cd '\0' | wc -c)
count rejected $((40 - done)) # the one without an image, and such real ones
[ "$done" -lt 40 ] || fail "nothing was rejected"
[ "$(find results -name '*.txt' | wc -l)" -eq "$done" ] || fail "$done done: $(ls results)"
grep -qx '1 9 98 0.8164965809 97 99' results/*.txt || fail "no program measured anything: $(cat results/*.txt)"
code 0 canfar-split log r.run

# SIGTERM in the middle of an item: it is ended, no other is begun, nothing is charged; running it again goes on.
mkfifo data/hold3.fits
fits image abcabcabc
code 0 canfar-split plan t.run --replicas 1 --strategy chunk --weights none data/3.fits data/hold3.fits data/1.fits data/2.fits
REPLICA_ID=1 REPLICA_COUNT=1 example_measure t.run results.t 2>err.t &
told=$!
exec 3>data/hold3.fits # opens when the program opens it to read
kill -TERM "$told"
mv data/hold3.fits fifo
cp image data/hold3.fits # what it finds by that name from now on
printf SIMPLE >&3 # what CFITSIO looks at before it opens the file again
exec 3>&-
got=0
wait "$told" || got=$?
[ "$got" -eq 75 ] || fail "exit $got: $(cat err.t)"
says err.t "told to stop before the end; to go on, run it again"
[ "$(canfar-split items t.run --state pending | tr '\n' ' ')" = "data/1.fits data/2.fits " ] || fail "$(canfar-split items t.run --json)"
code 0 env REPLICA_ID=1 REPLICA_COUNT=1 example_measure t.run results.t
code 0 canfar-split verify t.run
says out "4 of 4 items accounted for"
[ "$(canfar-split items t.run --json | grep -c '"attempts":1,')" -eq 4 ] || fail "$(canfar-split items t.run --json)"
