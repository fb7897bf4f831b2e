/* Items that are known, found again by their bytes. */
#ifndef CSI_RUNDIR_KNOWN_H
#define CSI_RUNDIR_KNOWN_H

#include "rundir/frozen.h"

struct csi_known { /* open addressing, a place in items + 1 each; 0: free */
    const struct csi_items *items;
    uint64_t *places;
    uint64_t mask;
};

/* `items` is borrowed. Memory 16 to 32 bytes an item. Errors: CFSPLIT_MEMORY. Safe to end after a failure. */
CFSPLIT_MUST_USE cfsplit_status csi_known_init(struct csi_known *known, const struct csi_items *items,
                                               struct cfsplit_error *err);
void csi_known_fini(struct csi_known *known);

/* The place in items, from 0, of one with these bytes (the first of several); UINT64_MAX: there is none. */
uint64_t csi_known_find(const struct csi_known *known, const struct cfsplit_item *item);

#endif
