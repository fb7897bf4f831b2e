#!/bin/sh
# launch --on slurm --check: the job script, run as Slurm runs it: whole, one task of it again, and as spares.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
mkdir 'odd $name'
run="odd \$name/r.run"
seq 1 40 | code 0 canfar-split plan "$run" --replicas 4 --strategy stripe --no-adopt --from - -- true
code 0 canfar-split launch "$run" --on slurm --check --name m31 --cpus 2 --memory 1500M -j 2 --retries 1
cat >wanted <<EOF2
#!/bin/bash
#SBATCH --array=1-4
#SBATCH --ntasks=1
#SBATCH --job-name=m31
#SBATCH --cpus-per-task=2
#SBATCH --mem=1536000K
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append
export REPLICA_ID=\$SLURM_ARRAY_TASK_ID REPLICA_COUNT=4
exec canfar-split run '$work/odd \$name/r.run' --jobs 2 --retries 1
EOF2
cmp out wanted || fail "$(cat out)"

# task SCRIPT ID COUNT MIN MAX: one task of an array, in a folder of its own
task() {
    mkdir -p node
    (cd node && code 0 env SLURM_JOB_ID=1 SLURM_ARRAY_JOB_ID=1 SLURM_ARRAY_TASK_ID="$2" SLURM_ARRAY_TASK_COUNT="$3" \
        SLURM_ARRAY_TASK_MIN="$4" SLURM_ARRAY_TASK_MAX="$5" SLURM_ARRAY_TASK_STEP=1 SLURM_PROCID=0 SLURM_NTASKS=1 sh "../$1")
}
cp out job
task job 1 4 1 4
says node/err "replica 1 of $work/$run: 10 done"
task job 3 1 3 3 # sbatch --array=3
says node/err "replica 3 of $work/$run: 10 done"
code 0 canfar-split launch "$run" --missing --on slurm --check
[ "$(grep -c REPLICA_ out)" -eq 0 ] || fail "$(cat out)"
says out "#SBATCH --array=1-2"
cp out spares
task spares 2 2 1 2
says node/err "spare replica of $work/$run: 20 done"
code 0 canfar-split verify "$run"

code 2 canfar-split launch "$run" --on slurm
says err "launch --on slurm only prints the job script"
code 2 canfar-split launch "$run" --on slurm --check --name 'a b'
says err "--name needs letters, digits, '-', '_' and '.', not 'a b'"
code 2 canfar-split launch "$run" --on slurm --check --image a/b
says err "--image has no meaning --on slurm"
