#!/bin/sh
# Live replicas with one id, and a spare beside them: claims decide piece by piece, or the queue, and nothing is done twice.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
cat >one.sh <<'EOF'
#!/bin/sh
echo x >>"did.$1"
sleep 0.01
EOF
chmod +x one.sh
for strategy in chunk queue; do
    rm -rf r.run did.* errs
    seq 1 80 | code 0 canfar-split plan r.run --replicas 2 --strategy "$strategy" --from - -- ./one.sh {}
    for k in 1 1 2 2 1; do canfar-split run r.run --replica "$k" 2>>errs & done
    canfar-split run r.run --spare 2>>errs &
    wait
    code 0 canfar-split verify r.run
    [ "$(cat did.* | wc -l)" -eq 80 ] || fail "$strategy: $(cat did.* | wc -l) starts"
    code 0 canfar-split status r.run --json
    says out '"duplicates": 0'
done
