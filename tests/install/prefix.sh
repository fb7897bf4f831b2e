#!/bin/sh
# `cmake --install` obeys DESTDIR and --prefix, and what it made may be moved: the other tests find it in a folder that it was
# not made for.
#   prefix.sh CMAKE BUILD-FOLDER FOLDER INCLUDE
cmake=$1 build=$2 to=$3 include=$4
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
code 0 env DESTDIR="$work/stage" "$cmake" --install "$build" --prefix /opt/split
[ "$(ls stage)" = opt ] && [ "$(ls stage/opt)" = split ] || fail "files outside of DESTDIR and prefix: $(find stage | head -40)"
cd stage/opt/split
libdir=$(dirname "$(find . -name libcfsplit.a)")
for file in "$libdir/libcfsplit.so" "$libdir/pkgconfig/cfsplit.pc" "$libdir/cmake/cfsplit/cfsplit-config.cmake" bin/canfar-split; do
    [ -s "$file" ] || fail "no $file in $(find . -type f)"
done
for file in share/man/man1/canfar-split.1 share/man/man1/canfar-split-run.1 share/man/man3/libcfsplit.3 \
    share/bash-completion/completions/canfar-split share/doc/canfar-split/lists.md share/doc/libcfsplit-dev/api.md \
    share/doc/libcfsplit-dev/library.md; do
    [ -s "$file" ] || fail "no $file in $(find . -type f)"
done
for header in "$include"/cfsplit/*.h; do
    cmp "$header" "include/cfsplit/${header##*/}" || fail "another ${header##*/}"
done
readelf -d "$libdir/libcfsplit.so" | grep -qE 'SONAME.*\[libcfsplit\.so\.[0-9]+\]' || fail "no soname: $(readelf -d "$libdir/libcfsplit.so")"
# nothing but debug information and checks may know where it was built: neither text nor a path to search libraries in
grep -rIlF -e "$build" . >"$work/knows" && fail "the build folder is named in: $(cat "$work/knows")"
readelf -d bin/canfar-split "$libdir/libcfsplit.so" | grep -E 'R(UN)?PATH' && fail "a path of this machine is in the binaries"
code 0 bin/canfar-split --version
rm -rf "$to"
mkdir -p "${to%/*}"
mv "$work/stage/opt/split" "$to"
