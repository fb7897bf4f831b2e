# every row of what the Python client answers
export ASAN_OPTIONS=detect_leaks=0
grep -v '^#' "$TESTS/conformance/upstream-partitions.tsv" >rows
tab=$(printf '\t')
seq 0 2000 >numbers
before=
while IFS=$tab read -r strategy n k count wanted; do
    [ "$n" = "$before" ] || head -n "$n" numbers >items
    before=$n
    canfar-split "$strategy" --upstream --allow-empty --replica "$k/$count" --from items >got 2>error
    code=$?
    case $wanted in
    !*) [ $code -eq 2 ] && [ "canfar-split: ${wanted#!}" = "$(cat error)" ] || echo "$strategy $n $k $count: $code" ;;
    *) { [ "$wanted" = - ] || echo "$wanted" | tr , '\n'; } | cmp -s - got || echo "$strategy $n $k $count: $(cat got error)" ;;
    esac
done <rows
wc -l <rows
