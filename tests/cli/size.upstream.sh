canfar-split size --upstream --replica 1/1 a
