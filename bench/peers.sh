#!/bin/sh
# canfar-split beside what else splits lists, runs commands and hands out work, each from its Debian package, in turn on this machine. Prints lines
# of TAB-separated fields:
#   rate     ROW  WHO  MEDIAN  UNIT  LEAST  MOST  NOTE    of ROUNDS
#   count    ROW  WHO  NEVER  TWICE  OF  NOTE             items that were never done, and that were done more than once, counted in what they wrote
#   missing  ROW  WHO  WHY                                a peer that is not here or failed: it ends nothing
# Rows, each in a file of bench/peers/: split, spawn, wrong, resume, dispatch (with durable). What is on disk when, and how many items are outstanding, is
# told in NOTE. Servers listen on Unix sockets or 127.0.0.1 only (Work Queue, which listens everywhere, in a network of its own), are ended by
# their number, and with this script if it is killed.
# Packages that are missing are installed (apt-get) unless CFSPLIT_INSTALL is "no". With fewer than a million items all rows are smaller.
# Needs a release build: cmake --preset release -DBUILD_TESTING=ON and cmake --build build. usage: bench/peers.sh [ROUNDS [ITEMS [ROW...]]]
# shellcheck source=bench/doors.sh
. "$(dirname "$0")/doors.sh"
# shellcheck disable=SC2034 # the rows use it
rounds=${1:-5} items=${2:-1000000}
[ $# -lt 2 ] || shift
[ $# -lt 1 ] || shift
rows=${*:-split spawn wrong resume dispatch}
served=$build/bin/bench_served door=$build/bin/bench_door
built "$served" "$door"
PATH=$PATH:/usr/sbin
python=/usr/bin/python3 # Debian's, which has Debian's packages
patience=120            # seconds, for one run of a peer
mkdir samples

# ---- who is here

# shellcheck source=bench/install.sh
. "$top/bench/install.sh"
install_missing fpart xjobs parallel make moreutils coop-computing-tools openmpi-bin iproute2 beanstalkd gearman-job-server redis-server \
    python3-distributed

# present WHO: whether what it needs is here
present() {
    case $1 in
    canfar-split* | 'ls and awk') ;;
    'GNU parallel'*) parallel --version 2>&1 | grep -q 'GNU parallel' ;;
    'moreutils parallel'*) command -v parallel.moreutils ;;
    'Work Queue'*) command -v makeflow && command -v work_queue_worker && unshare -rn ip link set lo up ;;
    dask*) "$python" -c 'import distributed' ;;
    Python*) [ -x "$python" ] ;;
    redis*) command -v redis-server ;;
    *) command -v "${1%%[ ,]*}" ;; # the others are called as their first word
    esac >/dev/null 2>&1
}

# ---- samples

# sample_of ROW WHO: the file of its samples; beside it, what it failed of
sample_of() {
    echo "samples/$1.$(echo "$2" | tr ' /' '__')"
}
# ours WHO WHAT: what failed of canfar-split fails all
ours() {
    case $1 in canfar-split*) echo "$1: $2" >&2; exit 1 ;; esac
}
# add ROW WHO VALUE
add() {
    echo "$3" >>"$(sample_of "$1" "$2")"
}
# failed ROW WHO WHY
failed() {
    ours "$2" "$3"
    echo "$3" >"$(sample_of "$1" "$2").why"
}
# bounded ROW WHO COMMAND...: a run of it; its output in out, what it says in said
bounded() {
    at=$1 whose=$2
    shift 2
    present "$whose" || return 1
    timeout -k 5 "$patience" "$@" >out 2>said </dev/null && return
    failed "$at" "$whose" "exit $?: $(tail -n 1 said | tr '\t' ' ')"
    return 1
}
# timed ROW WHO COUNT COMMAND...: items a second
timed() {
    at=$1 whose=$2 of=$3
    shift 3
    from=$(date +%s%N)
    bounded "$at" "$whose" "$@" || return 0
    add "$at" "$whose" "$(awk -v n="$of" -v from="$from" -v to="$(date +%s%N)" 'BEGIN { printf "%.0f\n", n * 1e9 / (to - from) }')"
}

# say ROW WHO UNIT NOTE: the line of it
say() {
    sample=$(sample_of "$1" "$2")
    if [ -s "$sample" ]; then
        row "$2" "$sample" "$3" | sed "s|^|rate\t$1\t|; s|\$|\t$4|"
    else
        missing "$1" "$2" "$(cat "$sample.why" 2>/dev/null || echo 'not installed')"
    fi
}
# count ROW WHO ALL DONE NOTE: of the lines of ALL, how many are not in DONE, and how many are there more than once
count() {
    [ -e "$4" ] || : >"$4"
    awk -v head="count\t$1\t$2" -v note="$5" 'NR == FNR { of++; all[$0]; next } { done[$0]++ }
        END { for (i in all) { never += !(i in done); twice += done[i] > 1 }
              printf "%s\t%d\t%d\t%d\t%s\n", head, never, twice, of, note }' "$3" "$4"
}
# missing ROW WHO WHY
missing() {
    printf 'missing\t%s\t%s\t%s\n' "$1" "$2" "$3"
}
# absent ROW WHO: says so if it is
absent() {
    ! present "$2" || return 1
    missing "$1" "$2" 'not installed'
}

# ---- servers

server=
# serve COMMAND...: in the background, its number in server; it ends with this script
serve() {
    setpriv --pdeathsig KILL "$@" >server.log 2>&1 </dev/null &
    server=$!
}
# end_server [SIGNAL]: killed if it has not ended after 5 s
end_server() {
    [ -n "$server" ] || return 0
    kill "-${1:-TERM}" "$server" 2>/dev/null || true
    tries=0
    while kill -0 "$server" 2>/dev/null && [ "$tries" -lt 100 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    kill -9 "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}
# start_at KIND COMMAND...: a server (the command without its address), which address then is; what it keeps it keeps in the folder store
start_at() {
    at_kind=$1
    shift
    rm -f server.sock
    address=./server.sock
    case $at_kind in
    beanstalkd) serve "$@" -l unix:./server.sock ;;
    redis*) serve "$@" --port 0 --unixsocket ../server.sock --dir store ;;
    gearmand)
        address=$("$served" port)
        serve "$@" --listen 127.0.0.1 --port "$address" --log-file ./gearmand.log --pid-file ./gearmand.pid
        ;;
    esac
}
places= # a folder elsewhere that a row has made
trap 'end_server KILL; rm -rf "$work" ${places:+"$places"}' EXIT

for part in $rows; do
    # shellcheck source=/dev/null
    . "$top/bench/peers/$part.sh"
done
i=0
while [ "$i" -lt "$rounds" ]; do
    i=$((i + 1))
    for part in $rows; do
        "round_$part" "$i" # 1 in the first one
    done
done
for part in $rows; do
    "say_$part"
done
