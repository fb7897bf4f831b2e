#!/bin/sh
# plan --check-list: files that came or went since the plan are named, whatever order the list is worked on in; nothing is planned.
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
mkdir data elsewhere
for i in a b c d e; do echo "$i" >"data/$i.fits"; done
echo long long long >data/c.fits
code 0 canfar-split plan r.run --replicas 2 'data/*.fits' -- true
code 0 canfar-split plan --check-list r.run 'data/*.fits'
says err "r.run: the sources give the 5 items that were planned"
(cd elsewhere && code 0 canfar-split plan --check-list ../r.run 'data/*.fits') # as the plan's working directory sees them
touch data/b2.fits data/z.fits
code 1 canfar-split plan --check-list r.run 'data/*.fits'
says err "r.run: 2 items are not in the plan, the first is 'data/b2.fits'"
rm data/a.fits data/b2.fits
code 1 canfar-split plan --check-list r.run 'data/*.fits'
says err "r.run: 1 item is not in the plan, the first is 'data/z.fits'"
says err "r.run: 1 planned item is gone from the sources, the first is 'data/a.fits'"
code 2 canfar-split plan --check-list r.run 'none/*.fits'
code 2 canfar-split plan --check-list none.run 'data/*.fits'
[ ! -e none.run ] || fail "a run was planned"
printf 'x\ny\nx\n' >list
code 0 canfar-split plan l.run --replicas 2 --strategy stripe --duplicates keep --from list -- true
printf 'y\nx\nx\n' >list
code 0 canfar-split plan --check-list l.run --duplicates keep --from list
printf 'y\nx\ny\n' >list
code 1 canfar-split plan --check-list l.run --duplicates keep --from list
says err "1 item is not in the plan, the first is 'y'"
says err "1 planned item is gone from the sources, the first is 'x'"
(cd elsewhere && echo q >list && code 1 canfar-split plan --check-list ../l.run --from list) # a list is found from here
# what has no effect is refused, not dropped
for options in "--replicas 3" "--strategy stripe" --group "-j 2" "--retries 1" --keep --no-adopt; do
    # shellcheck disable=SC2086 # several words
    code 2 canfar-split plan r.run --check-list $options 'data/*.fits'
    name=${options%% *}
    says err "plan --check-list only compares items with what is planned: $(echo "$name" | sed 's/^-j/--jobs/') has no meaning with it"
done
code 2 canfar-split plan r.run --check-list 'data/*.fits' -- true
says err "a command has no meaning with it"
code 2 canfar-split plan l.run --check-list --weights column --from list
says err "l.run was planned with --weights none, not with --weights column"
printf 'x\0y\0y\0' | code 1 canfar-split plan l.run --check-list --weights none --duplicates keep -0 --from -
