#!/bin/sh
# By queue: an empty list, one item and eight replicas, spares alone and beside others, and names of any bytes in batches.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF2'
#!/bin/sh
[ "$1" = "$CANFAR_SPLIT_ITEM" ] || exit 3
printf '%s\0' "$1" >>"got.$CANFAR_SPLIT_INDEX"
EOF2
chmod +x one.sh
queue="--strategy queue --takeover-after 2s --stall-after 1m"

# nothing to do
: >none
# shellcheck disable=SC2086 # words
code 0 canfar-split plan r.run --replicas 3 $queue --allow-empty --from none -- ./one.sh {}
code 0 canfar-split run r.run --replica 2
code 0 canfar-split launch r.run --on local
code 0 canfar-split verify r.run

# one item, eight replicas at a time
rm -rf r.run got.*
# shellcheck disable=SC2086
code 0 canfar-split plan r.run --replicas 8 $queue alone -- ./one.sh {}
code 0 canfar-split launch r.run --on local
code 0 canfar-split verify r.run
[ "$(tr '\0' '\n' <got.1)" = alone ] || fail "$(cat got.*)"

# spares alone; one beside another replica
rm -rf r.run got.*
# shellcheck disable=SC2086
seq 40 | code 0 canfar-split plan r.run --replicas 4 $queue --from - -- ./one.sh {}
canfar-split run r.run --spare 2>err.1 &
first=$!
canfar-split run r.run --spare -j 3 2>err.2 &
second=$!
code 0 canfar-split run r.run --replica 4
wait "$first" || fail "$(cat err.1)"
wait "$second" || fail "$(cat err.2)"
code 0 canfar-split verify r.run
seq 40 >wanted
cat got.* | tr '\0' '\n' | sort -n | cmp - wanted || fail "not each once: $(cat got.* | tr '\0' ' ')"

# any byte but NUL: one at a time, in batches, and to a replica that came later
{
    printf '%s\0' 'plain' 'two  spaces' "it's" '"quoted"' '-rf' '--help' '$(touch pwned)' '`touch pwned`' ';touch pwned' '*' '\n' 'a	tab'
    printf 'new\nline\0'
    printf 'latin-1 \351toile\0'
    printf '\001\002\177\377\0'
    head -c 4000 /dev/zero | tr '\0' 'x'
    printf '\0'
    seq -f 'more %g' 200 | tr '\n' '\0'
} >list
sort -z list >wanted
for batch in 0 1 64; do
    rm -rf r.run got.*
    # shellcheck disable=SC2086
    code 0 canfar-split plan r.run --replicas 2 $queue --batch "$batch" -0 --from list -- ./one.sh {}
    code 0 canfar-split launch r.run --on local --jobs 2
    code 0 canfar-split verify r.run
    [ ! -e pwned ] || fail "a shell looked at a name"
    cat got.* | sort -z | cmp - wanted || fail "--batch $batch: the commands got other names, or one twice"
    canfar-split items r.run -0 | sort -z | cmp - wanted || fail "items -0 prints other names"
done
