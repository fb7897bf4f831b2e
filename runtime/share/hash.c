#include <stdlib.h>
#include <xxhash.h>

#include "base/error.h"
#include "share/share.h"

/* Lamping and Veach 2014, arXiv:1406.2294, figure 1; the division is of doubles, exact to the last bit on every machine. */
static uint32_t jump(uint64_t key, uint32_t R)
{
    int64_t bucket = -1, next = 0;
    while (next < (int64_t)R) {
        bucket = next;
        key = key * UINT64_C(2862933555777941757) + 1;
        next = (int64_t)((double)(bucket + 1) * (2147483648.0 / (double)((key >> 33) + 1)));
    }
    return (uint32_t)bucket + 1;
}

uint32_t cfsplit_share_hash(const char *name, size_t length, uint32_t R)
{
    return jump(XXH3_64bits(name, length), R);
}

static uint64_t in_order(const void *context, uint64_t rank)
{
    (void)context;
    return rank;
}

cfsplit_status csi_shares_fill_hash(struct cfsplit_shares *shares, const struct cfsplit_list *list,
                                    struct cfsplit_error *err)
{
    uint64_t n = cfsplit_list_count(list);
    uint32_t *owners = malloc((size_t)(n + 1) * sizeof *owners);
    if (!owners)
        return csi_fail_memory(err);
    for (uint64_t i = 0; i < n; i++) {
        struct cfsplit_item item = cfsplit_list_at(list, i);
        owners[i] = cfsplit_share_hash(item.name, item.length, shares->R);
    }
    csi_shares_deal(shares, owners, n, in_order, NULL);
    free(owners);
    return CFSPLIT_OK;
}
