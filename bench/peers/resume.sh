# shellcheck shell=sh disable=SC2154
# Sourced by bench/peers.sh: items of 10 ms that add their name to a file; half way something is killed (-9) and started again; what the file
# has at the end is counted. In flight when it is killed: 2 items, or 1 of a server's one worker.
resumed=$((items / 20000 + 20))
seq -f 'item-%08.0f' "$resumed" >names

# half_done PID: waits until half of the items are done, or PID is gone, or a minute
half_done() {
    tries=0
    until [ "$(wc -l <done 2>/dev/null || echo 0)" -ge $((resumed / 2)) ]; do
        kill -0 "$1" 2>/dev/null || return 0
        tries=$((tries + 1))
        [ "$tries" -le 3000 ] || return 0
        sleep 0.02
    done 2>/dev/null
}
# killed COMMAND...: runs it until half of the items are done
killed() {
    setpriv --pdeathsig KILL "$@" >out 2>said </dev/null &
    victim=$!
    half_done "$victim"
    kill -9 "$victim" 2>/dev/null || true
    wait "$victim" 2>/dev/null || true
}
# twice WHO NOTE COMMAND...: killed, and run again to its end
twice() {
    who=$1 note=$2
    shift 2
    rm -f done
    ! absent resume "$who" || return 0
    killed "$@"
    timeout -k 5 "$patience" "$@" >out 2>said </dev/null || ours "$who" "$(cat said)"
    count resume "$who" names done "$note"
}

ours_resume() {
    rm -rf r.run
    "$tool" plan r.run --replicas 1 --strategy chunk --from names -- "$served" mark "$work/done" 10 '{}' 2>said
    twice 'canfar-split, chunk' 'starts written before exec, ends synced in groups; what ran when it died was ended with it, and runs again' \
        "$tool" run r.run --replica 1 -j 2
    whole r.run
}
# Of two replicas the one that hands out items is killed, and nobody starts it again.
ours_resume_queue() {
    rm -rf r.run done
    "$tool" plan r.run --replicas 2 --strategy queue --weights none --from names -- "$served" mark "$work/done" 10 '{}' 2>said
    setpriv --pdeathsig KILL "$tool" run r.run --replica 1 -j 1 >lead.said 2>&1 </dev/null &
    victim=$!
    timeout -k 5 "$patience" "$tool" run r.run --replica 2 -j 1 >out 2>said </dev/null &
    other=$!
    half_done "$victim"
    kill -9 "$victim" 2>/dev/null || true
    wait "$victim" 2>/dev/null || true
    wait "$other" || ours 'canfar-split, queue' "$(cat said)"
    whole r.run
    count resume 'canfar-split, queue' names done 'one of two replicas killed and not started again; the other one does all that is left'
}

# The log names what has ended; it is written, not synced.
work_queue_resume() {
    who='Work Queue'
    ! absent resume "$who" || return 0
    rm -rf flow done
    mkdir flow
    awk -v mark="$served mark $work/done 10" '{ printf "%s:\n\t%s %s && touch %s\n\n", $0, mark, $0, $0 }' names >flow/flow
    timeout -k 5 "$patience" "$top/bench/peers/work-queue.sh" flow >out 2>said </dev/null &
    script=$!
    half_done "$script"
    [ ! -e flow/pid ] || kill -9 "$(cat flow/pid)" 2>/dev/null || true
    wait "$script" 2>/dev/null || true
    timeout -k 5 "$patience" "$top/bench/peers/work-queue.sh" flow >out 2>said </dev/null || true
    count resume "$who" names done "makeflow killed (and its worker), started again with its log, which is written and not synced for each"
}

# served_resume WHO KIND VICTIM NOTE COMMAND...: a server (the command without its address), one worker; VICTIM of them is killed and started again
served_resume() {
    who=$1 kind=$2 victim_is=$3 note=$4
    shift 4
    ! absent resume "$who" || return 0
    rm -rf done store
    mkdir store
    start_at "$kind" "$@"
    timeout -k 5 "$patience" "$served" "$kind" "$address" fill "$resumed" >out 2>said || {
        end_server
        missing resume "$who" "$(tail -n 1 said)"
        return 0
    }
    setpriv --pdeathsig KILL "$served" "$kind" "$address" take 1 1 done 10 >out 2>said &
    worker=$!
    half_done "$worker"
    if [ "$victim_is" = server ]; then
        end_server KILL
        wait "$worker" 2>/dev/null || true # it has lost its connection
        start_at "$kind" "$@"
    else
        kill -9 "$worker" 2>/dev/null || true
        wait "$worker" 2>/dev/null || true
    fi
    timeout -k 5 "$patience" "$served" "$kind" "$address" take 1 1 done 10 >out 2>said || true
    end_server
    count resume "$who" names done "$note"
}

round_resume() {
    {
        ours_resume
        ours_resume_queue
        twice 'xargs -P2 -n1' 'it remembers nothing: started again, it does all' xargs -a names -P2 -n1 "$served" mark done 10
        rm -f joblog
        twice 'GNU parallel' '--joblog --resume; ends are written, not synced; what ran when it died runs on, and runs again' \
            parallel -j2 --joblog joblog --resume -a names "$served" mark done 10
        rm -rf stamps
        mkdir stamps
        awk -v mark="$served mark done 10" 'BEGIN { printf "all:" } { printf " stamps/%s", $0; rule = rule "stamps/" $0 ":\n\t@" mark " " $0 " && touch $@\n" }
            END { print "\n" rule }' names >stamps.mk
        twice 'make -j2' 'a file for each item that is done, not synced' make -s -j2 -f stamps.mk
        work_queue_resume
        served_resume 'beanstalkd, worker killed' beanstalkd worker 'in memory; it gives the item out again when the connection ends' beanstalkd
        served_resume 'beanstalkd, killed' beanstalkd server 'in memory' beanstalkd
        served_resume 'beanstalkd -b, killed' beanstalkd server 'a log, synced every 50 ms (a loss of power can lose that)' beanstalkd -b store
        served_resume 'redis LPOP, worker killed' redis worker 'in memory; what was handed out is forgotten' redis-server --save '' --appendonly no
        served_resume 'redis LMOVE, worker killed' redis-kept worker 'in memory; what was handed out stays in the list of the worker that died, until somebody moves it back' \
            redis-server --save '' --appendonly no
        served_resume 'redis LPOP, killed' redis server 'as Debian sets it up but for its folder: a snapshot every minute at most' redis-server
        served_resume 'redis LMOVE and appendonly, killed' redis-kept server 'a log, synced every second, and not written while it is; what was handed out stays in the list of the worker' \
            redis-server --save '' --appendonly yes
        served_resume 'gearmand, worker killed' gearmand worker 'in memory; it gives the item out again when the connection ends' gearmand
        served_resume 'gearmand, killed' gearmand server 'in memory' gearmand
        served_resume 'gearmand and sqlite3, killed' gearmand server 'each item a row of SQLite' \
            gearmand --queue-type libsqlite3 --libsqlite3-db store/queue.db
    } >>resume.lines
}

# Of all rounds together.
say_resume() {
    awk -F '\t' -v OFS='\t' '{ who = $1 FS $2 FS $3 }
        !(who in rest) { order[++last] = who; rest[who] = $1 == "count" ? $7 : $4 }
        $1 == "count" { never[who] += $4; twice[who] += $5; of[who] += $6 }
        END { for (i = 1; i <= last; i++) { who = order[i]
              if (who in of) print who, never[who], twice[who], of[who], rest[who]; else print who, rest[who] } }' resume.lines
}
