SGE_TASK_ID=6 SGE_TASK_FIRST=2 SGE_TASK_LAST=10 SGE_TASK_STEPSIZE=4 RESTARTED=1 canfar-split whoami --json
canfar-split whoami --json
