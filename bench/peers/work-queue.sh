#!/bin/sh
# A Makeflow, FOLDER/flow, by Work Queue with one worker of 2 cores, in a network that has loopback only. FOLDER/pid: the number of makeflow.
# usage: work-queue.sh FOLDER
set -eu
if [ "${2:-}" != inside ]; then
    exec unshare -rn "$0" "$1" inside
fi
cd "$1"
ip link set lo up
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 # makeflow is linked with MPI and starts it
rm -f port
setpriv --pdeathsig KILL makeflow -T wq -p 0 -Z port -J 1000 flow >makeflow.log 2>&1 &
flow=$!
echo "$flow" >pid
worker=
trap '[ -z "$worker" ] || kill -9 "$worker" 2>/dev/null || true' EXIT
trap 'exit 1' INT TERM
tries=0
until [ -s port ]; do
    kill -0 "$flow"
    tries=$((tries + 1))
    [ "$tries" -le 600 ]
    sleep 0.05
done
setpriv --pdeathsig KILL work_queue_worker --cores 2 -t 60 -s . 127.0.0.1 "$(cat port)" >worker.log 2>&1 &
worker=$!
wait "$flow"
