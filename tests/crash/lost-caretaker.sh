#!/bin/sh
# Four replicas on three hosts. One of them, idle for a while, sees the caretaker alive, and is busy again when the caretaker and
# somebody else are killed. When it is idle again it does not believe what it saw then, and leaves nothing behind.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
: >"ready.$1.$CANFAR_SPLIT_ATTEMPT"
case $1.$CANFAR_SPLIT_ATTEMPT in
near.1 | far.1) exec sleep 60 ;;
a.1 | near.2) while [ ! -e go ]; do sleep 0.05; done ;;
esac
EOF
chmod +x one.sh
on() { # HOST REPLICA WORD...: in the background it is then the replica itself, to be killed
    host=$1 replica=$2
    shift 2
    exec env LD_PRELOAD="$CFSPLIT_SHIM" SHIM_HOST="$host" canfar-split run r.run --replica "$replica" "$@" 2>"err.$replica"
}
beats() { # REPLICA: its beat
    cut -f 2 r.run/beat/"$1"-* | sort -n | tail -n 1
}
has_beaten() {
    [ "$(beats 3)" -ge "$1" ]
}

code 0 canfar-split plan r.run --replicas 4 --strategy chunk --stall-after 3s a far c near -- ./one.sh {}
on south 2 &
far=$!
on east 4 &
near=$!
until_true 20 test -e ready.far.1 -a -e ready.near.1
on west 3 &
caretaker=$!
until_true 20 test -e r.run/claims/caretaker.e1
on east 1 -j 2 &
last=$!
until_true 20 test -e ready.a.1
until_true 20 has_beaten $(($(beats 3) + 4)) # a look at others falls into each two beats at least
kill -9 "$caretaker" "$far"
kill -TERM "$near" # what it gives back is taken at once
until_true 20 test -e ready.near.2
sleep 2                            # longer than half of --stall-after: it has looked away
: >go
wait "$last" || fail "$(cat err.1)"
code 0 canfar-split verify r.run
says err.1 "replica 2 on south is silent: going on with what it had"
