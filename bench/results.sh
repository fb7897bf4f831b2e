#!/bin/sh
# What the parts of bench/run.sh printed, as a page on standard output. usage: bench/results.sh quick|full|tiny PARTS FIGURES LOAD
set -eu
mode=$1 parts=$2 figures=$3 load=$4
top=$(cd "$(dirname "$0")/.." && pwd)
tool=${CFSPLIT_BUILD:-$top/build}/bin/canfar-split
peers=$parts/peers limits=$parts/limits grown=$parts/growth
for part in "$peers" "$limits" "$grown" "$parts/list"; do [ -e "$part" ] || : >"$part"; done

# figure NAME WORDS
figure() {
    [ ! -e "$figures/$1.svg" ] || printf '\n![%s](figures/%s.svg)\n' "$2" "$1"
}
# as_printed NAME TITLE: what a part printed
as_printed() {
    [ -s "$parts/$1" ] || return 0
    printf '\n## %s\n\n' "$2"
    if grep -q '^| ' "$parts/$1"; then sed 's/^\([^|].*\)$/\1\n/' "$parts/$1"; else echo '```'; cut -c 1-400 "$parts/$1"; echo '```'; fi
}

machine() {
    echo "| | |"
    echo "|---|---|"
    echo "| processors | $(nproc), $(awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo) |"
    echo "| memory | $(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo) |"
    echo "| file system of the files that are measured | $(stat -f -c %T "$parts") |"
    echo "| kernel | $(uname -sr) |"
    echo "| system | $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release) |"
    echo "| load before the first part | $load |"
    echo "| canfar-split | $("$tool" --version | sed 's/^canfar-split //') |"
    for package in libzmq5 coreutils gawk mawk findutils python3 fpart xjobs parallel make moreutils coop-computing-tools beanstalkd gearman-job-server \
        redis-server python3-distributed source-extractor fitsverify gnuastro; do
        dpkg-query -W -f "| $package | \${Version} |\n" "$package" 2>/dev/null || true # what is not installed is not there
    done
}

# ours over theirs: what has one outstanding beside ours with one, else the first of ours in that row; best is the larger
rates() { # ROW TITLE
    awk -F '\t' -v title="$2" -v row="$1" '
        ($1 == "rate" || $1 == "missing") && $2 == row { line[++n] = $0 }
        $1 == "rate" && $2 == row && $3 ~ /^canfar-split/ { if (!first) first = $4; if ($3 ~ /--batch 1/) single = $4 }
        END {
            if (!n) exit
            printf "\n### %s\n\n| who | median | least to most | canfar-split over it | |\n|---|--:|--:|--:|---|\n", title
            for (i = 1; i <= n; i++) {
                split(line[i], f, "\t")
                if (f[1] == "missing") { printf "| %s | missing | | | %s |\n", f[3], f[4]; continue }
                ours = f[3] ~ /, 1 outstanding$/ && single ? single : first
                printf "| %s | %s %s | %s to %s | %s | %s |\n", f[3], f[4], f[5], f[6], f[7], \
                    f[3] ~ /^canfar-split/ || !ours ? "" : sprintf("%.2f", ours / f[4]), f[8]
            } }' "$peers"
}
losses() {
    awk -F '\t' '
        $1 == "rate" && $2 !~ /^wrong/ && $3 ~ /^canfar-split/ { if (!($2 in first)) first[$2] = $4; if ($3 ~ /--batch 1/) single[$2] = $4 }
        $1 == "rate" && $2 !~ /^wrong/ && $3 !~ /^canfar-split/ { line[++n] = $0 }
        END {
            for (i = 1; i <= n; i++) {
                split(line[i], f, "\t")
                ours = f[3] ~ /, 1 outstanding$/ && f[2] in single ? single[f[2]] : first[f[2]]
                if (ours && ours < f[4]) { printf "- %s: %s is %.2f times as fast (%s)\n", f[2], f[3], f[4] / ours, f[8]; lost++ }
            }
            if (!n) print "Nothing was compared."; else if (!lost) print "Nowhere here." }' "$peers"
}
counts() { # PATTERN
    awk -F '\t' -v pattern="$1" '
        BEGIN { print "\n| | who | never done | done twice | of | |\n|---|---|--:|--:|--:|---|" }
        $2 ~ pattern && $1 == "count" { printf "| %s | %s | %s | %s | %s | %s |\n", $2, $3, $4, $5, $6, $7 }
        $2 ~ pattern && $1 == "missing" { printf "| %s | %s | missing | | | %s |\n", $2, $3, $4 }' "$peers"
}
told() {
    awk -F '\t' '$2 == "wrong-rest" && $1 == "rate" { printf "- 1,000 items over 512 replicas, the most of one: %s: %s (%s)\n", $3, $4, $8 }
        $1 == "text" { printf "- replica 0 of 4: %s: %s\n", $3, $4 }' "$peers"
}

