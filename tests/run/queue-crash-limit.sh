#!/bin/sh
# By queue: one poison item that kills its replica whenever it runs, and innocents. The poison kills who coordinates, too: it is
# set aside after so many deaths alone as --crash-limit says, and the innocents are done, none run more often than need be.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF2'
#!/bin/sh
echo "$1" >>"started.$1"
[ "$1" != 7 ] || kill -9 "$PPID"
EOF2
chmod +x one.sh

starts() { # ITEM
    cat "started.$1" 2>/dev/null | wc -l
}

innocents_once() { # N
    for i in $(seq "$1"); do
        [ "$i" -eq 7 ] || [ "$(starts "$i")" -eq 1 ] || fail "item $i was started $(starts "$i") times: $(cat r.run/journal/*)"
    done
}

# one replica that is started again and again, one item at a time: each time the coordinator dies with it
for limit in 3 1; do
    rm -rf r.run started.*
    seq 1 24 | code 0 canfar-split plan r.run --replicas 1 --strategy queue --crash-limit "$limit" --takeover-after 2s --stall-after 3s \
        --from - -- ./one.sh {}
    for _ in $(seq $((limit + 1))); do # the first death was not alone
        code 137 canfar-split run r.run --replica 1
    done
    [ "$(starts 7)" -eq $((limit + 1)) ] || fail "the poison was started $(starts 7) times"
    code 1 canfar-split run r.run --replica 1
    says err "'7' is set aside: it ended its replica or command $limit time"
    [ "$(starts 7)" -eq $((limit + 1)) ] || fail "what was set aside was started"
    innocents_once 24
    code 1 canfar-split verify r.run
    says out "23 done, 1 set-aside"
    code 0 canfar-split run r.run --replica 1 # nothing is left to do
    [ "$(find r.run/coordinator -name 'epoch-*' | wc -l)" -eq $((limit + 3)) ] || fail "$(ls r.run/coordinator)"
done
# opened again, it has all its chances again
code 0 canfar-split retry r.run
count pending 1
code 137 canfar-split run r.run --replica 1
count pending 1
[ "$(starts 7)" -eq 3 ] || fail "the poison was not started again"

# 0: never set aside, and the innocents are done before it
rm -rf r.run started.*
seq 1 12 | code 0 canfar-split plan r.run --replicas 1 --strategy queue --crash-limit 0 --from - -- ./one.sh {}
for _ in 1 2 3 4 5 6; do
    code 137 canfar-split run r.run --replica 1
done
count done 11
count pending 1
[ "$(starts 7)" -eq 6 ] || fail "the poison was started $(starts 7) times, not 6"
innocents_once 12

# beside others, some of which coordinate and some do not; launch starts them again
rm -rf r.run started.*
seq 1 60 | code 0 canfar-split plan r.run --replicas 3 --strategy queue --crash-limit 2 --takeover-after 2s --stall-after 3s --from - \
    -- ./one.sh {}
code 1 canfar-split launch r.run --on local --jobs 1
says err "'7' is set aside"
says err "59 done, 1 set-aside"
[ "$(starts 7)" -eq 3 ] || fail "the poison was started $(starts 7) times, not 3"
innocents_once 60

# in company: what runs beside it when it strikes first runs once more at most, alone
rm -rf r.run started.*
seq 1 60 | code 0 canfar-split plan r.run --replicas 2 --strategy queue --takeover-after 2s --stall-after 3s --from - -- ./one.sh {}
code 1 canfar-split launch r.run --on local --jobs 4
says err "59 done, 1 set-aside"
[ "$(starts 7)" -eq 4 ] || fail "the poison was started $(starts 7) times, not 4"
for i in $(seq 60); do
    [ "$i" -eq 7 ] || [ "$(starts "$i")" -le 2 ] || fail "item $i was started $(starts "$i") times"
done
