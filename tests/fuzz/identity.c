/* replicas/<inc> */
#include "rundir/identity.h"
#include "lib/fuzz.h"

FUZZ_MENDS(fuzz_mend_line)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cfsplit_error err = {0};
    struct csi_inc inc;
    uint32_t replica;
    fuzz_put("replicas/" FUZZ_INC, data, size);
    cfsplit_status status = csi_inc_read(fuzz_run(), "replicas/" FUZZ_INC, &inc, &err);
    fuzz_judge(status, &err, "replicas/" FUZZ_INC);
    if (status != CFSPLIT_OK)
        return 0;
    FUZZ_MUST(csi_inc_is_name(inc.name, &replica) && replica == inc.replica);
    FUZZ_MUST(strlen(inc.name) < sizeof inc.name && strlen(inc.host) < sizeof inc.host);
    FUZZ_MUST(inc.coordinator == (inc.name[0] == 'c') && strlen(inc.source) < sizeof inc.source);
    FUZZ_MUST(csi_inc_life(&inc) <= CSI_LIFE_DEAD);
    return 0;
}
