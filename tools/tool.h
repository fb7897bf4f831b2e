/* What all commands share: saying things, and building the list that the command line describes. */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include "settings.h"

cfsplit_status tool_fail(struct cfsplit_error *err, cfsplit_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One line on stderr, with the program's name before it. */
void tool_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A path as a word that can be pasted into a shell: as it is, or in quotes. Use as tool_word(path).text. */
struct tool_word {
    char text[512];
};
struct tool_word tool_word(const char *path);

/* "item" or "items". */
const char *tool_items(uint64_t count);

/* Says the error and returns its exit code. */
int tool_exit(const struct cfsplit_error *err);

/* The list that sources, --null, --weights, --duplicates and --allow-empty describe, from s->sources[first] on. Weights are
 * taken as `stat` if asked by --weights or, without it, if `wants_weights`; by `run:OTHER` they are its times in ms. */
cfsplit_status tool_list(const struct settings *s, size_t first, bool wants_weights, bool refuse_duplicates,
                         struct cfsplit_list **out, struct cfsplit_error *err);

/* Who this replica is, by --replica, --replicas and the environment; of `run`, unless it is NULL. A note that comes with it
 * has been said. Errors: as cfsplit_identity_find and cfsplit_run_identity. */
cfsplit_status tool_identity(const struct settings *s, const struct cfsplit_run *run, struct cfsplit_identity *out,
                             struct cfsplit_error *err);

/* The same by an environment that is asked through `lookup`. */
cfsplit_status tool_identity_by(const struct settings *s, const struct cfsplit_run *run,
                                char *(*lookup)(const char *name), struct cfsplit_identity *out,
                                struct cfsplit_error *err);

/* Which errno a write to stdout failed with, 0 for none: main may close it in another thread, and each has an errno of its own. */
void tool_output_failed(int number);
int tool_output_error(void);

/* tool_list in two steps, for filters that may not need to hold a list: what --null, --weights and --duplicates ask for,
 * checked, with an error too if there is no source at all; then the list. */
struct list_choices {
    enum cfsplit_duplicates duplicates;
    unsigned lines_flags; /* CFSPLIT_LINES_* */
    bool weigh;           /* by stat(2) */
    const char *run;      /* by the times of that run; NULL: no */
};
cfsplit_status tool_list_choices(const struct settings *s, size_t first, bool wants_weights, bool refuse_duplicates,
                                 struct list_choices *out, struct cfsplit_error *err);
cfsplit_status tool_list_read(const struct settings *s, size_t first, const struct list_choices *choices,
                              struct cfsplit_list **out, struct cfsplit_error *err);

/* The answer to an empty list: an error, unless --allow-empty. */
cfsplit_status tool_list_is_empty(const struct settings *s, struct cfsplit_error *err);

/* The one command that `argument` names a run for: s->sources[0], or an error that says what is missing. */
cfsplit_status tool_run_path(const struct command *command, const struct settings *s, const char **path,
                             struct cfsplit_error *err);

extern const struct command commands_split[5]; /* chunk stripe even size hash */
extern const struct command command_plan, command_run, command_launch, command_status, command_verify, command_items,
    command_explain, command_retry, command_stop, command_log, command_whoami, command_simulate;
extern const struct command *const tool_commands[]; /* all of them, in the order of the help; NULL behind the last */

#endif
