#!/bin/sh
# lint.selftest: each checker of this folder fails on bad input, and says what is wrong.
#   selftest.sh CC CXX
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cc=$1 cxx=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# refuses WHAT WORDS COMMAND...: the command must exit 1 and say WORDS
refuses() {
    what=$1 words=$2
    shift 2
    code=0
    "$@" >said 2>&1 || code=$?
    if [ "$code" -ne 1 ] || ! grep -qF -e "$words" said; then
        echo "$what: exit code $code, and it says:"
        cat said
        exit 1
    fi
}
accepts() {
    what=$1
    shift
    if ! "$@" >said 2>&1; then
        echo "$what is refused:"
        cat said
        exit 1
    fi
}

floors() {
    {
        printf '%s\n' "defines base base/a.o csi_a" "needs list list/b.o csi_a" "includes list list/b.c base"
        [ $# -eq 0 ] || printf '%s\n' "$@"
    } >table
    awk -f "$here/floors.awk" "$here/floors.txt" table
}
accepts "a use of a lower floor" floors
accepts "list used by share" floors "defines list list/b.o csi_b" "needs share share/c.o csi_b"
accepts "a public name in tools" floors "defines view view/v.o cfsplit_v" "needs tools t.o cfsplit_v"
refuses "an upward use" "base/a.o: base/ uses csi_b of list/" floors "defines list list/b.o csi_b" "needs base base/a.o csi_b"
refuses "a sibling" "which is not below it" floors "defines wire wire/w.o csi_w" "needs rundir rundir/r.o csi_w"
refuses "share used by list" "which is not below it" floors "defines share share/s.o csi_s" "needs list list/b.o csi_s"
refuses "an upward include" "uses a header of node/, which" floors "includes exec exec/e.c node"
refuses "a private name in tools" "not public" floors "needs tools t.o csi_a"
refuses "a private header in tools" "sees include/cfsplit/ only" floors "includes tools tools/t.c base"
refuses "a folder without a floor" "has no floor" floors "defines attic attic/a.o csi_x"
refuses "a name that nobody has" "nobody defines" floors "needs list list/b.o csi_nowhere"
: >table
refuses "an empty table" "nothing to check" awk -f "$here/floors.awk" "$here/floors.txt" table

mkdir -p top/include/x top/runtime/base top/tools top/docs
echo 'int csi_up(void); int csi_down(void); int csi_down(void) { return csi_up(); }' >b.c
echo 'int csi_up(void); int csi_up(void) { return 1; }' >n.c
mkdir -p o.dir/base o.dir/node
"$cc" -c b.c -o o.dir/base/b.o
"$cc" -c n.c -o o.dir/node/n.o
printf '%s\n' o.dir/base/b.o o.dir/node/n.o >objects
: >none
echo '#include "node/n.h"' >top/runtime/base/b.c
echo '#include <stdio.h>' >top/tools/t.c
refuses "objects that reach up" "base/b.o: base/ uses csi_up of node/" sh "$here/floors.sh" "$folder/top" objects none
refuses "sources that include upward" "base/ uses a header of node/" sh "$here/floors.sh" "$folder/top" objects none

cat >api.h <<'SOURCE'
/* CFSPLIT_API int not_this(void); */
#ifndef CFSPLIT_EXPORT_H
#define CFSPLIT_API
#endif
CFSPLIT_API int
one(int (*f)(int));
CFSPLIT_API const char *two(void);
SOURCE
echo 'int one(void); int one(void) { return 1; } int two(void); int two(void) { return 2; }' >l.c
"$cc" -shared -fPIC l.c -o right.so
accepts "a library that exports what it declares" sh "$here/exports.sh" "$folder/top" "$cc" right.so "$folder/api.h"
echo 'int one(void); int one(void) { return 1; } int three(void); int three(void) { return 3; }' >l.c
"$cc" -shared -fPIC l.c -o wrong.so
refuses "a missing export" "two: declared, not exported" sh "$here/exports.sh" "$folder/top" "$cc" wrong.so "$folder/api.h"
refuses "a surplus export" "three: exported, not declared" sh "$here/exports.sh" "$folder/top" "$cc" wrong.so "$folder/api.h"

echo 'int cfsplit_one(void); int cfsplit_one(void) { return 1; }' >l.c
"$cc" -shared -fPIC l.c -o api.so
mkdir top/docs/man
printf 'cfsplit_one\n' >top/docs/man/libcfsplit.3
printf '%s\n' '```c' 'cfsplit_one();' '```' >top/docs/api.md
accepts "a call with an example" sh "$here/examples.sh" top api.so
printf '%s\n' 'cfsplit_one();' '```c' 'cfsplit_one_more();' '```' >top/docs/api.md
refuses "a call without an example" "cfsplit_one: has no example" sh "$here/examples.sh" top api.so
printf 'cfsplit_one_more\n' >top/docs/man/libcfsplit.3
refuses "a call that the manual does not name" "cfsplit_one: is not in docs/man" sh "$here/examples.sh" top api.so
refuses "a library of nothing" "nothing to check" sh "$here/examples.sh" top right.so
rm -r top/docs/man top/docs/api.md

rm top/runtime/base/b.c top/tools/t.c
refuses "no headers" "nothing to check" sh "$here/headers.sh" "$folder/top" "$cc" "$cxx"
echo 'int f(int class);' >top/include/x/x.h
refuses "a header that is no C++" "does not compile alone" sh "$here/headers.sh" "$folder/top" "$cc" "$cxx"
echo 'int f(size_t n);' >top/include/x/x.h
refuses "a header that needs another" "does not compile alone" sh "$here/headers.sh" "$folder/top" "$cc" "$cxx"
echo 'int f(int n);' >top/include/x/x.h
accepts "a good header" sh "$here/headers.sh" "$folder/top" "$cc" "$cxx"

refuses "sources without kill points" "nothing to check" sh "$here/kill-points.sh" top "$cc"
cp "$here/../../runtime/base/killpoint.h" top/runtime/base/
point() { printf '#include "base/killpoint.h"\nvoid f(void);\nvoid f(void) { %s; }\n' "$1" >top/runtime/base/p.c; }
point 'CSI_KILL_POINT("a.step")'
accepts "a kill point" sh "$here/kill-points.sh" top "$cc"
point 'CSI_KILL_POINT("a.step"); CSI_KILL_POINT("a.step")'
refuses "one name twice" '"a.step" stands at more than one place' sh "$here/kill-points.sh" top "$cc"
point 'CSI_KILL_POINT("step")'
refuses "a name without area" '"step" is no name of a kill point' sh "$here/kill-points.sh" top "$cc"
sed -i 's/^#ifdef.*/#if 1/' top/runtime/base/killpoint.h
point 'CSI_KILL_POINT("a.step")'
refuses "a kill point in every build" '"a.step" is left without' sh "$here/kill-points.sh" top "$cc"
rm top/runtime/base/*

touch top/runtime/base/a.c top/tools/t.c
# shellcheck disable=SC2016 # backquotes of Markdown
echo '| a | `runtime/base/a.c` | t | `tools/t.c`, `runtime/base/` |' >top/docs/map.md
accepts "a true map" sh "$here/map.sh" top
touch top/runtime/base/b.c
refuses "a file that is not on the map" "does not name runtime/base/b.c" sh "$here/map.sh" top
rm top/runtime/base/b.c top/tools/t.c
touch top/tools/u.c
refuses "a map that names what is gone" "names tools/t.c, which is not there" sh "$here/map.sh" top

mkdir top/runtime/wire
# messages FIELDS ROWS: a table of one message and a page
messages() {
    printf '%s\n' "#define CSI_HEAD_FIELDS(F) F(u64, seq)" "#define CSI_END_FIELDS(F) F(u64, index)" \
        "#define CSI_ITEM_FIELDS(F) F(name, name)" "#define CSI_A_FIELDS(F) $1" \
        "MESSAGE(ASK, 1, CSI_FROM_WORKER, ask, CSI_A_FIELDS)" >top/runtime/wire/messages.def
    printf '%s\n' "## Messages" "$2" "| head | seq | all |" "| end | index | |" "| item | name: name | |" "## More" >top/docs/protocol.md
    sh "$here/messages.sh" top "$cc"
}
fields="F(u64, count) F(id, who)"
accepts "a page that names every field" messages "$fields" "| ASK | 1 | worker | count, who: id | give me more |"
refuses "a page without a field" "docs/protocol.md: ASK|1|worker|count" messages "$fields" "| ASK | 1 | worker | count | more |"
refuses "fields in another order" "messages.def: ASK|1" messages "$fields" "| ASK | 1 | worker | who: id, count | more |"
refuses "another type" "docs/protocol.md: ASK|1" messages "$fields" "| ASK | 1 | worker | count, who: name | more |"
refuses "another number" "docs/protocol.md: ASK|2" messages "$fields" "| ASK | 2 | worker | count, who: id | more |"
refuses "another side" "docs/protocol.md: ASK|1" messages "$fields" "| ASK | 1 | coordinator | count, who: id | more |"
refuses "a message that is not in the table" "docs/protocol.md: TELL" messages "$fields" "| ASK | 1 | worker | count, who: id | more |
| TELL | 2 | worker | count | more |"
refuses "a page without a message" "messages.def: ASK" messages "$fields" ""
: >top/docs/protocol.md
refuses "an empty page" "nothing to check" sh "$here/messages.sh" top "$cc"
rm -r top/runtime/wire

accepts "clean words, and a template of mktemp" sh "$here/words.sh" top
for word in 'TO''DO' 'FIX''ME' 'X''XX' '/wo''rk/x' '/fa''rm' ' /ho''me/me'; do
    echo "a $word here" >top/docs/bad.md
    refuses "the word $word" "./docs/bad.md:1:" sh "$here/words.sh" top
done
