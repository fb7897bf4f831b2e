/* What canfar-split itself is built from, and what may still change between minor versions: planning a run, being a
 * replica of one, and looking at one. What is promised is in the other headers.
 *
 * RUN is a run directory (docs/run-directory.md); items are known by their place in the frozen list, from 0. */
#ifndef CFSPLIT_UNSTABLE_H
#define CFSPLIT_UNSTABLE_H

#include <cfsplit/cfsplit.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CFSPLIT_UNSET UINT64_MAX /* an option that was not given */

/* A set of exit codes, 1..255: code c is bit c % 64 of bits[c / 64]. */
struct cfsplit_exit_codes {
    uint64_t bits[4];
    uint64_t is_set; /* 0: not given */
};

/* X(field, default, what): the numeric options of a replica. A plan keeps them as defaults; what a replica is told wins. */
#define CFSPLIT_RUN_OPTION_LIST(X)                                                                                     \
    X(slots, 1, "items at a time; 0: as many as there are processors")                                                 \
    X(retries, 0, "further starts of an item that failed")                                                             \
    X(timeout_ms, 0, "an attempt may take; 0: any time")                                                               \
    X(max_fails, CFSPLIT_UNSET, "failures before the replica stops; unset: when the first 20 all fail; 0: never")      \
    X(grace_ms, 25000, "from being told to stop to killing")                                                           \
    X(output_limit, 1048576, "bytes kept of what an attempt prints")                                                   \
    X(sync_every_ms, 100, "the longest an end waits to be on disk")                                                    \
    X(stall_after_ms, 120000, "of silence after which a replica is taken for lost")                                    \
    X(no_adopt, 0, "1: never take over what another replica has")                                                      \
    X(shell, 0, "1: the command is a line for /bin/sh")

struct cfsplit_run_options {
#define CFSPLIT_RUN_OPTION_FIELD_(field, otherwise, what) uint64_t field;
    CFSPLIT_RUN_OPTION_LIST(CFSPLIT_RUN_OPTION_FIELD_)
#undef CFSPLIT_RUN_OPTION_FIELD_
    struct cfsplit_exit_codes reject_exit; /* the command's codes for: nothing to do in this item */
    struct cfsplit_exit_codes later_exit;  /* ... and for: try again later */
};

#define CFSPLIT_RUN_OPTION_UNSET_(field, otherwise, what) .field = CFSPLIT_UNSET,
#define CFSPLIT_RUN_OPTIONS_INIT                                                                                       \
    {                                                                                                                  \
        CFSPLIT_RUN_OPTION_LIST(CFSPLIT_RUN_OPTION_UNSET_)                                                             \
    }

#ifdef __cplusplus
}
#endif
#endif
