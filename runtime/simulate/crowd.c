/* Who comes and dies when. */
#include <stdlib.h>

#include "base/error.h"
#include "simulate/simulate.h"

/* splitmix64 (Steele, Lea and Flood 2014). */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t csi_crowd_random(struct csi_crowd *crowd, uint64_t below)
{
    uint64_t any = next(&crowd->random);
    return below > 0 ? any % below : 0;
}

/* The first `lose` of the replicas in a random order die. */
static cfsplit_status choose_deaths(struct csi_crowd *crowd, uint64_t part, struct cfsplit_error *err)
{
    uint64_t lose = crowd->options->lose < crowd->R ? crowd->options->lose : crowd->R;
    uint32_t *order = malloc(crowd->R * sizeof *order);
    if (!order)
        return csi_fail_memory(err);
    for (uint32_t k0 = 0; k0 < crowd->R; k0++)
        order[k0] = k0;
    for (uint32_t i = 0; i < lose; i++) {
        uint32_t other = i + (uint32_t)csi_crowd_random(crowd, crowd->R - i), chosen = order[other];
        order[other] = order[i];
        crowd->dies[chosen] = crowd->comes[chosen] + 1 + csi_crowd_random(crowd, part);
    }
    free(order);
    return CFSPLIT_OK;
}

cfsplit_status csi_crowd_init(struct csi_crowd *crowd, const struct cfsplit_simulator *simulator, uint32_t R,
                              struct cfsplit_error *err)
{
    uint64_t part = simulator->total / R, spread = simulator->options.start_spread;
    *crowd = (struct csi_crowd){.options = &simulator->options, .R = R, .random = simulator->options.seed ^ R};
    crowd->comes = calloc(R, sizeof *crowd->comes);
    crowd->dies = malloc(R * sizeof *crowd->dies);
    if (!crowd->comes || !crowd->dies)
        return csi_fail_memory(err);
    for (uint32_t k0 = 0; k0 < R; k0++) {
        crowd->comes[k0] = spread ? csi_crowd_random(crowd, spread + 1) : 0;
        crowd->dies[k0] = CFSPLIT_NEVER;
    }
    return simulator->options.lose > 0 ? choose_deaths(crowd, part ? part : 1, err) : CFSPLIT_OK;
}

void csi_crowd_fini(struct csi_crowd *crowd)
{
    free(crowd->comes);
    free(crowd->dies);
    *crowd = (struct csi_crowd){0};
}
