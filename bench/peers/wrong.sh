# shellcheck shell=sh disable=SC2154
# Sourced by bench/peers.sh: answers that are wrong, counted: the shares of 4 replicas together, of a few hundred files.
wrongs=200
seq -f 'image-%04.0f.fits' "$wrongs" >wrong.names

# in_order FOLDER: makes the files in the order of standard input
in_order() {
    rm -rf "$1"
    mkdir -p "$1"
    while IFS= read -r name; do : >"$1/$name"; done
}
# Memory, where folders list the newest file first: elsewhere the order is the file system's own, and another one in each file system.
elsewhere() {
    if [ -w /dev/shm ]; then mktemp -d /dev/shm/canfar-split-bench.XXXXXX; else mktemp -d ./folders.XXXXXX; fi
}
# ordered WHO NOTE SHARE: what the replicas do, where SHARE K FOLDER prints the share of replica K that sees FOLDER
ordered() {
    ! absent wrong-order "$1" || return 0
    : >done
    for k in 1 2 3 4; do
        folder=$places/forward
        [ $((k % 2)) -eq 1 ] || folder=$places/backward
        "$3" "$k" "$folder" | sed 's|.*/||' >>done
    done
    count wrong-order "$1" wrong.names done "$2"
}
# A file that sorts first comes when replicas 1 and 2 have looked.
grown() {
    ! absent wrong-grown "$1" || return 0
    : >done
    rm -f "$places/forward/image-0000.fits"
    for k in 1 2; do "$3" "$k" "$places/forward" | sed 's|.*/||' >>done; done
    : >"$places/forward/image-0000.fits"
    for k in 3 4; do "$3" "$k" "$places/forward" | sed 's|.*/||' >>done; done
    rm -f "$places/forward/image-0000.fits"
    count wrong-grown "$1" wrong.names done "$2"
}

python_stripe() {
    "$python" "$top/bench/peers/recipe.py" stripe "$1" 4 glob "$2/*.fits"
}
awk_stripe() {
    ls "$2" | awk -v k="$1" 'NR % 4 == k % 4'
}
our_stripe() {
    "$tool" stripe --replica "$1/4" "$2/*.fits"
}
# our_replica K FOLDER: whoever comes first plans, and all the others find that plan; they stay until all is done
our_replica() {
    [ -e w.run ] ||
        "$tool" plan w.run --replicas 4 --strategy stripe "$2/*.fits" -- "$served" mark "$work/plan.done" 1 '{}' 2>said || ours canfar-split "$(cat said)"
    setpriv --pdeathsig KILL timeout -k 5 "$patience" "$tool" run w.run --replica "$1" -j 1 2>"said.$1" &
    replicas="$replicas $!"
}
grown_run() {
    rm -rf w.run plan.done
    replicas=
    our_replica 1 "$places/forward"
    our_replica 2 "$places/forward"
    : >"$places/forward/image-0000.fits"
    our_replica 3 "$places/forward"
    our_replica 4 "$places/forward"
    for replica in $replicas; do
        wait "$replica" || ours canfar-split "$(cat said.*)"
    done
    rm -f "$places/forward/image-0000.fits"
    whole w.run
    sed 's|.*/||' plan.done >done
    count wrong-grown 'canfar-split plan and run' wrong.names done 'the list is frozen'
    rm -rf w.run
}

# half of a list is done, then a file comes that sorts first; the whole list is given again
more_files() {
    head -n 100 wrong.names >first.half
    { echo image-0000.fits; cat wrong.names; } >more.names
    rm -f done joblog
    if ! absent wrong-more 'GNU parallel'; then
        parallel -j1 --joblog joblog --resume -a first.half "$served" mark done 1 >out 2>said </dev/null || true
        parallel -j1 --joblog joblog --resume -a more.names "$served" mark done 1 >out 2>said </dev/null || true
        count wrong-more 'GNU parallel' more.names done '--joblog --resume knows items by their number'
    fi
    rm -rf w.run done
    "$tool" plan w.run --replicas 1 --strategy chunk --from first.half -- "$served" mark "$work/done" 1 '{}' 2>said
    "$tool" run w.run --replica 1 -j 1 2>said
    "$tool" plan w.run --extend --from more.names 2>said || ours canfar-split "$(cat said)"
    "$tool" run w.run --replica 1 -j 1 2>said
    whole w.run
    count wrong-more 'canfar-split, plan --extend' more.names done 'it knows items by their names'
    rm -rf w.run
}

# most WHO NOTE COMMAND: 1,000 items over 512 replicas: the most items of one replica, which is the last one
most() {
    printf 'rate\twrong-rest\t%s\t%s\titems\t%s\t%s\t%s\n' "$1" "$3" "$3" "$3" "$2"
}
rest() {
    seq 1000 >thousand
    absent wrong-rest 'Python recipe, chunk' || most 'Python recipe, chunk' 'the last of 512 replicas takes the whole rest' \
        "$("$python" "$top/bench/peers/recipe.py" chunk 512 512 list thousand | wc -l)"
    most 'canfar-split chunk' 'the same, bit by bit: a contract with code that exists' "$("$tool" chunk --replica 512/512 --from thousand | wc -l)"
    most 'canfar-split even' 'shares differ by one at most' "$("$tool" even --replica 1/512 --from thousand | wc -l)"
}

# text ROW WHO ANSWER
text() {
    printf 'text\t%s\t%s\t%s\n' "$1" "$2" "$3"
}
# A replica that counts from 0, of 4
zero() {
    absent wrong-zero 'Python recipe, chunk' || text wrong-zero 'Python recipe, chunk' \
        "$("$python" "$top/bench/peers/recipe.py" chunk 0 4 list wrong.names | wc -l) items, exit 0"
    code=0
    "$tool" chunk --replica 0/4 --from wrong.names >out 2>said || code=$?
    text wrong-zero canfar-split "$(wc -l <out) items, exit $code: $(tail -n 1 said)"
}

round_wrong() {
    [ "$1" -eq 1 ] || return 0
    places=$(elsewhere)
    in_order "$places/forward" <wrong.names
    sort -r wrong.names | in_order "$places/backward"
    {
        ordered 'Python recipe, stripe' 'a glob is not sorted' python_stripe
        ordered 'canfar-split stripe' 'names are sorted by bytes' our_stripe
        grown 'Python recipe, stripe' 'each replica looks for itself' python_stripe
        grown 'ls and awk' 'each replica looks for itself' awk_stripe
        grown 'canfar-split stripe' 'the same: a filter looks for itself, too' our_stripe
        grown_run
        more_files
        rest
        zero
    } >wrong.lines
    rm -rf "$places"
}

say_wrong() {
    cat wrong.lines
}