limits_table() {
    printf '| limit | median | least to most |\n|---|--:|--:|\n'
    awk -F '\t' '{ printf "| %s | %s %s | %s to %s |\n", $1, $2, $3, $4, $5 }' "$limits"
}
# Our figures over what the machine can do on the same work, of the same run.
shares() {
    slept=$(sed -n 's/.*all slept: \([0-9.]*\) us.*/\1/p' "$parts/queue" 2>/dev/null || true)
    printf '| figure | ours | limit | share |\n|---|--:|--:|--:|\n'
    awk -F '\t' -v slept="$slept" '
        function share(words, ours, limit, unit, what) {
            if (ours && limit) printf "| %s | %.0f %s | %.0f: %s | %.2g |\n", words, ours, unit, limit, what, unit == "us" ? limit / ours : ours / limit }
        FNR == NR { limit[$1] = $2; next }
        $1 == "rate" { ours[$2 "/" $3] = $4 }
        END {
            bytes = length("/some/folder/of/images/exposure-00000001.fits") + 1
            share("stripe of a list", ours["stripe/canfar-split"] * bytes / 1e6, limit["scan-find"], "MB/s", "finding newlines in memory")
            share("chunk of a list", ours["chunk/canfar-split"] * bytes / 1e6, limit["scan-count"], "MB/s", "counting newlines in memory")
            share("stripe of a pattern", ours["folder/canfar-split"], limit["list"], "files/s", "getdents64")
            share("running /bin/true, chunk", ours["spawn/canfar-split, chunk"], limit["spawn-2"], "items/s", "posix_spawn and wait, two at a time")
            share("running /bin/true, queue", ours["spawn/canfar-split, queue"], limit["spawn-2"], "items/s", "the same")
            share("each end synced, no server", ours["durable/canfar-split, share"], limit["sync-1"], "items/s", "pwrite and fdatasync, one process")
            share("each end synced, queue", ours["durable/canfar-split, queue --batch 1 --sync-every 0"], limit["sync-2"], "items/s", "the same, two processes")
            share("one item a message", ours["dispatch/canfar-split, queue --batch 1"], limit["rate curve-ipc"], "items/s", "encrypted messages of ZeroMQ, one way")
            share("many items a message", ours["dispatch/canfar-split, queue"], limit["rate unix, packed"], "items/s", "bare socket, 1,024 messages of 64 bytes a write")
            share("wait for an item where all slept", slept, limit["idle curve-ipc"] + limit["sync-wait"], "us", "an encrypted round trip after a sleep, and one sync")
        }' "$limits" "$peers"
}

growth() {
    awk -F '\t' '
        $1 == "grows" { if (!($2 in seen)) { seen[$2]; order[++n] = $2 } at[$2, $3] = $4; unit[$2] = $5; if (!($3 in known)) { known[$3]; sizes[++m] = $3 } }
        $1 == "fit" { fit[$2] = $3; most[$2] = $4; verdict[$2] = $5 }
        END {
            if (!n) { print "Nothing was measured."; exit }
            for (i = 1; i <= m; i++) for (j = i + 1; j <= m; j++) if (sizes[j] + 0 < sizes[i] + 0) { t = sizes[i]; sizes[i] = sizes[j]; sizes[j] = t }
            table("items", 0); table("workers", 1)
        }
        function table(word, workers,    i, j, line, rule) {
            line = "| " word; rule = "|---"
            for (j = 1; j <= m; j++) if (of(workers, sizes[j])) { line = line " | " sizes[j]; rule = rule "|--:" }
            print line " | | grows as n to the power of | n log n would | |\n" rule "|---|--:|--:|---|"
            for (i = 1; i <= n; i++) if ((order[i] ~ /^workers/) == workers) {
                line = "| " order[i]
                for (j = 1; j <= m; j++) if (of(workers, sizes[j])) line = line " | " at[order[i], sizes[j]]
                print line " | " unit[order[i]] " | " fit[order[i]] " | " most[order[i]] " | " verdict[order[i]] " |"
            }
            print ""
        }
        function of(workers, size,    i) {
            for (i = 1; i <= n; i++) if ((order[i] ~ /^workers/) == workers && (order[i], size) in at) return 1
            return 0
        }' "$grown"
}

cat <<PAGE
# What was measured

Written by \`bench/run.sh $mode\`; [docs/benchmarks.md](../docs/benchmarks.md) tells what is compared with what, and how to repeat it. Medians; a spread
is from the least to the most. $([ "$mode" != tiny ] || echo 'These sizes measure nothing: they only show that it works.')

## The machine

$(machine)

## The parts

| part | | seconds |
|---|---|--:|
$(awk -F '\t' '{ printf "| %s | %s | %s |\n", $1, $2, $3 }' "$parts/list")

## Beside peers

A ratio above 1 is in our favour. The last column tells what is on disk when.
PAGE
rates stripe 'One stripe of a list'
rates chunk 'One chunk of a list'
rates folder 'Files of a folder'
rates size 'Shares by size'
rates spawn 'Running /bin/true in 2 slots'
figure spawn 'running /bin/true, against peers'
rates dispatch 'Handing out items that do nothing to 2 workers'
figure dispatch 'handing out items, against peers'
rates durable 'The same, each end on disk before it is told'
figure durable 'handing out items with each end on disk, against peers'
rates fill 'Making the list that is handed out'
printf '\n## Where canfar-split loses\n\n'
losses
printf '\n## Killed with -9 half way, and started again\n\nCounted in what the commands wrote, all rounds together.\n'
counts '^resume$'
printf '\n## Wrong answers\n\nThe shares of 4 replicas, counted together: where 2 of them see the files in another order (order), where a file comes when 2 of them have\n'
printf 'looked (grown), and where half of a list is done when it gets a new file (more).\n'
counts '^wrong-(order|grown|more)$'
echo
told
printf '\n## The limits of this machine\n\n'
limits_table
printf '\n## Shares of the limits\n\n'
shares
printf '\n## How cost grows\n\n'
growth
figure items 'the cost of items'
figure memory 'the memory of items'
figure workers 'the cost of workers'
as_printed simulate 'Simulated'
figure simulate 'makespan by strategy and replicas, simulated'
as_printed strategies 'Strategies'
as_printed queue 'The queue'
as_printed crowd 'A queue of many workers'
as_printed memory10 'The memory of a large queue'
as_printed spawn 'Running commands'
as_printed door 'The door of the library'
as_printed lists 'Lists'
as_printed scale 'Many replicas'
as_printed verify 'Proving a run complete'
