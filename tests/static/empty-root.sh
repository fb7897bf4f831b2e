#!/bin/sh
# In a root folder with nothing in it but the program: no library, no device, no /proc, no /etc, no shell.
#   empty-root.sh PROGRAM
program=$1
# shellcheck source=tests/static/common.sh
. "$(dirname "$0")/common.sh"
queue_works 40 /canfar-split --version
code 0 inside /canfar-split log /data/r.run 7
says out "canfar-split "
[ "$(ls root)" = "$(printf 'canfar-split\ndata')" ] || fail "the root was not empty: $(ls root)"
code 0 inside /canfar-split stripe --replica 2/3 a b c
says out b
