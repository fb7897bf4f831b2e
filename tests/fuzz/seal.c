/* fence/<inc>.seal */
#include "rundir/fence.h"
#include "lib/fuzz.h"

FUZZ_MENDS(fuzz_mend_line)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cfsplit_error err = {0};
    struct csi_seal seal;
    uint32_t replica;
    fuzz_put("fence/" FUZZ_INC, "", 0);
    fuzz_put("fence/" FUZZ_INC ".seal", data, size);
    cfsplit_status status = csi_fence_look(fuzz_run(), FUZZ_INC, &seal, &err);
    fuzz_judge(status, &err, "fence/" FUZZ_INC ".seal");
    FUZZ_MUST(seal.state == (status == CFSPLIT_OK ? CSI_FENCE_SEALED : CSI_FENCE_UNSEALED));
    if (status == CFSPLIT_OK)
        FUZZ_MUST(csi_inc_is_name(seal.by, &replica));
    return 0;
}
