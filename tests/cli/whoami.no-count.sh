AWS_BATCH_JOB_ARRAY_INDEX=2 canfar-split whoami
