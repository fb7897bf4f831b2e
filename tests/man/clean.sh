#!/bin/sh
# groff finds nothing to warn of in any page; nor does mandoc, where there is one.
#   clean.sh PAGES
pages=$1
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
command -v groff >/dev/null || skip "no groff"
for page in "$pages"/*.[13]; do
    code 0 groff -man -ww -z "$page"
    [ ! -s err ] || fail "${page##*/}: $(cat err)"
    ! command -v mandoc >/dev/null || code 0 mandoc -Tlint -W warning "$page"
done
printf '.TH BAD 1\n.SH NAME\n.nosuchmacro x\n\\*[nosuchstring]\n' >bad.1
groff -man -ww -z bad.1 2>err
[ -s err ] || fail "groff says nothing of a bad page: nothing was checked"
