# CR LF, empty lines, and no newline at the end
printf 'a\r\n\n\r\nb b\r\n"c"\n  d\nlast' | canfar-split stripe --replica 1/1 --from - | od -c
