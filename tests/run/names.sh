#!/bin/sh
# Any byte but NUL in a name: every command gets its item exactly, no shell looks at it, and it comes back out of items -0.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
{
    printf '%s\0' 'plain' 'two  spaces' "it's" '"quoted"' '-rf' '--help' '$(touch pwned)' '`touch pwned`' ';touch pwned' '*' '\n' 'a	tab'
    printf 'new\nline\0'
    printf 'latin-1 \351toile\0'
    printf '\001\002\177\377\0'
    head -c 4000 /dev/zero | tr '\0' 'x'
    printf '\0'
} >list
cat >one.sh <<'EOF'
#!/bin/sh
[ "$1" = "$CANFAR_SPLIT_ITEM" ] || exit 3
printf '%s\0' "$1" >"got.$CANFAR_SPLIT_INDEX"
EOF
chmod +x one.sh
code 0 canfar-split plan r.run --replicas 2 --strategy stripe -0 --from list -- ./one.sh {}
code 0 canfar-split launch r.run --on local
code 0 canfar-split verify r.run
[ ! -e pwned ] || fail "a shell looked at a name"
sort -z list >wanted
cat got.* | sort -z | cmp - wanted || fail "the commands got other names"
canfar-split items r.run -0 | sort -z | cmp - wanted || fail "items -0 prints other names"
code 2 canfar-split items r.run
says err "has a newline in its name: use -0"
canfar-split run -0 --from list -- printf '%s\n' 2>/dev/null >/dev/null || fail "one-shot"
# with --shell the item is quoted
code 0 canfar-split plan s.run --replicas 1 --strategy chunk --shell -0 --from list -- 'printf "%s\0" {} >"shell.$CANFAR_SPLIT_INDEX"'
code 0 canfar-split run s.run --replica 1
cat shell.* | sort -z | cmp - wanted || fail "the shell got other names"
