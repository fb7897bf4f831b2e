#!/bin/sh
# The completion in a real bash: commands, the options of each command, the words that an option takes, files and folders.
#   completion.sh FILE
file=$1
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
command -v bash >/dev/null || skip "no bash"

cat >complete.bash <<'END'
# complete.bash FILE WORD...: what the last word could become, and in the file `asked` what readline is asked for
set -eu
. "$1"
shift
compopt() { printf '%s\n' "$*" >asked; } # a builtin that works only while somebody types
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_canfar_split
printf '%s\n' "${COMPREPLY[@]-}" | sed '/^$/d' | sort
END

gives() { # "WORDS" WORD...
    expected=$1
    shift
    : >asked
    code 0 bash complete.bash "$file" "$@"
    [ ! -s err ] || fail "$*: $(cat err)"
    got=$(tr '\n' ' ' <out)
    [ "$got" = "$expected${expected:+ }" ] || fail "$*: gives '$got', not '$expected'"
}

asks() { # WHAT WORD...
    what=$1
    shift
    gives "" "$@"
    [ "$(cat asked)" = "$what" ] || fail "$*: asks readline for '$(cat asked)', not '$what'"
}

code 0 canfar-split --help
commands=$(sed -n 's/^  \([a-z]*\)  .*$/\1/p' out)
# shellcheck disable=SC2086 # a list of words
gives "$(printf '%s\n' --help --version $commands | sort | paste -sd ' ')" canfar-split ""
gives "status stop stripe" canfar-split st
gives "--version" canfar-split --v
for command in $commands; do
    code 0 canfar-split "$command" --help
    gives "$(grep -oE '^ {2}(-., |    )--[a-z0-9-]+' out | grep -oE -e '--.*' | sort | paste -sd ' ')" canfar-split "$command" -
    asks "-o default" canfar-split "$command" ""
done
gives "--replica --replicas" canfar-split chunk --from x --repl
gives "column none stat" canfar-split plan r.run --weights ""
gives "drop keep" canfar-split size --duplicates ""
gives "size stripe" canfar-split plan r.run --strategy s
gives "size stripe" canfar-split plan r.run --strategy = s
gives "auto" canfar-split run r.run -j ""
gives "canfar local slurm" canfar-split launch r.run --on = 
gives "done failed pending rejected running set-aside" canfar-split items r.run --state ""
gives "torchrun torque" canfar-split whoami --launcher to
gives "aws-batch flux flux-cc kubernetes lsf openmpi pbs pmi sge slurm srun torchrun torque" canfar-split chunk --launcher ""
gives "failed set-aside" canfar-split retry r.run --state ""
asks "-o default" canfar-split plan r.run --from ""
asks "-o dirnames" canfar-split plan r.run -r ""
asks "-o dirnames" canfar-split run --in ""
asks "" canfar-split run --timeout ""
asks "-o default" canfar-split plan r.run a -- --
asks "" canfar-split nonesuch -
bash -c ". '$file'; complete -p canfar-split" | grep -qF _canfar_split || fail "bash does not use it"
