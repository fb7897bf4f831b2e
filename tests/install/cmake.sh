#!/bin/sh
# An outside project that finds both libraries by find_package.
#   cmake.sh PREFIX c|cc CMAKE
prefix=$1 language=$2 cmake=$3
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/install/common.sh
. "$here/common.sh"
code 0 "$cmake" -S "$here/outside" -B build -DCMAKE_PREFIX_PATH="$prefix" -DLANGUAGE="$language" \
    -DCMAKE_C_FLAGS="$FLAGS" -DCMAKE_CXX_FLAGS="$FLAGS"
code 0 "$cmake" --build build
needs build/outside_shared | grep -qxF libcfsplit.so.0 || fail "not linked with libcfsplit.so.0"
! needs build/outside_static | grep -F libcfsplit || fail "linked with the shared library"
works build/outside_shared
works build/outside_static
# a project that asks for what is not there is told so; one that does not want the static one needs none of its libraries
code 1 "$cmake" -S "$here/outside" -B no1 -DCMAKE_PREFIX_PATH="$prefix" -DLANGUAGE="$language" -DWANTED=99.0
code 1 "$cmake" -S "$here/outside" -B no2 -DCMAKE_PREFIX_PATH="$prefix" -DLANGUAGE="$language" -DPARTS=nonesuch
says err nonesuch
code 1 env PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR=nowhere "$cmake" -S "$here/outside" -B no3 -DCMAKE_PREFIX_PATH="$prefix" \
    -DLANGUAGE="$language"
says err "static: no such component"
code 0 env PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR=nowhere "$cmake" -S "$here/outside" -B shared -DCMAKE_PREFIX_PATH="$prefix" \
    -DLANGUAGE="$language" -DPARTS=shared
