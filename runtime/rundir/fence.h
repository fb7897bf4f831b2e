/* Fences and seals: ending somebody else's incarnation, for good (docs/run-directory.md). */
#ifndef CSI_RUNDIR_FENCE_H
#define CSI_RUNDIR_FENCE_H

#include "rundir/journal.h"

enum csi_fence { CSI_FENCE_NONE, CSI_FENCE_UNSEALED, CSI_FENCE_SEALED };

struct csi_seal {
    enum csi_fence state;
    uint64_t length; /* bytes of the journal that count, when sealed */
    char by[CSI_INC_BYTES];
};

/* Whether an incarnation is fenced and sealed. Read its journal before, never after. */
CFSPLIT_MUST_USE cfsplit_status csi_fence_look(const struct cfsplit_run *run, const char *inc, struct csi_seal *out,
                                               struct cfsplit_error *err);

/* Fences and seals `victim`, or completes what another began. When this returns, the victim's journal has a length that
 * counts, for ever. */
CFSPLIT_MUST_USE cfsplit_status csi_fence_end(const struct cfsplit_run *run, const struct csi_inc *by,
                                              const struct csi_inc *victim, struct csi_seal *out,
                                              struct cfsplit_error *err);

#endif
