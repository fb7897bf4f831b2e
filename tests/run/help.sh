#!/bin/sh
# --help names what an option does in that command, and no option twice.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
for command in chunk stripe even size hash plan run launch status verify items explain retry stop log whoami simulate; do
    code 0 canfar-split "$command" --help
    says out "usage: canfar-split $command "
    twice=$(grep -oE '^ {2}(-.,|   ) --[a-z-]+' out | sort | uniq -d)
    [ -z "$twice" ] || fail "$command has twice: $twice"
done
code 0 canfar-split launch --help
says out "-0, --null                       with --keep: items end with NUL"
code 0 canfar-split plan --help
says out "items end with NUL: in --from, and with --keep"
# whoami names every launcher there is
code 2 canfar-split whoami --launcher none-such
sed 's/.*one of //; s/, not .*//; s/, /\n/g' err >words
[ "$(wc -l <words)" -ge 12 ] || fail "$(cat words)"
code 0 canfar-split whoami --help
while read -r word; do
    tr '\n' ' ' <out | grep -qE -e "alone:.* ${word}[,. ]" || fail "whoami --help does not name $word"
done <words
