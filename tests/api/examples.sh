#!/bin/sh
# Every example of docs/api.md compiles without a warning and prints what stands below it.
#   examples.sh TOP LIBRARY
top=$1 library=$2
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/run.sh
. "$here/../lib/run.sh"
awk -v folder="$work" -f "$here/extract.awk" "$top/docs/api.md"
examples=$(cat count)
[ "$examples" -ge 10 ] || fail "only $examples examples were found"
# shellcheck disable=SC2086 # lists of words
code 0 "$CC" -std=c11 -Wall -Wextra -Wpedantic -Werror $FLAGS -I "$top/include" examples.c "$library" \
    -Wl,-rpath,"$(dirname "$library")" -o examples
mkdir data
for i in a:300 b:200 c:100; do head -c "${i#*:}" /dev/zero >"data/${i%:*}.fits"; done
printf '%s\n' a b c d e >items.txt
for i in $(seq "$examples"); do
    code 0 ./examples "$i"
    [ -f "wanted.$i" ] || fail "example $i does not say what it prints: $(cat out)"
    sed 's/ *$//' out | diff "wanted.$i" - >differs || fail "example $i: $(cat differs err)"
done
