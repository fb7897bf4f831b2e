#include <stdlib.h>

#include "base/error.h"
#include "share/share.h"

void csi_shares_deal(struct cfsplit_shares *shares, const uint32_t *owners, uint64_t count,
                     uint64_t (*order)(const void *context, uint64_t rank), const void *context)
{
    uint64_t *starts = shares->starts;
    for (uint64_t r = 0; r < count; r++)
        starts[owners[r]]++;
    for (uint32_t k = 1; k <= shares->R; k++)
        starts[k] += starts[k - 1];
    /* starts[k - 1] is where replica k's next one goes, and ends as where its share ends: shifted back below */
    for (uint64_t r = 0; r < count; r++)
        shares->positions[starts[owners[r] - 1]++] = order(context, r);
    for (uint32_t k = shares->R; k > 0; k--)
        starts[k] = starts[k - 1];
    starts[0] = 0;
}

static cfsplit_status fill_ranges(struct cfsplit_shares *shares, const struct cfsplit_list *list,
                                  enum cfsplit_strategy strategy, struct cfsplit_error *err)
{
    uint64_t n = cfsplit_list_count(list), put = 0;
    for (uint32_t k = 1; k <= shares->R; k++) {
        struct cfsplit_range range;
        cfsplit_status status = cfsplit_share_range(strategy, n, k, shares->R, &range, err);
        if (status != CFSPLIT_OK)
            return status;
        for (uint64_t i = 0; i < range.count; i++)
            shares->positions[put++] = range.first + i * range.step;
        shares->starts[k] = put;
    }
    return CFSPLIT_OK;
}

cfsplit_status cfsplit_shares_new(const struct cfsplit_list *list, enum cfsplit_strategy strategy, uint32_t R,
                                  struct cfsplit_shares **out, struct cfsplit_error *err)
{
    *out = NULL;
    cfsplit_status status = csi_share_check_count(R, err);
    if (status != CFSPLIT_OK)
        return status;
    struct cfsplit_shares *shares = calloc(1, sizeof *shares);
    if (!shares)
        return csi_fail_memory(err);
    shares->R = R;
    shares->positions = malloc((size_t)(cfsplit_list_count(list) + 1) * sizeof *shares->positions);
    shares->starts = calloc((size_t)R + 1, sizeof *shares->starts);
    if (!shares->positions || !shares->starts)
        status = csi_fail_memory(err);
    else if (strategy == CFSPLIT_SIZE)
        status = csi_shares_fill_size(shares, list, err);
    else if (strategy == CFSPLIT_HASH)
        status = csi_shares_fill_hash(shares, list, err);
    else
        status = fill_ranges(shares, list, strategy, err);
    if (status == CFSPLIT_OK)
        *out = shares;
    else
        cfsplit_shares_free(shares);
    return status;
}

void cfsplit_shares_free(struct cfsplit_shares *shares)
{
    if (!shares)
        return;
    free(shares->positions);
    free(shares->starts);
    free(shares);
}

const uint64_t *cfsplit_shares_of(const struct cfsplit_shares *shares, uint32_t k, uint64_t *count)
{
    bool known = k >= 1 && k <= shares->R;
    *count = known ? shares->starts[k] - shares->starts[k - 1] : 0;
    return *count ? shares->positions + shares->starts[k - 1] : NULL;
}
