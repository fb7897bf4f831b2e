canfar-split hash --replica 1/2 --from /dev/null
