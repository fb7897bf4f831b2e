RANK=1 WORLD_SIZE=4 canfar-split whoami --launcher torchrun
RANK=1 WORLD_SIZE=4 canfar-split stripe --launcher torchrun a b c d e f
RANK=1 WORLD_SIZE=4 canfar-split whoami
