#include <inttypes.h>

#include <cfsplit/cfsplit.h>

#include "base/error.h"

#define TEXT_(x)          #x
#define VERSION_(a, b, c) TEXT_(a) "." TEXT_(b) "." TEXT_(c)

const char *cfsplit_version(void)
{
    return VERSION_(CFSPLIT_VERSION_MAJOR, CFSPLIT_VERSION_MINOR, CFSPLIT_VERSION_PATCH);
}

uint32_t cfsplit_version_number(void)
{
    return CFSPLIT_VERSION_NUMBER;
}

cfsplit_status cfsplit_version_check(uint32_t headers, struct cfsplit_error *err)
{
    uint32_t ours = CFSPLIT_VERSION_NUMBER;
    uint32_t same = ours < 1000000 ? 1000 : 1000000; /* what is below this may differ */
    if (headers / same == ours / same && headers <= ours)
        return CFSPLIT_OK;
    return csi_fail(err, CFSPLIT_USAGE,
                    "built for libcfsplit %" PRIu32 ".%" PRIu32 ".%" PRIu32 ", which %s does not serve",
                    headers / 1000000, headers / 1000 % 1000, headers % 1000, cfsplit_version());
}
