/* What all commands share: saying things, and building the list that the command line describes. */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include "settings.h"

cfsplit_status tool_fail(struct cfsplit_error *err, cfsplit_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One line on stderr, with the program's name before it. */
void tool_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says the error and returns its exit code. */
int tool_exit(const struct cfsplit_error *err);

/* The list that sources, --null, --weights, --duplicates and --allow-empty describe, from s->sources[first] on. Weights are
 * taken as `stat` if asked by --weights or, without it, if `wants_weights`. */
cfsplit_status tool_list(const struct settings *s, size_t first, bool wants_weights, bool refuse_duplicates,
                         struct cfsplit_list **out, struct cfsplit_error *err);

/* The one command that `argument` names a run for: s->sources[0], or an error that says what is missing. */
cfsplit_status tool_run_path(const struct command *command, const struct settings *s, const char **path,
                             struct cfsplit_error *err);

extern const struct command commands_split[5]; /* chunk stripe even size hash */
extern const struct command command_plan, command_run, command_launch, command_status, command_verify, command_items,
    command_explain, command_retry, command_stop, command_log;

#endif
