#!/bin/sh
# examples/keep.py, and what Python does with --keep: names of any bytes, -0, one import, os._exit.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 7))' 2>/dev/null || skip "no python3"
mkdir data
printf 1 >'data/a b.fits'
printf 22 >"data/it's \"q\".fits"
printf 333 >"data/$(printf 'x\377\376').fits"
: >data/empty.fits
code 1 canfar-split run -j 2 'data/*.fits' data/missing.fits --keep -- python3 "$top/examples/keep.py" out.d
says err "'data/missing.fits' failed (exit 1, attempt 1 of 1): FileNotFoundError:"
says err "3 done, 1 rejected, 1 failed"
[ "$(cat "out.d/it's \"q\".fits.cat")" = 2 ] || fail "$(ls out.d)"
[ "$(cat "out.d/$(printf 'x\377\376').fits.cat")" = 3 ] || fail "$(ls out.d)"
[ ! -e out.d/empty.fits.cat ] || fail "a catalogue of nothing"

# the example of docs/keep.md, as it stands
mkdir example
rm data/empty.fits
mv data example
cp "$top/examples/keep.py" example
awk '/^```/ { inside = ($0 == "```sh"); next } inside' "$top/docs/keep.md" >script
[ "$(wc -l <script)" -eq 3 ] || fail "no example found"
(cd example && sh -eu ../script) >out.txt 2>err.txt || fail "$(cat script out.txt err.txt)"
says out.txt "complete: 3 of 3 items accounted for: 3 done"
[ "$(cat "example/out/a b.fits.cat")" = 1 ] || fail "$(ls example/out)"

cat >nul.py <<'EOF2'
import os, sys
open("starts", "a").write("x\n")
rest = b""
while True:
    data = os.read(0, 65536)
    if not data:
        break
    rest += data
    while b"\0" in rest:
        item, rest = rest.split(b"\0", 1)
        if item == b"poison":
            os._exit(9)
        with open("items", "ab") as file:
            file.write(item + b"\0")
        print("working on", item, flush=True)
        print("done", flush=True)
EOF2
printf '%s\0' 'two
lines' "$(printf 'x\377\n\376')" poison 'a b' "it's" >names
code 0 canfar-split plan r.run --replicas 1 --strategy chunk --keep -0 --from names -- python3 nul.py
code 1 canfar-split run r.run --replica 1
count done 4
count set-aside 1
sort -z items >got
canfar-split items r.run --state done -0 | sort -z | cmp - got || fail "other items: $(cat -A got)"
[ "$(wc -l <starts)" -eq 4 ] || fail "started $(wc -l <starts) times"
