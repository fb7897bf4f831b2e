#!/bin/sh
# lint.headers: each header compiles alone: as C11, and a public one as C++17, too, and without any macro of ours.
#   headers.sh TOP CC CXX
set -eu
top=$1 cc=$2 cxx=$3
code=0
count=0

# compiles HEADER COMPILER...
compiles() {
    header=$1
    shift
    if ! printf '#include "%s"\nextern int nothing_else;\n' "$header" | "$@" -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$top/include" -; then
        echo "$header does not compile alone: $*"
        code=1
    fi
}

for header in "$top"/include/*/*.h; do
    [ -f "$header" ] || continue
    compiles "$header" "$cc" -x c -std=c11
    compiles "$header" "$cxx" -x c++ -std=c++17
    count=$((count + 1))
done
for header in "$top"/runtime/*/*.h "$top"/tools/*.h; do
    [ -f "$header" ] || continue
    compiles "$header" "$cc" -x c -std=c11 -D_GNU_SOURCE -I "$top/runtime" -I "$top/tools"
    count=$((count + 1))
done
if [ "$count" -eq 0 ]; then
    echo "no header found: nothing to check"
    exit 1
fi
exit "$code"
