[ "$(id -u)" -ne 0 ] || drop='setpriv --reuid=65534 --clear-groups'
mkdir -p d/locked && touch d/a && chmod 000 d/locked && chmod 755 . ..
$drop canfar-split --version >/dev/null 2>&1 || { echo 'another user cannot run the tool here' >&2; exit 77; }
$drop canfar-split stripe --replica 1/1 'd/locked/*'
$drop canfar-split stripe --replica 1/1 -r d
