REPLICA_ID=2 REPLICA_COUNT=3 canfar-split stripe a b c d e
SLURM_ARRAY_TASK_ID=6 SLURM_ARRAY_TASK_MIN=2 SLURM_ARRAY_TASK_MAX=10 SLURM_ARRAY_TASK_STEP=4 \
    SLURM_ARRAY_TASK_COUNT=3 canfar-split stripe a b c d e
JOB_COMPLETION_INDEX=1 canfar-split stripe --replicas 3 a b c d e
