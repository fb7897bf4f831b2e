canfar-split stripe --replica 1/1 -0 a "$(printf 'b\nc')" | od -c
