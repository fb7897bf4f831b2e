#!/bin/sh
# `cpack -G DEB` makes three packages; installed with dpkg into a Debian of nothing but what they depend on, the tool runs there,
# and a program can be linked. Everything is built once more here, as users get it, in a folder that is kept.
#   deb.sh CMAKE CPACK TOP FOLDER
cmake=$1 cpack=$2 top=$3 folder=$4
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
# shellcheck source=tests/lib/debian.sh
. "$top/tests/lib/debian.sh"
command -v dpkg-shlibdeps >/dev/null || skip "no dpkg-shlibdeps (dpkg-dev)"

code 0 "$cmake" -S "$top" -B "$folder/build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF -DCMAKE_C_COMPILER="$CC"
code 0 "$cmake" --build "$folder/build" -j 2
code 0 "$cpack" --config "$folder/build/CPackConfig.cmake" -G DEB -B "$work/packages"
[ "$(find packages -maxdepth 1 -name '*.deb' | wc -l)" -eq 3 ] || fail "not three packages: $(find packages)"

field() { # PACKAGE FIELD
    dpkg-deb -f packages/"$1"_*.deb "$2"
}
architecture=$(dpkg --print-architecture)
soname=$(readelf -d "$folder/build/runtime/libcfsplit.so" | sed -n 's/.*SONAME.*\[libcfsplit\.so\.\([0-9]*\)\].*/\1/p')
version=$("$folder/build/bin/canfar-split" --version | cut -d ' ' -f 2)
for package in canfar-split "libcfsplit$soname" libcfsplit-dev; do
    [ "$(field "$package" Version)" = "$version" ] || fail "$package: version $(field "$package" Version), not $version"
    [ "$(field "$package" Architecture)" = "$architecture" ] || fail "$package: architecture $(field "$package" Architecture)"
    dpkg-deb -c packages/"$package"_*.deb >contents
    says contents "/usr/share/doc/$package/copyright"
done
for package in canfar-split "libcfsplit$soname"; do
    for needed in libc6 libjansson4 liblz4-1 libxxhash0 libzmq5; do
        field "$package" Depends | grep -qE "(^|, )$needed \(>= " || fail "$package does not depend on $needed: $(field "$package" Depends)"
    done
    ! field "$package" Depends | grep -E 'asan|ubsan|-dev' || fail "$package depends on too much"
done
# what other packages that link the library depend on
dpkg-deb -e packages/"libcfsplit$soname"_*.deb control
says control/shlibs "libcfsplit $soname libcfsplit$soname (>= $version)"
[ "$(dpkg-deb -I packages/canfar-split_*.deb | grep -c shlibs)" -eq 0 ] || fail "the program says that it is a library"
field libcfsplit-dev Depends | grep -qF "libcfsplit$soname (= $version)" || fail "the headers do not ask for their library"

[ "$(id -u)" -eq 0 ] || skip "not root: packages were made and looked at, not installed"
# shellcheck disable=SC1091 # what Debian says it is
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
debian_root "$work/root" "$folder/apt" "$release" dash coreutils libc-bin "$work"/packages/canfar-split_*.deb \
    "$work"/packages/libcfsplit"$soname"_*.deb
# dpkg itself says whether what they depend on is there; libcfsplit-dev wants much that only a compiler needs
code 0 dpkg --root="$work/root" --force-not-root --no-triggers -i packages/canfar-split_*.deb packages/libcfsplit"$soname"_*.deb
code 1 dpkg --root="$work/root" --no-triggers -i packages/libcfsplit-dev_*.deb
says err "libcfsplit-dev depends on libjansson-dev"
ldconfig -r "$work/root"

code 0 chroot root canfar-split --version
says out "canfar-split $version"
mkdir root/data
for i in a b c; do echo "$i" >"root/data/$i.fits"; done
code 0 chroot root canfar-split plan /data/r.run --replicas 2 --strategy queue '/data/*.fits' -- /bin/cat
chroot root /usr/bin/env REPLICA_ID=1 REPLICA_COUNT=2 canfar-split run /data/r.run 2>first.err &
code 0 chroot root /usr/bin/env REPLICA_ID=2 REPLICA_COUNT=2 canfar-split run /data/r.run
wait $! || fail "replica 1: $(cat first.err)"
code 0 chroot root canfar-split verify /data/r.run
says out "complete: 3 of 3 items accounted for: 3 done"
[ -s root/usr/share/man/man1/canfar-split-run.1 ] || fail "no manual page"
[ -s root/usr/share/bash-completion/completions/canfar-split ] || fail "no completion"

# an outside program, built here, with the library that is installed there
"$CC" -I root/usr/include "$top/tests/install/outside/outside.c" -o root/outside \
    "$(find root/usr/lib -name 'libcfsplit.so')" -Wl,-rpath-link,root/usr/lib
code 0 chroot root canfar-split plan /data/l.run --replicas 1 --strategy stripe a b c
code 0 chroot root /usr/bin/env REPLICA_ID=1 REPLICA_COUNT=1 /outside /data/l.run
code 0 chroot root canfar-split verify /data/l.run
code 0 dpkg --root="$work/root" --no-triggers -r canfar-split
[ ! -e root/usr/bin/canfar-split ] || fail "removed, and still there"
