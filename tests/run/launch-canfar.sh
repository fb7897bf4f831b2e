#!/bin/sh
# launch --on canfar: the line it prints survives the platform's interface. A platform that starts 7 of 10 and exits 0 is
# found out by status and verify; --missing starts 3 spares, and the run is complete.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
mkdir bin home
HOME=$work/home
export HOME

# Does to a command line what `canfar create` and the platform behind it do: arguments are joined by spaces and split at them,
# each replica gets REPLICA_ID and REPLICA_COUNT, all start in the same home. Starts `some` of them and claims success.
cat >bin/canfar <<'EOF2'
#!/bin/sh
set -eu
[ "$1" = create ]
shift
replicas=1
while [ "$1" != headless ]; do
    case $1 in
    --replicas) replicas=$2 ;;
    --name | --cpu | --memory) ;;
    *) exit 2 ;;
    esac
    shift 2
done
echo "$2" >"$WORK/image"
[ "$3" = -- ]
shift 3
program=$1
shift
words="$*"
case $program$words in *[\$\\\"]*) exit 1 ;; esac
[ ! -e "$WORK/broken" ] || exit 1
cd "$HOME"
made=0
for id in $(seq "$replicas"); do
    [ "$made" -lt "$(cat "$WORK/some")" ] || break
    # shellcheck disable=SC2086 # this is what the platform does
    REPLICA_ID=$id REPLICA_COUNT=$replicas "$program" $words 2>>"$WORK/said" || exit 1
    made=$((made + 1))
done
echo "Successfully created $made sessions named 'x'"
EOF2
chmod +x bin/canfar
WORK=$work
export WORK
seq 1 40 | code 0 canfar-split plan r.run --replicas 10 --strategy stripe --no-adopt --from - -- true

# the line
code 0 canfar-split launch r.run --on canfar --check --image skaha/astro:1
[ "$(cat out)" = "canfar create --replicas 10 headless skaha/astro:1 -- canfar-split run $work/r.run" ] || fail "$(cat out)"
code 0 canfar-split launch r.run --on canfar --check --image images.canfar.net/skaha/astro --name m31-a --cpus 2 \
    --memory 8G -j auto --timeout 10m --reject-exit 65,66 --no-adopt
line="canfar create --name m31-a --cpu 2 --memory 8 --replicas 10 headless images.canfar.net/skaha/astro -- canfar-split"
[ "$(cat out)" = "$line run $work/r.run --jobs auto --timeout 10m --reject-exit 65,66 --no-adopt" ] || fail "$(cat out)"
code 0 canfar-split launch "$work/./r.run" --on canfar --check --image a/b
says out " -- canfar-split run $work/./r.run"

# what cannot be said
code 2 canfar-split launch r.run
says err "on what? --on canfar, --on slurm or --on local"
code 2 canfar-split launch r.run --missing --check
says err "on what? --on canfar, --on slurm or --on local"
code 2 canfar-split launch r.run --missing --check --on moon
says err "on what? --on canfar, --on slurm or --on local, not 'moon'"
code 2 canfar-split launch r.run --on canfar --check
says err "in which container image? --image IMAGE"
code 2 canfar-split launch r.run --on canfar --check --image 'a/b$c'
says err 'holds the character $, which CANFAR does not pass on'
for image in astro a/b/c/d -x/y; do
    code 2 canfar-split launch r.run --on canfar --check "--image=$image"
    says err "--image needs [REGISTRY/]PROJECT/IMAGE[:TAG], not '$image'"
done
for name in '' -a a- a_b 'a b' "$(printf '%060d' 1)"; do
    code 2 canfar-split launch r.run --on canfar --check --image a/b "--name=$name"
    says err "--name needs at most 59 letters, digits and, inside, '-'"
done
for memory in 8 1000M 513G; do
    code 2 canfar-split launch r.run --on canfar --check --image a/b --memory $memory
    says err "--memory on CANFAR is in whole G, from 1G to 512G"
done
code 2 canfar-split launch r.run --on canfar --check --image a/b --cpus 257
says err "--cpus on CANFAR is from 1 to 256"
code 2 canfar-split launch r.run --on local --image a/b
says err "--image has no meaning --on local"
check_path() { # NAME WHAT: the run of that name is refused, and what it holds is said; a link to it is good
    code 0 canfar-split plan "$1" --replicas 1 --strategy chunk x -- true
    code 2 canfar-split launch "$1" --on canfar --check --image a/b
    [ ! -s out ] || fail "$(cat out)"
    says err "holds $2, which CANFAR does not pass on"
    ln -sfn "$work/$1" plain.run
    code 0 canfar-split launch plain.run --on canfar --check --image a/b
    says out "canfar-split run $work/plain.run"
}
mkdir odd
check_path 'odd/a b' 'a space'
check_path 'odd/a$b' 'the character $'
check_path 'odd/a\b' 'the character \'
check_path 'odd/a"b' 'the character "'
check_path "odd/a$(printf '\t')b" 'the byte \x09'
check_path "odd/$(printf 'a\303\251')" 'the byte \xc3'
seq 1 600 | code 0 canfar-split plan big.run --replicas 600 --strategy stripe --from - -- true
code 2 canfar-split launch big.run --on canfar --check --image a/b
says err "big.run has 600 replicas, and CANFAR starts at most 512 at a time"
code 0 canfar-split launch big.run --missing --on canfar --check --image a/b
says out "--replicas 512 headless a/b -- canfar-split run $work/big.run --spare"

# no such program here
code 2 canfar-split launch r.run --on canfar --image a/b
says err "there is no program 'canfar' here; type the line above where there is"
[ "$(cat out)" = "canfar create --replicas 10 headless a/b -- canfar-split run $work/r.run" ] || fail "$(cat out)"

# 7 of 10, exit 0
PATH=$work/bin:$PATH
echo 7 >some
code 0 canfar-split launch r.run --on canfar --image skaha/astro:1 --retries 1
says out "Successfully created 7 sessions"
says err "exits with 0, which it does too if some of the 10 failed to start"
[ "$(cat image)" = skaha/astro:1 ] || fail "$(cat image)"
count done 28
code 0 canfar-split status r.run --json
[ "$(tr -d ' \n' <out | grep -o '"replicas_missing":\[8,9,10\]')" ] || fail "$(cat out)"
code 0 canfar-split status r.run
says out "replicas 8 to 10: have not come"
code 1 canfar-split verify r.run
says out "incomplete: 28 done, 12 pending"
code 0 canfar-split launch r.run --on canfar --check --image a/b
says err "7 of these 10 replicas came already"
code 0 canfar-split launch r.run --missing --on canfar --check --image skaha/astro:1
line="canfar create --replicas 3 headless skaha/astro:1 -- canfar-split run $work/r.run --spare"
[ "$(cat out)" = "$line" ] || fail "$(cat out)"

# spares get numbers of their own from the platform, 1 to 3 of 3, and do not mind; one of them would do
sh -c "$line" || fail "$(cat said)"
says said "spare replica of $work/r.run: 12 done"
code 0 canfar-split verify r.run
code 0 canfar-split launch r.run --missing --on canfar --check --image a/b
[ ! -s out ] || fail "$(cat out)"
says err "r.run is complete: nothing to start"

# the platform's no is ours
: >broken
code 1 canfar-split launch big.run --missing --on canfar --image a/b
says err "canfar create exits with 1; who came nevertheless: canfar-split status big.run"

# all came, but one was stopped: nobody is missing
code 0 canfar-split plan t.run --replicas 1 --strategy chunk --later-exit 75 a -- sh -c 'exit 75'
canfar-split run t.run --replica 1 2>err &
pid=$!
until_true 20 sh -c 'canfar-split log t.run --joblog | grep -q 75'
kill -TERM "$pid"
wait "$pid" || :
for options in "canfar --check --image a/b" "canfar --image a/b" "local --check" local "slurm --check"; do
    # shellcheck disable=SC2086 # several words
    code 1 canfar-split launch t.run --missing --on $options
    [ ! -s out ] || fail "$(cat out)"
    says err "every replica of t.run came: nothing to start"
    says err "1 item is pending; to go on: canfar-split launch t.run --on local"
done
# nor is it a success if what is left has failed
code 0 canfar-split plan f.run --replicas 1 --strategy chunk a b -- false
code 1 canfar-split run f.run --replica 1
code 1 canfar-split launch f.run --missing --on local
says err "incomplete: 0 done, 2 failed; see: canfar-split items f.run --state failed"
