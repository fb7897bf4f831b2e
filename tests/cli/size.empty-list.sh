canfar-split size --replica 1/2 --from /dev/null
