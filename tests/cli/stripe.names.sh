# whatever a name holds, it comes out as it went in
canfar-split stripe --replica 1/1 -- 'a b' "it's" '"q"' '-dash' '--help' '$(touch hacked)' '`id`' ' ' "$(printf 'bad\377utf')" 'back\slash' "$(printf 'tab\there')" | od -c
ls
