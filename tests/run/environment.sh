#!/bin/sh
# What a command finds: its folder, its variables, an empty stdin, its arguments.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
mkdir -p data/sub elsewhere
: >data/sub/img.fits.gz
cat >show.sh <<'EOF'
#!/bin/sh
printf '%s|' "$@"
echo
pwd
wc -c
env | grep -E '^(CANFAR_SPLIT|REPLICA)_' | grep -v -e _SEED -e _BY | sort
EOF
chmod +x show.sh
code 0 canfar-split plan r.run --replicas 3 --weights none data/sub/img.fits.gz -- ./show.sh {} {/} {//} {.} {/.} {#} 'a b' '>x'
(cd elsewhere && REPLICA_ID=1 REPLICA_COUNT=3 CANFAR_SPLIT_OTHER=1 canfar-split run ../r.run 2>/dev/null)
canfar-split log r.run data/sub/img.fits.gz >out
cat >wanted <<EOF
data/sub/img.fits.gz|img.fits.gz|data/sub|data/sub/img|img|1|a b|>x|
$(pwd -P)
0
CANFAR_SPLIT_ATTEMPT=1
CANFAR_SPLIT_INDEX=1
CANFAR_SPLIT_ITEM=data/sub/img.fits.gz
REPLICA_COUNT=3
REPLICA_ID=1
EOF
diff wanted out || fail "other surroundings"
# --cwd: items, patterns and the command are found there; RUN and --from are found from here
mkdir there
: >there/x.fits
printf 'y.fits\n' >list
: >there/y.fits
printf '#!/bin/sh\ncat "$1" && pwd\n' >there/show.sh
chmod +x there/show.sh
code 0 canfar-split plan w.run --replicas 1 --cwd there 'x*.fits' --from list -- ./show.sh {}
code 0 canfar-split run w.run --replica 1
canfar-split log w.run y.fits | grep -qx "$(pwd -P)/there" || fail "$(canfar-split log w.run y.fits)"
# the seed depends on the run and the item, not on who does it; and the item comes last if no word names it
code 0 canfar-split plan s.run --replicas 1 --strategy chunk a b -- sh -c 'echo "$1 $CANFAR_SPLIT_SEED"' x
code 0 canfar-split run s.run --replica 1
canfar-split log s.run a | grep -Eq '^a [0-9]+$' || fail "$(canfar-split log s.run a)"
