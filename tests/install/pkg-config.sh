#!/bin/sh
# An outside program that finds the library by pkg-config.
#   pkg-config.sh PREFIX c|cc shared|static
prefix=$1 language=$2 kind=$3
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/install/common.sh
. "$here/common.sh"
case $language in
c) compiler="$CC -std=c11" ;;
cc) compiler="$CXX -std=c++17" ;;
esac
case $kind in
shared)
    libs=$(pkg-config --libs cfsplit)
    LD_LIBRARY_PATH=$(pkg-config --variable=libdir cfsplit)
    ;;
static) libs=$(pkg-config --static --libs cfsplit | sed 's/-lcfsplit/-l:libcfsplit.a/') ;; # as libcfsplit(3) says
esac
# shellcheck disable=SC2046,SC2086 # lists of words
$compiler -Wall -Wextra -Werror $FLAGS $(pkg-config --cflags cfsplit) "$here/outside/outside.$language" -o outside $libs
needs outside >needed
case $kind in
shared)
    says needed libcfsplit.so.0
    [ -z "$(grep -E 'zmq|lz4|jansson|xxhash' needed)" ] || fail "not its own affair: $(cat needed)"
    export LD_LIBRARY_PATH
    ;;
static)
    says needed libzmq.so
    ! grep -F libcfsplit needed || fail "linked with the shared library"
    ;;
esac
works ./outside
