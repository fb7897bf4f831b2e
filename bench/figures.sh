#!/bin/sh
# The figures of bench/run.sh, by gnuplot, from what its parts printed: FIGURES/*.svg; those of parts that are not there are left out, and all are if
# there is no gnuplot. usage: bench/figures.sh PARTS FIGURES
set -eu
parts=$1 figures=$2
rm -f "$figures"/*.svg
command -v gnuplot >/dev/null || { echo "no figures: gnuplot is not installed" >&2; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/none"
peers=$parts/peers grown=$parts/growth
[ -e "$peers" ] || peers=$work/none
[ -e "$grown" ] || grown=$work/none

# bars ROW TITLE: the rates of that row, the highest on top; ours in another colour
bars() {
    awk -F '\t' -v row="$1" '$1 == "rate" && $2 == row { printf "\"%s\" %s %s\n", $3, $4, $3 ~ /^canfar-split/ ? "0x0060ad" : "0xb0b0b0" }' "$peers" |
        sort -t '"' -k 3 -n >"$work/bars"
    [ -s "$work/bars" ] || return 0
    n=$(wc -l <"$work/bars")
    gnuplot <<SCRIPT
set terminal svg size 760,$((110 + 24 * n)) font "sans,12"
set output "$figures/$1.svg"
set title "$2"
set logscale x
set format x "10^{%T}"
set xlabel "items/s"
set ytics noenhanced
set yrange [-0.8:$n - 0.2]
set xrange [$(awk -F '"' '{ split($3, v, " "); if (!least || v[1] < least) least = v[1] } END { print least / 5 }' "$work/bars"):*]
set grid xtics
set lmargin $(awk -F '"' '{ if (length($2) > most) most = length($2) } END { print most * 0.85 + 3 }' "$work/bars")
unset key
set style fill solid
plot "$work/bars" using 2:0:(1e-9):2:(\$0 - 0.35):(\$0 + 0.35):3:ytic(1) with boxxyerror linecolor rgb variable
SCRIPT
}

# lines NAME TITLE XLABEL YLABEL UNIT WHAT...: what grows, of those that are there, and what n log n would be
lines() {
    name=$1 title=$2 xlabel=$3 ylabel=$4
    shift 4
    plot=
    for what; do
        awk -F '\t' -v what="$what" '$1 == "grows" && $2 == what { print $3, $4, $6, $7 }' "$grown" >"$work/$what"
        [ -s "$work/$what" ] || continue
        plot="$plot${plot:+, }'$work/$what' using 1:2:3:4 with yerrorlines pointtype 7 pointsize 0.5 title '$what'"
        reference=$(awk 'END { printf "%.12g * x * log(x)", $2 / ($1 * log($1 > 1 ? $1 : 2)) }' "$work/$what")
    done
    [ -n "$plot" ] || return 0
    gnuplot <<SCRIPT
set terminal svg size 760,520 font "sans,12"
set output "$figures/$name.svg"
set title "$title"
set logscale xy
set autoscale xfix
set format x "10^{%T}"
set xlabel "$xlabel"
set ylabel "$ylabel"
set grid
set key outside right
plot [][] $plot, [2:] $reference with lines dashtype 2 linecolor rgb "black" title 'n log n'
SCRIPT
}

bars spawn 'Running /bin/true in 2 slots'
bars dispatch 'Handing out items that do nothing to 2 workers'
bars durable 'The same, each end on disk before it is told'
lines items 'Cost of N items' items ms stripe size plan plan-queue run queue verify
lines memory 'Memory of N items' items MiB plan-memory verify-memory
lines workers 'Cost of N connected workers' workers ms workers workers-took
[ ! -e "$parts/simulate.svg" ] || cp "$parts/simulate.svg" "$figures/simulate.svg"
