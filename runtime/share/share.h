/* The inside of shares, for the files of this folder. */
#ifndef CSI_SHARE_SHARE_H
#define CSI_SHARE_SHARE_H

#include <cfsplit/share.h>

/* All shares behind each other: replica k has positions[starts[k - 1]] up to positions[starts[k]]. */
struct cfsplit_shares {
    uint64_t *positions; /* one for each item */
    uint64_t *starts;    /* R + 1 of them */
    uint32_t R;
};

/* CFSPLIT_USAGE unless R is in 1..CFSPLIT_REPLICAS_MAX. */
CFSPLIT_MUST_USE cfsplit_status csi_share_check_count(uint64_t R, struct cfsplit_error *err);

/* Fill in positions and starts, which have been allocated. size.c and hash.c. */
CFSPLIT_MUST_USE cfsplit_status csi_shares_fill_size(struct cfsplit_shares *shares, const struct cfsplit_list *list,
                                                     struct cfsplit_error *err);
CFSPLIT_MUST_USE cfsplit_status csi_shares_fill_hash(struct cfsplit_shares *shares, const struct cfsplit_list *list,
                                                     struct cfsplit_error *err);

struct csi_weighed {
    uint64_t weight;
    uint64_t position;
};

/* All items of the list, the heaviest first, equal weights by position; yours to free, NULL: no memory. */
struct csi_weighed *csi_weighed_new(const struct cfsplit_list *list);

/* Deals positions out, in the order they are given: rank r is position order(context, r) and goes to replica
 * owners[r], 1..R. */
void csi_shares_deal(struct cfsplit_shares *shares, const uint32_t *owners, uint64_t count,
                     uint64_t (*order)(const void *context, uint64_t rank), const void *context);

#endif
