#!/bin/sh
# plan --weights run:OTHER: items weigh what they took in OTHER, by their bytes; those without a time there weigh the median of
# the others: that failed, are not ended, are not there.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'END'
#!/bin/sh
case $1 in
*long*) sleep 0.3 ;;
*rejected*) sleep 0.1; exit 65 ;;
*failed*) sleep 0.2; exit 1 ;;
esac
END
chmod +x one.sh
newline=$(printf 'a\nb') latin=$(printf 'caf\351')

# measured RUN: NUMBER TAB milliseconds of each item that was done or rejected, as its journals say
measured() {
    cat "$1"/journal/* | awk -F '\t' '$1 == "end" && ($6 == "done" || $6 == "rejected") { print $3 + 1 "\t" ($8 ? $8 : 1) }' | sort -n
}
# weighs RUN ITEM: what it weighs there
weighs() {
    lz4 -dcq "$1/items.lz4" | tr '\0\n' '\n\1' |
        awk -F '\t' -v name="$(printf '%s' "$2" | tr '\n' '\1')" '$2 == name { print $1; exit }'
}
# number RUN ITEM: of an item in the list, from 1
number() {
    lz4 -dcq "$1/items.lz4" | tr '\0\n' '\n\1' | cut -f 2- | grep -nxF -e "$(printf '%s' "$2" | tr '\n' '\1')" | head -n 1 | cut -d : -f 1
}

# ---- an earlier run, of which one half is not done
printf '%s\0' short long.1 rejected failed "$newline" "$latin" late.1 late.2 late.3 late.4 late.5 late.6 >items
code 0 canfar-split plan early.run -0 --strategy even --replicas 2 --weights none --reject-exit 65 --from items -- ./one.sh {}
printf 'early\n' >elsewhere
code 2 canfar-split plan new.run --replicas 2 --weights run:early.run --from elsewhere -- true
says err "no item of "
says err "early.run' is done or rejected: it has no times to go by"
[ ! -e new.run ] || fail "a run was made"
code 1 env REPLICA_ID=1 REPLICA_COUNT=2 canfar-split run early.run --no-adopt
[ "$(canfar-split items early.run --state pending | wc -l)" -eq 6 ] || fail "$(canfar-split status early.run)"

# ---- each by its own time, by its bytes; the others by the median
printf '%s\0' "$latin" failed unknown long.1 late.1 rejected "$newline" short >wanted
mkdir sub
(cd sub && code 0 canfar-split plan ../again.run -0 --replicas 2 --weights run:../early.run --from ../wanted -- true)
(cd sub && code 0 canfar-split plan ../again.run -0 --replicas 2 --weights "run:$work/early.run" --from ../wanted -- true && says err "already planned")
measured early.run >known
median=$(cut -f 2 known | sort -n | sed -n "$((($(wc -l <known) + 1) / 2))p")
unknown=0
for item in short long.1 rejected failed "$newline" "$latin" late.1 unknown; do
    at=$(number early.run "$item")
    ms=$(awk -v at="${at:-none}" '$1 == at { print $2 }' known)
    [ -n "$ms" ] || unknown=$((unknown + 1))
    [ "$(weighs again.run "$item")" = "${ms:-$median}" ] || fail "$item weighs $(weighs again.run "$item"), not ${ms:-$median}: $(cat known)"
done
[ "$(weighs again.run long.1)" -ge 300 ] && [ "$(weighs again.run rejected)" -ge 100 ] || fail "$(cat known)"
[ "$unknown" -ge 2 ] || fail "nothing is unknown"
code 0 canfar-split plan third.run -0 --replicas 2 --weights run:early.run --from wanted -- true
says err "early.run has no time of $unknown of 8 items: the median of the others is taken"

# ---- the same items added, and none that it knows
code 0 canfar-split plan again.run --extend more
says err "early.run has no time of 1 of 1 item"
code 2 canfar-split plan again.run --extend --weights none more
says err "was planned with --weights run:$work/early.run"
code 0 canfar-split plan strange.run --replicas 2 --weights run:early.run x y -- true
says err "early.run has no time of any of these 2 items, and all weigh the median of its own: are they named as they are there?"
[ "$(weighs strange.run x)" = "$median" ] || fail "x weighs $(weighs strange.run x)"

# ---- twice the same item
printf 'long.2\nshort\nlong.2\n' >twice
code 0 canfar-split plan twice.run --duplicates keep --replicas 1 --strategy chunk --from twice -- ./one.sh {}
code 0 canfar-split run twice.run
measured twice.run >known
code 0 canfar-split plan both.run --duplicates keep --replicas 1 --weights run:twice.run --from twice -- true
lz4 -dcq both.run/items.lz4 | tr '\0' '\n' | sort >got
first=$(awk '$1 == 1 { print $2 }' known) short=$(awk '$1 == 2 { print $2 }' known)
printf '%d\tlong.2\n%d\tlong.2\n%d\tshort\n' "$first" "$first" "$short" | sort | diff - got || fail "weighed otherwise"
code 0 canfar-split plan dropped.run --duplicates drop --replicas 1 --weights run:twice.run --from twice -- true
[ "$(weighs dropped.run long.2)" = "$first" ] || fail "long.2 weighs $(weighs dropped.run long.2), not $first"

# ---- what is refused
code 2 canfar-split plan no.run --replicas 2 --weights run:none.run x -- true
says err "there is no run 'none.run'"
code 2 canfar-split plan no.run --replicas 2 --weights run: x -- true
code 2 canfar-split plan no.run --replicas 2 --weights times x -- true
says err "--weights needs stat, column or none, or for a plan run:OTHER, not 'times'"
code 2 canfar-split size --replica 1/2 --weights run:early.run --from wanted
says err "size: --weights run:early.run is for plan: replicas that split by themselves need not see the same times"
printf 'damaged' >early.run/run.json
code 3 canfar-split plan no.run --replicas 2 --weights run:early.run x -- true
[ ! -e no.run ] || fail "a run was made"
rm -r early.run
code 2 canfar-split plan again.run --extend other
says err "there is no run '$work/early.run'"
