/* The heart: a thread that rewrites the beat every few seconds and touches nothing else. */
#ifndef CSI_NODE_HEART_H
#define CSI_NODE_HEART_H

#include <pthread.h>

#include "rundir/beat.h"

struct csi_heart {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int fd;
    bool started, stopping;
    struct csi_beat beat; /* under the lock; the counts are set by csi_heart_tell */
    uint64_t first_boot_ms;
    uint64_t last_boot_ms; /* CLOCK_BOOTTIME of the last beat that is on disk */
    uint64_t gap_ms;       /* the longest time between two beats that are on disk, since it was last asked for */
    uint64_t interval_ms;
    struct cfsplit_error failure; /* of the last beat; status CFSPLIT_OK if it is on disk */
};

/* Writes the first beat and starts the thread. Errors: CFSPLIT_STORAGE, CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_heart_start(struct csi_heart *heart, const struct cfsplit_run *run, const char *inc,
                                                uint64_t interval_ms, struct cfsplit_error *err);

/* What the next beat says; sequence and state are the heart's own. */
void csi_heart_tell(struct csi_heart *heart, const struct csi_beat *counts);

/* For how many milliseconds, at the longest, no beat came to the disk since this was last asked: a process that was asleep may
 * beat before it looks around. And how the last one failed (status CFSPLIT_OK: it did not). */
uint64_t csi_heart_silent_ms(struct csi_heart *heart, struct cfsplit_error *failure);

/* Ends the thread; the last beat says `state`. Fine on one that never started. */
void csi_heart_stop(struct csi_heart *heart, enum csi_beat_state state);

#endif
