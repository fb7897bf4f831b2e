#!/bin/sh
# No page is made without prose, or of prose that does not say where its options belong; and all prose is used.
#   prose.sh MANUAL PROSE
manual=$1 prose=$2
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cp -r "$prose" prose
mkdir pages
code 0 "$manual" prose pages
for file in prose/*.man; do
    mv "$file" kept
    code 1 "$manual" prose pages
    says err "there is no prose for this page: cannot open '$file'"
    sed '/^\.\\" [A-Z]*$/d' kept >"$file"
    code 1 "$manual" prose pages
    says err "$file' has 0 lines"
    mv kept "$file"
done
code 1 "$manual" prose no/such/folder
says err "cannot write 'no/such/folder/canfar-split.1'"
code 2 "$manual"
if [ -e /dev/full ]; then
    ln -s /dev/full pages/full
    rm pages/canfar-split.1
    ln -s full pages/canfar-split.1
    code 1 "$manual" prose pages
    says err "cannot write 'canfar-split.1'"
fi
