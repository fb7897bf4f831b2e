# made by: printf "a\nb b\nc" | lz4
base64 -d >list.lz4 <<END
BCJNGGRApwcAAIBhCmIgYgpjAAAAAIViRjk=
END
canfar-split stripe --replica 1/1 --from list.lz4
head -c 12 list.lz4 | canfar-split stripe --replica 1/1 --from -
