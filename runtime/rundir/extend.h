/* Extensions: items that were added to a run after it was planned, a generation each (docs/run-directory.md). */
#ifndef CSI_RUNDIR_EXTEND_H
#define CSI_RUNDIR_EXTEND_H

#include "rundir/run.h"

struct csi_extension {
    uint64_t items, weight;
    uint64_t items_digest, index_digest; /* XXH64 of its items.lz4 and items.idx */
};

/* Reads extend/<generation>/extension. CFSPLIT_END: there is none. */
CFSPLIT_MUST_USE cfsplit_status csi_extension_read(const struct cfsplit_run *run, uint32_t generation,
                                                   struct csi_extension *out, struct cfsplit_error *err);

#endif
