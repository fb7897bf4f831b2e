/* What the command line said: one struct for all commands, filled in from the table in options.def. */
#ifndef TOOLS_SETTINGS_H
#define TOOLS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cfsplit/unstable.h>

enum command_bit {
    SPLIT = 1 << 0,
    PLAN = 1 << 1,
    RUN = 1 << 2,
    LAUNCH = 1 << 3,
    STATUS = 1 << 4,
    VERIFY = 1 << 5,
    ITEMS = 1 << 6,
    EXPLAIN = 1 << 7,
    RETRY = 1 << 8,
    STOP = 1 << 9,
    LOG = 1 << 10,
    WHOAMI = 1 << 11,
    SIMULATE = 1 << 12,
    ALL = (1 << 13) - 1
};

enum source_kind { SOURCE_IS_ARGUMENT, SOURCE_IS_FILE, SOURCE_IS_TREE };

struct source {
    enum source_kind kind;
    const char *text;
    const char *match; /* of a tree; NULL: all */
    char *owned;       /* text, if it is not from argv */
};

/* An option as it was typed. */
struct passed {
    const char *name, *value; /* NULL: a flag */
};

/* Numbers of replicas, ascending. */
enum { COUNTS_MAX = 32 };
struct counts {
    uint32_t at[COUNTS_MAX];
    size_t count;
};

struct settings {
    struct source *sources; /* in the order given; for commands on a run, sources[0] is RUN */
    size_t source_count;
    char **command; /* what came after "--", NULL without one */
    size_t command_count;
    bool null, allow_empty, upstream, spare, group, json, watch, why, now, joblog, check, missing, extend, check_list,
        lz4;
    char *weights_owned; /* weights, if it is not from argv */
    const char *duplicates, *weights, *strategy, *cwd, *in, *on, *state, *image, *name, *bind, *launcher;
    struct {
        uint64_t id, count; /* 0: not given */
        const char *text;   /* --replica as it was typed: with --upstream it may be any number */
    } identity;
    uint64_t replicas, attempt, cpus, memory_bytes; /* CFSPLIT_UNSET: not given */
    struct passed *passed; /* those of `run` that were given, in that order: what launch passes on */
    size_t passed_count;
    struct cfsplit_run_options run;
    struct {
        struct counts replicas;                                  /* none: 1, 2, 4, ... 512 */
        uint64_t dispatch_us, start_spread_ms, lose, rate, seed; /* CFSPLIT_UNSET: not given */
        const char *plot;
        bool as_planned;
    } simulate;
};

struct command {
    const char *name;
    enum command_bit bit;
    const char *usage;                                             /* what follows the name */
    const char *summary;                                           /* one line */
    const char *text;                                              /* the help's second paragraph, or NULL */
    int (*run)(const struct command *command, struct settings *s); /* the exit code */
    size_t most_arguments;                                         /* 0: any number */
};

/* Parses argv (argv[0] is the command's name). On `--help` prints it and sets *helped. Errors: CFSPLIT_USAGE. */
cfsplit_status settings_parse(struct settings *s, const struct command *command, int argc, char **argv, bool *helped,
                              struct cfsplit_error *err);
void settings_release(struct settings *s);

#endif
