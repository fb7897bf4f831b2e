#!/bin/sh
# Whether bench/run.sh works, judging no time: all parts with tiny sizes; without most programs of the build; bench/peers.sh without peers; and
# bench/strategies.sh with FITS files of two steps, and without a program for these.
# Nothing is installed. usage: bench/tiny.sh
# shellcheck source=bench/common.sh
. "$(dirname "$0")/common.sh"
export CFSPLIT_INSTALL=no

broken() {
    echo "FAILED: $*" >&2
    exit 1
}
# page FOLDER: its RESULTS.md has all sections, and no path of this machine
page() {
    for title in 'The machine' 'The parts' 'Beside peers' 'Where canfar-split loses' 'Wrong answers' 'Shares of the limits' 'How cost grows'; do
        grep -q "^## $title\$" "$1/RESULTS.md" || broken "$1/RESULTS.md has no '$title'"
    done
    ! grep -nF -e "$top" -e "$build" "$1/RESULTS.md" || broken "$1/RESULTS.md names this machine"
}

"$top/bench/run.sh" tiny "$work/all" 2>said || { cat said; broken 'not all parts ended well'; }
page all
grep -q '^| peers | done |' all/RESULTS.md || broken 'no part "peers"'
grep -q '^| canfar-split, queue |' all/RESULTS.md || broken 'no rate of the queue'
grep -q '^| each end synced, queue |' all/RESULTS.md || broken 'no share of the limits'
grep -q '^| resume | canfar-split, chunk | 0 |' all/RESULTS.md || broken 'something was lost'

mkdir -p other/bin
ln -s "$tool" other/bin/canfar-split
code=0
CFSPLIT_BUILD=$work/other "$top/bench/run.sh" tiny "$work/few" 2>said || code=$?
[ "$code" -eq 1 ] || { cat said; broken "exit $code where parts fail"; }
page few
grep -q '^| limits | failed (exit 2): no ' few/RESULTS.md || broken 'a part that failed is not told'
grep -q '^| spawn | done |' few/RESULTS.md || broken 'a part that failed ended others'

mkdir path
find /usr/bin -maxdepth 1 ! -name fpart ! -name xjobs ! -name 'parallel*' ! -name make ! -name makeflow ! -name beanstalkd ! -name 'redis-server*' \
    -exec ln -s -t path {} +
PATH=$work/path "$top/bench/peers.sh" 1 2000 spawn resume >bare 2>said || { cat said; broken 'no measurement without peers'; }
grep -q '^missing	spawn	GNU parallel	not installed$' bare || broken 'a peer that is missing is not told'
grep -q '^missing	resume	redis LPOP, killed	not installed$' bare || broken 'a server that is missing is not told'

mkdir fits
for n in 1 2 3; do printf '%-80s%-80s%-80s%-2640s' "SIMPLE  =                    T" "BITPIX  =                    8" "NAXIS   =                    0" END >"fits/$n.fits"; done
export CFSPLIT_FITS=$work/fits
if command -v fitsverify && command -v astnoisechisel && command -v source-extractor; then
    "$top/bench/strategies.sh" 1 0.1 2 two-steps,replay-two-steps 100 2 >two-steps 2>said || { cat said; broken 'no measurement of two steps'; }
    for what in two-steps:1 two-steps:2 replay-two-steps:2; do
        grep -q "^makespan	${what%:*}	chunk	${what#*:}	2	" two-steps || { cat two-steps; broken "no row of 2 files, $what"; }
    done
    grep -q '^makespan	replay-two-steps	queue-listed	' two-steps || broken 'a strategy of a replay is not named'
fi >/dev/null
rm -f path/fitsverify
PATH=$work/path "$top/bench/strategies.sh" 1 0.1 2 two-steps,equal 100 >bare 2>said || { cat said; broken 'a program that is missing ends the measurement'; }
grep -q '^missing	two-steps	' bare || broken 'a program that is missing is not told'
grep -q '^makespan	equal	chunk	' bare || broken 'a program that is missing ends other loads'
