#!/bin/sh
# The options of a queue: kept in the plan, passed on by launch, and what they cannot mean is said.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
seq 1 6 | code 0 canfar-split plan r.run --strategy queue --replicas 2 --takeover-after 5s --network-timeout 2m --no-fallback --batch 64 \
    --from - -- true
for option in '"takeover_after_ms": 5000' '"network_timeout_ms": 120000' '"no_fallback": 1' '"batch": 64'; do
    says r.run/run.json "$option"
done
seq 1 6 | code 2 canfar-split plan r.run --strategy queue --replicas 2 --takeover-after 5s --network-timeout 2m --no-fallback --batch 63 \
    --from - -- true
says err "'r.run' was planned with another value of option 'batch'"

for bad in '--batch 65|a number up to 64' '--batch x|a number up to 64' '--batch -1|a number up to 64' \
    '--takeover-after 0|a time above 0, such as 20, 20s or 2m' '--takeover-after soon|a time above 0, such as 20, 20s or 2m' \
    '--network-timeout x|a time such as 90, 90s, 10m or 2h'; do
    option=${bad%% *} needs=${bad#*|} value=${bad%|*}
    value=${value#* }
    code 2 canfar-split plan n.run --strategy queue --replicas 2 "$option" "$value" 1 -- true
    says err "$option needs $needs, not '$value'"
    code 2 canfar-split run r.run --replica 1 "$option" "$value"
    says err "$option needs $needs, not '$value'"
done
for address in localhost node7 192.0.2 192.0.2.7:80 '[::1]' 'tcp://192.0.2.7' '*' '' None; do
    code 2 canfar-split run r.run --replica 1 --bind "$address"
    says err "--bind needs a numeric address such as 192.0.2.7 or 2001:db8::7, or none, not '$address'"
    code 2 canfar-split launch r.run --on local --bind "$address"
done
code 2 canfar-split plan n.run --strategy queue --replicas 2 --bind none 1 -- true
says err "no such option"
code 2 canfar-split plan r.run --extend --batch 3 7
says err "plan --extend only adds items to what is planned: --batch has no meaning with it"

code 0 canfar-split launch r.run --on slurm --check --bind 192.0.2.7 --batch 3 --no-fallback --network-timeout 0
says out "--bind 192.0.2.7 --batch 3 --no-fallback --network-timeout 0"
code 2 canfar-split run r.run --replica 1 --bind 2001:db8::7 --batch 0
says err "2001:db8::7"
code 0 canfar-split run r.run --replica 1 --bind 127.0.0.1 --batch 0
code 0 canfar-split launch r.run --on local --bind none
code 0 canfar-split verify r.run
