#!/bin/sh
# Every command has its page and is in the overview; a page has the options of its command's --help, with the same words, and
# no others.
#   options.sh PAGES
pages=$1
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"

plain() { # PAGE: its text without roff's marks
    sed 's/\\f[BIR]//g; s/\\(aq/'"'"'/g; s/\\(ga/`/g; s/\\(ha/^/g; s/\\(ti/~/g; s/\\-/-/g; s/\\&//g; s/\\e/\\/g' "$1"
}

code 0 canfar-split --help
sed -n 's/^  \([a-z]*\)  *\(.*\)$/\1 \2/p' out >commands
[ "$(wc -l <commands)" -ge 15 ] || fail "few commands: $(cat commands)"
plain "$pages/canfar-split.1" >overview
while read -r command summary; do
    page=$pages/canfar-split-$command.1
    [ -s "$page" ] || fail "there is no page of $command"
    says overview "canfar-split-$command(1)"
    says overview "$summary"
    plain "$page" >page
    says page "canfar-split-$command - $summary"
    code 0 canfar-split "$command" --help
    # an option and its help: "-j, --jobs N|auto" TAB "items at a time ..."
    sed -nE 's/^  (-., |    )(--[a-z0-9-]+)( [^ ]+)?  +(.*)$/\1\2\3\t\4/p' out | sed 's/^    //' >wanted
    [ "$(grep -cE '^ {2}(-|    --)' out)" -eq "$(wc -l <wanted)" ] || fail "$command: lines of --help were not understood: $(cat out)"
    awk '/^\.SH/ { inside = ($2 == "OPTIONS"); next } inside && /^\.TP/ { getline what; getline help; print what "\t" help }' page >found
    diff wanted found || fail "$command: the page and --help differ"
done <commands
for page in "$pages"/canfar-split-*.1; do
    name=${page##*/canfar-split-}
    grep -q "^${name%.1} " commands || fail "$page is of no command"
done
