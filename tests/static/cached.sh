#!/bin/sh
# Building again fetches and builds no libzmq: it is kept in the build folder.
#   cached.sh CMAKE BUILD-FOLDER
cmake=$1 build=$2
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
library=$(find "$build" -path '*/static/libzmq/lib/libzmq.a')
[ -s "$library" ] || fail "there is no libzmq.a"
before=$(stat -c %Y "$library")
mkdir bin
printf '#!/bin/sh\necho apt-get "$@" >>%s/asked\nexit 1\n' "$work" >bin/apt-get
chmod +x bin/apt-get
code 0 env PATH="$work/bin:$PATH" "$cmake" "$build"
code 0 env PATH="$work/bin:$PATH" "$cmake" --build "$build" --target libzmq
[ ! -e asked ] || fail "it was fetched again: $(cat asked)"
[ "$(stat -c %Y "$library")" = "$before" ] || fail "it was built again"
