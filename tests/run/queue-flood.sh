#!/bin/sh
# Much of it: 10,000 connections that say nothing or something else, 300 of the largest messages, a worker that talks without end.
# shellcheck source=tests/lib/hostile.sh
. "$(dirname "$0")/../lib/hostile.sh"
ulimit -n 1024
begin 400
code 0 timeout 60 peer connects r.run 10000
bounded
seen_at_least 5 7000 # of some, all that is ever told is that they came
code 0 timeout 60 peer large r.run 300
bounded
code 0 timeout 60 peer flood r.run 2
bounded
seen_at_least 6 300
let_end
ended
! grep -q "open files" 1.out 2.out || fail "$(cat 1.out 2.out)"
