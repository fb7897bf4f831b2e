/* What is said of a whole run, for the commands that look at one. */
#ifndef TOOLS_LOOK_H
#define TOOLS_LOOK_H

#include <jansson.h>

#include "tool.h"

/* Opens the run that the command line names, and its survey; NULL after a failure, to be freed in any case. */
cfsplit_status look_open(const struct command *command, const struct settings *s, bool sync, struct cfsplit_run **run,
                         struct cfsplit_survey **survey, struct cfsplit_error *err);

/* What is said of an attempt without an end. */
const char *look_open_end(const struct cfsplit_attempt *attempt);

/* Bytes as JSON text: what is not UTF-8 cannot be said in JSON, and is replaced. */
json_t *look_json_name(const char *name);

void look_print_json(json_t *root); /* and releases it */

/* "1255 done, 9 rejected, 3 failed" */
void look_counts(const struct cfsplit_counts *counts, char out[200]);

/* "3m 20s", "2h 05m" */
void look_duration(double seconds, char out[32]);

/* The one line that verify ends with. */
void look_verdict(const struct cfsplit_run *run, const struct cfsplit_survey *survey, char out[400]);

#endif
