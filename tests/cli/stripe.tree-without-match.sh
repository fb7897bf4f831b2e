mkdir d && touch d/a
canfar-split stripe --replica 1/1 -r d --match '*.fits'
