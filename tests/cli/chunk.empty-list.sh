canfar-split chunk --replica 1/2 --from /dev/null
