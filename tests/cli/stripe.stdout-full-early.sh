[ -c /dev/full ] || { echo 'there is no /dev/full' >&2; exit 77; }
seq 100000 | canfar-split stripe --replica 1/1 --from - >/dev/full
