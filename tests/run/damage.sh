#!/bin/sh
# Damage is named with file and offset and exits 3; a torn end of a journal whose replica was killed loses nothing before it.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
seq 1 200 | code 0 canfar-split plan r.run --replicas 2 --strategy chunk --from - -- true
code 0 canfar-split launch r.run --on local
code 0 canfar-split verify r.run

flip() { # FILE OFFSET: another byte there
    old=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    printf "$(printf '\\%03o' $((old ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

cp -a r.run keep.run
restore() {
    rm -rf r.run
    cp -a keep.run r.run
}

flip r.run/items.lz4 100
code 3 canfar-split verify r.run
says err "'items.lz4' is damaged at byte"
restore
flip r.run/items.idx 200
code 3 canfar-split run r.run --replica 1
says err "'items.idx' is damaged at byte"
restore
flip r.run/run.json 60
code 3 canfar-split status r.run
says err "'run.json' is damaged at byte"
restore
flip "$(ls r.run/journal/1-*)" 2000
code 3 canfar-split verify r.run
says err "is damaged at byte"
restore
truncate -s 1500 "$(ls r.run/journal/1-*)"
code 3 canfar-split verify r.run
says err "bytes were on disk and are not whole"
restore
truncate -s 10 "$(ls r.run/replicas/1-*)"
code 3 canfar-split verify r.run
restore
rm r.run/items.lz4
code 3 canfar-split verify r.run
says err "cannot open 'items.lz4'"
restore
echo '{}' >r.run/run.json
code 3 canfar-split verify r.run
restore
code 0 canfar-split verify r.run

# a newer format is refused by name, not called damaged
head -n -2 r.run/run.json | sed 's/"version": 1/"version": 2/' >new
truncate -s -2 new # the comma and the newline before the check
digest=$(xxhsum -H1 new | cut -d ' ' -f 1)
printf ',\n "check": "%s"\n}\n' "$digest" >>new
cp new r.run/run.json
code 2 canfar-split status r.run
says err "has format version 2, and this canfar-split reads version 1: use a newer one"
