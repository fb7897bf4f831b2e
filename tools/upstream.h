/* --upstream: the numbers as the Python client takes them, good or bad. */
#ifndef TOOLS_UPSTREAM_H
#define TOOLS_UPSTREAM_H

#include "tool.h"

struct upstream {
    int64_t id, count;
};

/* --replica and --replicas, else REPLICA_ID and REPLICA_COUNT, else 1: no other launcher, no check of their range.
 * Errors: CFSPLIT_USAGE for what is not a whole number. */
cfsplit_status upstream_identity(const struct settings *s, struct upstream *out, struct cfsplit_error *err);

#endif
