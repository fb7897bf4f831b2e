canfar-split size --weights heavy --replica 1/2 a
