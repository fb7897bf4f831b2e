/* Orders from people to a run: numbered files in retry/ and stop/, the first to take a number wins (docs/run-directory.md). */
#ifndef CSI_RUNDIR_ORDER_H
#define CSI_RUNDIR_ORDER_H

#include "rundir/run.h"

struct csi_reopened {
    uint64_t index;
    uint32_t attempts; /* so far, when it was opened again */
};

/* Publishes the next retry file. Errors: CFSPLIT_STORAGE. */
CFSPLIT_MUST_USE cfsplit_status csi_order_retry(const struct cfsplit_run *run, const struct csi_reopened *items,
                                                size_t count, struct cfsplit_error *err);

/* Reads retry file `number` (from 1) into *items, yours to free. CFSPLIT_END: there is none, or it is about items that were added
 * since the run was last refreshed. */
CFSPLIT_MUST_USE cfsplit_status csi_order_read_retry(const struct cfsplit_run *run, uint32_t number,
                                                     struct csi_reopened **items, size_t *count,
                                                     struct cfsplit_error *err);

/* Publishes the next stop file. */
CFSPLIT_MUST_USE cfsplit_status csi_order_stop(const struct cfsplit_run *run, bool now, struct cfsplit_error *err);

/* The number of the highest stop file after `from` (which is known to be there, or 0); *now is what the newest says. Errors:
 * CFSPLIT_DAMAGED with its name, CFSPLIT_STORAGE. */
CFSPLIT_MUST_USE cfsplit_status csi_order_last_stop(const struct cfsplit_run *run, uint32_t from, uint32_t *last,
                                                    bool *now, struct cfsplit_error *err);

#endif
