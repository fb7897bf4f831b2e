#!/bin/sh
# The judge of the crash tests: reads what the commands wrote (one.sh) and what `items` prints, nothing else of ours.
#   check.sh list RUN          notes in `listed` what is listed as done or rejected by now, and how often each has been started;
#                              what was listed before is listed still
#   check.sh judge RUN LOST    all items (file `items`) are listed, each once; each has ended; none was started again after it
#                              was listed; no two attempts of one ran at a time or had one number; at most LOST attempts had
#                              to be made again. LOST is `any` where replicas slept and woke up: what they began and others
#                              ended meanwhile has been started twice, and is no fault
set -eu
LC_ALL=C
export LC_ALL
what=$1 run=$2

settled() {
    canfar-split items "$run" --state done
    canfar-split items "$run" --state rejected
}

# A line an attempt: its item. An attempt that died at once left an empty file, and counts.
attempts() {
    for file in attempts/*/*; do
        item=${file#*/}
        [ ! -e "$file" ] || echo "${item%%/*}"
    done
}

settled | sort >settled.now
attempts | sort | uniq -c | awk '{print $2, $1}' >starts.now
if [ "$what" = list ]; then
    cut -d ' ' -f 1 listed | sort -u | comm -23 - settled.now | sed 's/^/WRONG: listed before and no more: /' >gone
    join settled.now starts.now >>listed
    cat gone
    [ ! -s gone ]
    exit
fi

{
    sort items | diff - settled.now | sed 's/^</not listed: /; s/^>/listed: /' | grep ':' || :
    sed 's/^/item /' items
    sed 's/^/starts /' starts.now
    sed 's/^/listed /' listed
    grep -H '^end' attempts/*/* | tr '/:' '  ' | awk '{print "end", $2, $NF}'
    [ "$3" = any ] || find attempts -type f | sed 's/\.[^.]*$//' | sort | uniq -d | sed 's/$/: more than one attempt of this number/'
    cat overlaps 2>/dev/null || :
} | awk -v lost="$3" '
    $1 == "item" { items[$2]; next }
    $1 == "starts" { starts[$2] = $3; next }
    $1 == "end" { ends[$2] += $3 != 1; failures[$2] += $3 == 1; next }
    $1 == "listed" && NF == 3 { if (starts[$2] != $3 && lost != "any") wrong($2 " was listed after " $3 " starts, and has " starts[$2]); next }
    { wrong($0) }
    END {
        for (i in items) {
            if (!ends[i])
                wrong(i " never ended well")
            again += starts[i] - failures[i] - 1
        }
        if (lost != "any" && again > lost)
            wrong(again " attempts were made again where " lost " could be lost")
        exit bad
    }
    function wrong(text) { print "WRONG: " text; bad = 1 }'
