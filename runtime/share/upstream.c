#include <cfsplit/share.h>

#include "base/error.h"

/* The answers, and the errors' words, of canfar.helpers.distributed (client 1.5); nothing here is an opinion of ours. */

static cfsplit_status chunk_refuses(int64_t k, int64_t R, struct cfsplit_error *err)
{
    if (R <= 0)
        return csi_fail(err, CFSPLIT_USAGE, "total must be positive");
    if (k < 1)
        return csi_fail(err, CFSPLIT_USAGE, "replica must be >= 1 (1-based indexing expected)");
    if (k > R)
        return csi_fail(err, CFSPLIT_USAGE, "replica cannot exceed total");
    return CFSPLIT_OK;
}

static struct cfsplit_range chunk(uint64_t n, uint64_t k, uint64_t R)
{
    uint64_t size = n / R, start = (k - 1) * size;
    if (n < R)
        return (struct cfsplit_range){.first = k <= n ? k - 1 : 0, .count = k <= n, .step = 1};
    return (struct cfsplit_range){.first = start, .count = (k < R ? k * size : n) - start, .step = 1};
}

static cfsplit_status stripe(uint64_t n, int64_t k, int64_t R, struct cfsplit_range *out, struct cfsplit_error *err)
{
    *out = (struct cfsplit_range){.step = 1};
    if (k < 1)
        return CFSPLIT_OK;
    if (R <= 0)
        return csi_fail(err, CFSPLIT_USAGE, "Step for islice() must be a positive integer or None.");
    uint64_t first = (uint64_t)k - 1;
    if (k <= R && first < n)
        *out = (struct cfsplit_range){.first = first, .count = (n - first - 1) / (uint64_t)R + 1, .step = (uint64_t)R};
    return CFSPLIT_OK;
}

cfsplit_status cfsplit_share_upstream(enum cfsplit_strategy strategy, uint64_t n, int64_t k, int64_t R,
                                      struct cfsplit_range *out, struct cfsplit_error *err)
{
    if (strategy == CFSPLIT_STRIPE)
        return stripe(n, k, R, out, err);
    if (strategy != CFSPLIT_CHUNK)
        return csi_fail(err, CFSPLIT_USAGE, "the Python client has no strategy %s, only chunk and stripe",
                        cfsplit_strategy_word(strategy));
    cfsplit_status status = chunk_refuses(k, R, err);
    if (status == CFSPLIT_OK)
        *out = chunk(n, (uint64_t)k, (uint64_t)R);
    return status;
}
