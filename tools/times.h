/* Weights that are the times of an earlier run. */
#ifndef TOOLS_TIMES_H
#define TOOLS_TIMES_H

#include "tool.h"

/* Is this word of --weights `run:OTHER`? Then OTHER, else NULL. */
const char *times_run(const char *word);

/* Makes a word `run:OTHER` name OTHER from wherever it is looked at later on (s->weights, in memory of the settings). */
cfsplit_status times_anchor(struct settings *s, struct cfsplit_error *err);

/* How long each item of the list took in the run at `path`: *took_ms, to be freed. What is not known is said. */
cfsplit_status times_read(const char *path, const struct cfsplit_list *list, uint64_t **took_ms,
                          struct cfsplit_error *err);

/* Weighs a list by them. */
cfsplit_status times_weigh(const char *path, struct cfsplit_list *list, struct cfsplit_error *err);

#endif
