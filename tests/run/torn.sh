#!/bin/sh
# Samples of damage through the tool: a file of the run directory is cut, or a bit of it flipped, at a random place. `verify` says
# what it said before, or exits 3 and names file and offset. (unit.torn does it at every place, in process.)
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
samples=${1:-30}
seed=${CFSPLIT_TEST_SEED:-$$}
echo "seed $seed, $samples samples"

random() { # sets r to 0..$1-1
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    r=$((seed / 65536 % $1))
}

flip() { # FILE OFFSET BIT
    old=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    printf "$(printf '\\%03o' $((old ^ (1 << $3))))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

cat >one.sh <<'EOS'
#!/bin/sh
echo "item $1"
[ "$1" != 7 ] || [ -e ok ] || exit 1
EOS
chmod +x one.sh
seq 1 20 | code 0 canfar-split plan r.run --replicas 2 --strategy chunk --from - -- ./one.sh {}
code 1 canfar-split launch r.run --on local
: >ok
code 0 canfar-split retry r.run
code 0 canfar-split run r.run --replica 1
code 0 canfar-split verify r.run
cp out before
cp -a r.run keep.run
(cd r.run && find . -type f -size +0 | cut -c 3- | sort) >files
told=0
n=0
while [ "$n" -lt "$samples" ]; do
    n=$((n + 1))
    rm -rf r.run
    cp -a keep.run r.run
    random "$(wc -l <files)"
    file=$(sed -n "$((r + 1))p" files)
    cp r.run/"$file" copy # a file of its own: claims are links
    rm r.run/"$file"
    cp copy r.run/"$file"
    random "$(stat -c %s copy)"
    at=$r
    random 9
    if [ "$r" -eq 8 ]; then
        what="'$file' cut at byte $at"
        truncate -s "$at" r.run/"$file"
    else
        what="bit $r of byte $at of '$file' flipped"
        flip r.run/"$file" "$at" "$r"
    fi
    got=0
    canfar-split verify r.run >out 2>err || got=$?
    case $got in
    0) cmp -s before out || fail "$what: verify says $(cat out)" ;;
    3)
        told=$((told + 1))
        grep -qF "'$file'" err || fail "$what: does not name the file: $(cat err)"
        grep -q "damaged at byte [0-9]" err || fail "$what: does not say where: $(cat err)"
        ;;
    *) fail "$what: exit $got: $(cat out err)" ;;
    esac
done
echo "$told of $samples were told"
[ "$told" -gt 0 ] || fail "no damage was ever told"
