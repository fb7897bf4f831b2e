#!/bin/sh
# In a Debian 11, whose libraries are older than those that it was built with.
#   debian-11.sh PROGRAM TOP CACHE
program=$1 top=$2 cache=$3
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lib/debian.sh
. "$top/tests/lib/debian.sh"
debian_root "$work/root" "$cache" bullseye dash coreutils base-files
code 0 cat root/etc/debian_version
says out "11."
cat >root/one.sh <<'END'
#!/bin/sh
[ -n "$1" ] && id -u >"/data/$1.$CANFAR_SPLIT_ATTEMPT" && mv "/data/$1.$CANFAR_SPLIT_ATTEMPT" "/data/$1.out"
END
chmod +x root/one.sh
queue_works 40 /one.sh
for i in 1 20 40; do [ "$(cat "root/data/$i.out")" = 4242 ] || fail "item $i was not done inside"; done
code 0 chroot root /canfar-split plan /data/p.run --replicas 1 '/data/*.out' -- /bin/cat
says err "40 items"
