[ -c /dev/full ] || { echo 'there is no /dev/full' >&2; exit 77; }
canfar-split stripe --replica 1/1 a >/dev/full
