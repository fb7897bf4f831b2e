/* The layout of a list in a run directory: the order it is worked on, and how it is cut into pieces. */
#ifndef CSI_RUNDIR_LAYOUT_H
#define CSI_RUNDIR_LAYOUT_H

#include "base/buf.h"

#include <cfsplit/unstable.h>

enum { CSI_PIECES_PER_SHARE = 8 };

struct csi_cut {    /* a piece: so many items, behind those of the piece before */
    uint32_t share; /* replica id, from 1; 0: nobody's, whoever is free takes it */
    uint64_t items;
};

struct csi_layout {
    struct cfsplit_shares *shares; /* of a static strategy */
    uint64_t *sorted;              /* of queue */
    const uint64_t *order;         /* positions in the list; NULL: as they come */
    struct csi_cut *cuts;
    size_t cut_count;
};

/* Static strategies: share by share, each cut into up to CSI_PIECES_PER_SHARE pieces whose sizes differ by at most one. blocks:
 * in the order of the list, each piece of a weight of 1/(2R) of what is left (guided self-scheduling, Polychronopoulos and
 * Kuck 1987, with half its step), at least one item. queue: the same of the list ordered by weight, largest first, equal ones
 * in the order of the list. Errors: CFSPLIT_USAGE for a bad R, CFSPLIT_MEMORY. Free in any case. */
CFSPLIT_MUST_USE cfsplit_status csi_layout_new(struct csi_layout *layout, const struct cfsplit_list *list,
                                               enum cfsplit_strategy strategy, uint32_t replicas,
                                               struct cfsplit_error *err);
void csi_layout_free(struct csi_layout *layout);

#endif
