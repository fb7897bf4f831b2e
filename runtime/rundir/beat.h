/* The beat of an incarnation: "I am alive", with a little of how it goes (docs/run-directory.md). */
#ifndef CSI_RUNDIR_BEAT_H
#define CSI_RUNDIR_BEAT_H

#include "rundir/identity.h"

enum csi_beat_state {
    CSI_BEAT_WORKING,
    CSI_BEAT_LEFT,    /* closed its journal and left work open */
    CSI_BEAT_FINISHED /* closed its journal, all its pieces ended */
};

struct csi_beat {
    uint64_t sequence;
    uint64_t committed; /* bytes of the journal that were on disk */
    uint64_t running, started, done, failed, rejected;
    uint64_t state;  /* enum csi_beat_state */
    uint64_t age_ms; /* how long the incarnation has lived, by CLOCK_BOOTTIME */
};

/* Creates beat/<inc> with its first beat and returns an open descriptor in *fd. */
CFSPLIT_MUST_USE cfsplit_status csi_beat_open(const struct cfsplit_run *run, const char *inc, int *fd,
                                              struct cfsplit_error *err);

/* Writes one beat into its slot (sequence modulo 2) and syncs it. */
CFSPLIT_MUST_USE cfsplit_status csi_beat_write(int fd, const struct csi_beat *beat, struct cfsplit_error *err);

/* Reads the newest whole beat. CFSPLIT_END and all zeros: there is none. */
CFSPLIT_MUST_USE cfsplit_status csi_beat_read(const struct cfsplit_run *run, const char *inc, struct csi_beat *out,
                                              struct cfsplit_error *err);

#endif
