PBS_ARRAY_INDEX=2 canfar-split whoami --replica 3/10
PBS_ARRAY_INDEX=2 canfar-split whoami
