#!/bin/sh
# The command of the crash tests. Each attempt is a file of its own, attempts/ITEM/NUMBER.BY: a line "start", a line "end CODE".
# In between stands "held" if it waited for the file `hold` to go away; a file `slow` lets each take a moment.
# A folder running/ITEM.PID stands while one runs; who finds another one of his item alive writes it into `overlaps`.
# By its name an item is ok.*, no.* (nothing to do: 65), twice.* (fails once) or bad.* (fails until there is a file `mended`).
item=$1
mkdir -p "attempts/$item" running
mine="attempts/$item/$CANFAR_SPLIT_ATTEMPT.$CANFAR_SPLIT_BY"
echo start >"$mine"
mkdir "running/$item.$$"
for other in "running/$item".*; do
    pid=${other##*.}
    [ "$pid" = "$$" ] || ! tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF "$item" ||
        echo "$item runs as $$ and as $pid" >>overlaps
done
echo "this is $item, attempt $CANFAR_SPLIT_ATTEMPT"
[ ! -e slow ] || sleep "0.0$((CANFAR_SPLIT_SEED % 9 + 1))"
[ ! -e hold ] || echo held >>"$mine"
while [ -e hold ]; do sleep 0.02; done
code=0
case $item in
no.*) code=65 ;;
twice.*) grep -qx 'end 1' "attempts/$item"/* || code=1 ;;
bad.*) [ -e mended ] || code=1 ;;
esac
echo "end $code" >>"$mine"
rmdir "running/$item.$$"
exit "$code"
