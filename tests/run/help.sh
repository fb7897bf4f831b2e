#!/bin/sh
# --help names what an option does in that command, and no option twice.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
for command in chunk stripe even size hash plan run launch status verify items explain retry stop log simulate; do
    code 0 canfar-split "$command" --help
    says out "usage: canfar-split $command "
    twice=$(grep -oE '^ {2}(-.,|   ) --[a-z-]+' out | sort | uniq -d)
    [ -z "$twice" ] || fail "$command has twice: $twice"
done
code 0 canfar-split launch --help
says out "-0, --null                       with --keep: items end with NUL"
code 0 canfar-split plan --help
says out "items end with NUL: in --from, and with --keep"
