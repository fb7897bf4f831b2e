/* Planning, for the commands that may have to. */
#ifndef TOOLS_PLAN_H
#define TOOLS_PLAN_H

#include "tool.h"

/* What the command line asks to be planned. Errors: CFSPLIT_USAGE for an unknown strategy. */
cfsplit_status plan_request(const struct settings *s, uint64_t replicas, struct cfsplit_plan_request *request,
                            struct cfsplit_error *err);

/* Reads the list as it looks from --cwd, where the command will find the items. Goes there and back. */
cfsplit_status plan_list(struct settings *s, size_t first, bool weighed, struct cfsplit_list **list,
                         struct cfsplit_error *err);

/* --weights, if it is given, must say what was said when the run was planned. */
cfsplit_status plan_same_weights(const struct settings *s, const struct cfsplit_facts *facts,
                                 struct cfsplit_error *err);

/* Plans the run at `path` from the sources after the first `first_source`. `lenient`: items that are no files weigh 1, where
 * the order is all that weights decide. */
cfsplit_status plan_make(struct settings *s, const char *path, size_t first_source, uint64_t replicas, bool lenient,
                         bool *created, struct cfsplit_error *err);

#endif
