#!/bin/sh
# lint.messages: docs/protocol.md names the messages of runtime/wire/messages.def, their numbers, sides and fields, and the fields
# of a head, an end and an item, in the same order, and nothing else.
#   messages.sh TOP CC
set -eu
top=$1 cc=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Each message or struct a line: "HELLO|1|worker|inc: id, slots", "item|index, name: name"; a number (u64) goes without its type.
cat >"$folder/table.c" <<'SOURCE'
#define NAME(type, field) ,field:type
#define MESSAGE(symbol, number, from, member, fields) @symbol|number|from|fields(NAME)
#include "wire/messages.def"
@head|CSI_HEAD_FIELDS(NAME)
@end|CSI_END_FIELDS(NAME)
@item|CSI_ITEM_FIELDS(NAME)
SOURCE
"$cc" -E -P -I "$top/runtime" "$folder/table.c" | tr -d ' \n' | tr '@' '\n' |
    sed -e '/^$/d' -e 's/CSI_FROM_WORKER/worker/; s/CSI_FROM_COORDINATOR/coordinator/' -e 's/:u64//g' -e 's/|,/|/; s/,/, /g; s/:/: /g' \
        >"$folder/table"
echo >>"$folder/table" # the last line had no end

# Of the page, the rows of its tables below "## Messages": four columns and a meaning, or a small word and two columns.
sed -n '/^## Messages/,/^## [^M]/p' "$top/docs/protocol.md" | sed -n \
    -e 's/^| \([A-Z]*\) | \([0-9]*\) | \([a-z]*\) | \([^|]*\) |.*/\1|\2|\3|\4/p' \
    -e 's/^| \(head\|end\|item\) | \([^|]*\) |.*/\1|\2/p' >"$folder/page"
if [ ! -s "$folder/page" ] || [ "$(wc -l <"$folder/table")" -lt 4 ]; then
    echo "no message found: nothing to check"
    exit 1
fi
code=0
diff "$folder/table" "$folder/page" >"$folder/wrong" || code=1
sed -n -e 's/^</runtime\/wire\/messages.def:/p' -e 's/^>/docs\/protocol.md:/p' "$folder/wrong"
exit "$code"
