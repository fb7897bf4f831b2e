/* Leases: the items that a coordinator gave to this worker, from the batch they came in until their end was spoken of. */
#ifndef CSI_NODE_LEASES_H
#define CSI_NODE_LEASES_H

#include <stdbool.h>

#include "wire/wire.h"

#include <cfsplit/unstable.h>

struct csi_lease {
    struct cfsplit_item item;
    uint64_t index;
    uint32_t attempt; /* the number of this attempt */
    uint32_t failures, deaths, laters;
    bool alone, aside; /* as in struct csi_next */
    bool started;
    struct csi_lease_batch *batch; /* whose memory it and its name are in */
    struct csi_lease *next;        /* of those that wait */
};

struct csi_leases {
    struct csi_lease **table; /* by index, open addressing; room is a power of two */
    size_t room, count;
    struct csi_lease *first, **last; /* those that wait to be started, in the order they came */
    size_t waiting;
};

void csi_leases_init(struct csi_leases *leases);
void csi_leases_fini(struct csi_leases *leases);

/* Takes in the items of a batch, `count` of them. *bad: the list is malformed, or an item of it is here already; nothing is taken in
 * then. Errors: CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_leases_add(struct csi_leases *leases, struct csi_wire_bytes list, uint64_t count,
                                               bool *bad, struct cfsplit_error *err);

/* The lease of an item, NULL: there is none. Valid until it is removed. */
struct csi_lease *csi_leases_find(const struct csi_leases *leases, uint64_t index);

/* The first one that waits, NULL: none does. csi_leases_start takes it off the line. */
struct csi_lease *csi_leases_peek(const struct csi_leases *leases);
void csi_leases_start(struct csi_leases *leases);

/* Its end was spoken of. */
void csi_leases_remove(struct csi_leases *leases, struct csi_lease *lease);

/* Drops all that wait. */
void csi_leases_drop(struct csi_leases *leases);

#endif
