#!/bin/sh
# Every example of README.md runs as it stands: the blocks marked sh, in their order, in a folder like a user's.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
mkdir data out
for i in a b c d e; do echo "$i" >"data/$i.fits"; done
cat >one.sh <<'EOF'
#!/bin/sh
cp "$1" "$2.$CANFAR_SPLIT_ATTEMPT" && mv "$2.$CANFAR_SPLIT_ATTEMPT" "$2" && echo "measured $1"
EOF
chmod +x one.sh
awk '/^```/ { inside = ($0 == "```sh"); next } inside' "$top/README.md" >script
[ "$(wc -l <script)" -ge 10 ] || fail "no examples found"
# the other replicas of the two runs, as the platform would start them
for run in m31.run:2 ngc.run:1; do
    for k in 1 2 3 4; do
        [ "$k" = "${run#*:}" ] && continue
        (
            until_true 60 test -e "${run%:*}"
            REPLICA_ID=$k REPLICA_COUNT=4 canfar-split run "${run%:*}" 2>"err.${run%:*}.$k"
        ) &
    done
done
sh -eu script >out.txt 2>err.txt || fail "$(cat script out.txt err.txt)"
says out.txt "complete: 5 of 5 items accounted for: 5 done"
says out.txt "canfar create --replicas 4 headless skaha/astro:1 -- canfar-split run $work/m31.run"
says out.txt "mine: data/c.fits"
says out.txt "measured data/a.fits"
wait
for i in a b c d e; do [ -s "out/$i.cat" ] || fail "no out/$i.cat"; done
