#!/bin/sh
# Every example of docs/simulate.md runs as it stands, in a folder like a user's, and prints what stands below it.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
mkdir data
for i in a b c d e; do head -c 5000 /dev/zero >"data/$i.fits"; done
printf '#!/bin/sh\ncat "$1" >/dev/null\n' >one.sh
chmod +x one.sh
awk '/^```/ { inside = inside == "" ? substr($0, 4) : ""; n += inside == "sh"; next }
     inside == "sh" { print >("script." n) } inside == "text" { print >("shown." n) }' "$top/docs/simulate.md"
[ -e script.6 ] || fail "no examples found"
[ -e shown.1 ] || fail "no output is shown"
for i in 1 2 3 4 5 6; do
    sh -eu "script.$i" >got 2>err || fail "$(cat "script.$i" got err)"
    [ ! -e "shown.$i" ] || sed 's/ *$//' got | diff "shown.$i" - || fail "example $i prints something else"
    cp got "got.$i"
done
[ ! -e script.7 ] || fail "an example is not run"
says got.2 "recommended: --strategy "
says got.3 "recommended: --strategy "
says lost.txt "1 of them dies, which is noticed after 5s"
says hours.json '"unit": "weight"'
grep -q '"weights": "run:' again.run/run.json || fail "$(cat again.run/run.json)"
