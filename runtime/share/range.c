#include <inttypes.h>

#include <cfsplit/share.h>

#include "base/error.h"
#include "share/share.h"

cfsplit_status csi_share_check_count(uint64_t R, struct cfsplit_error *err)
{
    if (R < 1 || R > CFSPLIT_REPLICAS_MAX)
        return csi_fail(err, CFSPLIT_USAGE, "%" PRIu64 " replicas: there can be 1 to %u", R, CFSPLIT_REPLICAS_MAX);
    return CFSPLIT_OK;
}

/* `k0` counts from 0, here and in no other file. */
static struct cfsplit_range chunk(uint64_t n, uint64_t k0, uint64_t R)
{
    uint64_t each = n / R;
    if (n < R)
        return (struct cfsplit_range){.first = k0, .count = k0 < n, .step = 1};
    return (struct cfsplit_range){.first = k0 * each, .count = k0 + 1 < R ? each : n - k0 * each, .step = 1};
}

static struct cfsplit_range stripe(uint64_t n, uint64_t k0, uint64_t R)
{
    return (struct cfsplit_range){.first = k0, .count = n > k0 ? (n - k0 - 1) / R + 1 : 0, .step = R};
}

static struct cfsplit_range even(uint64_t n, uint64_t k0, uint64_t R)
{
    uint64_t each = n / R, larger = n % R;
    return (struct cfsplit_range){
        .first = k0 * each + (k0 < larger ? k0 : larger), .count = each + (k0 < larger), .step = 1};
}

static struct cfsplit_range (*const ranges[])(uint64_t n, uint64_t k0, uint64_t R) = {
    [CFSPLIT_CHUNK] = chunk, [CFSPLIT_STRIPE] = stripe, [CFSPLIT_EVEN] = even};
enum { range_count = sizeof ranges / sizeof ranges[0] };

cfsplit_status cfsplit_share_range(enum cfsplit_strategy strategy, uint64_t n, uint64_t k, uint64_t R,
                                   struct cfsplit_range *out, struct cfsplit_error *err)
{
    cfsplit_status status = csi_share_check_count(R, err);
    if (status != CFSPLIT_OK)
        return status;
    if ((unsigned)strategy >= range_count)
        return csi_fail(err, CFSPLIT_USAGE, "the shares of strategy %s are not ranges",
                        cfsplit_strategy_word(strategy));
    if (k < 1 || k > R)
        return csi_fail(err, CFSPLIT_USAGE, "replica %" PRIu64 " is not one of 1 to %" PRIu64, k, R);
    *out = ranges[strategy](n, k - 1, R);
    if (out->count == 0)
        out->first = 0;
    return CFSPLIT_OK;
}
