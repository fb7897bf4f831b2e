#!/bin/sh
# The program asks for no library and no loader, and has no path to any.
#   alone.sh PROGRAM
program=$1
# shellcheck source=tests/lib/run.sh
. "$(dirname "$0")/../lib/run.sh"
code 0 readelf -Wdl "$program"
! grep -E 'NEEDED|INTERP|R(UN)?PATH' out || fail "it needs something"
says out LOAD
code 0 "$program" --version
