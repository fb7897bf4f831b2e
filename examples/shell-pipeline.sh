#!/bin/sh
# A shell pipeline as a replica's whole program: what is mine, one file a line, and a loop over it.
#
#   REPLICA_ID=2 REPLICA_COUNT=4 shell-pipeline.sh FILE|PATTERN...
#
# CANFAR sets REPLICA_ID and REPLICA_COUNT in every replica of a job. Here "handling" a file is counting its bytes.
set -eu

# A pipe hides the exit code of what comes before it, and a wrong identity must not pass for an empty share: so the share
# is taken first. Names that may hold a newline: canfar-split stripe -0 ... | xargs -0 -n 1 ./handle-one
share=$(canfar-split stripe "$@")
[ -n "$share" ] || exit 0
printf '%s\n' "$share" | while IFS= read -r file; do
    printf '%s\t%s\n' "$(wc -c <"$file")" "$file"
done
