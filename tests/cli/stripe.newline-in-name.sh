canfar-split stripe --replica 1/1 a "$(printf 'b\nc')"
