/* Who am I, of how many: a replica's id and count from options and the environment of the launcher. */
#ifndef CFSPLIT_IDENTITY_H
#define CFSPLIT_IDENTITY_H

#include <stdint.h>

#include <cfsplit/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cfsplit_identity_options {
    uint64_t size;         /* sizeof(struct cfsplit_identity_options) */
    uint64_t id;           /* --replica, 0: not given */
    uint64_t count;        /* --replicas, 0: not given */
    uint64_t pinned;       /* the count a plan pins, 0: none; fills in for a count that nothing else gives */
    const char *launcher;  /* --launcher, a word of the table: asked alone, without REPLICA_*; NULL: not given */
    uint64_t reserved_[3]; /* 0 */
};

struct cfsplit_identity {
    uint32_t id;     /* 1..count */
    uint32_t count;  /* R */
    char source[96]; /* what said so, e.g. "REPLICA_ID and REPLICA_COUNT" or "SLURM_ARRAY_TASK_ID" */
    char note[256];  /* one line worth saying on stderr (nothing set; launchers that disagree), or "" */
};

/* Finds the identity. Options come first, half by half; then REPLICA_ID and REPLICA_COUNT; then the innermost launcher that
 * is recognised (runtime/share/launcher.c holds the table); processes within the elements of an array are numbered on through
 * all of them. Nothing set at all: 1 of 1, with a note. The environment is asked through `lookup` (getenv itself fits), so that
 * tests and libraries decide what it is.
 * Errors: CFSPLIT_USAGE when only one half is to be had, a value is not a number, the id is not in 1..count (no base is ever
 * guessed), an array with gaps or one that does not tell where it begins leaves the id open, two arrays say different things,
 * `launcher` is no word of the table or did not start this process, or the options are of another version. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_identity_find(const struct cfsplit_identity_options *options,
                                                                  char *(*lookup)(const char *name),
                                                                  struct cfsplit_identity *out,
                                                                  struct cfsplit_error *err);

#ifdef __cplusplus
}
#endif
#endif
