/* What items printed: one file an incarnation, LZ4, found again through the journal (docs/run-directory.md). */
#ifndef CSI_RUNDIR_OUTPUT_H
#define CSI_RUNDIR_OUTPUT_H

#include "rundir/identity.h"

struct csi_output {
    int fd;
    char name[8 + CSI_INC_BYTES];
    uint64_t length;
    struct csi_buf frame;
};

CFSPLIT_MUST_USE cfsplit_status csi_output_open(struct csi_output *o, const struct cfsplit_run *run, const char *inc,
                                                struct cfsplit_error *err);

/* Appends up to 64 KiB that an attempt printed. Written, not synced. */
CFSPLIT_MUST_USE cfsplit_status csi_output_add(struct csi_output *o, uint32_t generation, uint64_t index,
                                               uint32_t attempt, const void *data, size_t length,
                                               struct cfsplit_error *err);
CFSPLIT_MUST_USE cfsplit_status csi_output_close(struct csi_output *o, struct cfsplit_error *err);

/* Hands what an attempt printed between two offsets (`to` UINT64_MAX: the end) to `take`. A torn end is no error: *torn
 * tells. Errors: CFSPLIT_DAMAGED with file and offset below `to`; CFSPLIT_STORAGE; what `take` returns. */
CFSPLIT_MUST_USE cfsplit_status csi_output_read(const struct cfsplit_run *run, const char *inc, uint32_t generation,
                                                uint64_t index, uint32_t attempt, uint64_t from, uint64_t to,
                                                cfsplit_status (*take)(void *context, const void *data, size_t length,
                                                                       struct cfsplit_error *err),
                                                void *context, bool *torn, struct cfsplit_error *err);

#endif
