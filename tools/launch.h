/* The engines that start replicas: one descriptor each, in the table of launch.c. */
#ifndef TOOLS_LAUNCH_H
#define TOOLS_LAUNCH_H

#include "tool.h"
#include "words.h"

/* What is to be started. */
struct launching {
    const struct settings *s;
    struct cfsplit_run *run;
    uint32_t count; /* replicas 1..count, or so many spares */
    bool spares;
};

/* Options that only some engines have a meaning for. */
enum { TAKES_IMAGE = 1, TAKES_NAME = 2, TAKES_SIZE = 4 /* --cpus, --memory */ };

struct engine {
    const char *word; /* what --on says */
    unsigned takes;
    /* With --check prints what would be typed, else starts it. *code is the exit code of what was started. */
    cfsplit_status (*start)(const struct launching *what, int *code, struct cfsplit_error *err);
};

extern const struct engine engine_canfar, engine_slurm;

/* Adds the words that start one replica anywhere: canfar-split run, the run's absolute path, --spare, options. */
cfsplit_status launch_add_run(const struct launching *what, struct words *w, struct cfsplit_error *err);

#endif
