/* Each replica does its own share, as the Python client's do, and those of a pipeline behind `canfar-split chunk`. */
#include "simulate/simulate.h"

uint64_t csi_simulate_shares(const struct csi_work *work, const struct csi_layout *layout,
                             const struct csi_crowd *crowd)
{
    uint64_t makespan = 0;
    for (uint32_t k0 = 0; k0 < crowd->R; k0++) {
        uint64_t count, ends = crowd->comes[k0] + crowd->options->dispatch;
        const uint64_t *share = cfsplit_shares_of(layout->shares, k0 + 1, &count);
        for (uint64_t i = 0; i < count; i++)
            ends += work->took[share[i]];
        if (count > 0 && crowd->dies[k0] < ends)
            return CFSPLIT_NEVER;
        makespan = count > 0 && ends > makespan ? ends : makespan;
    }
    return makespan;
}
