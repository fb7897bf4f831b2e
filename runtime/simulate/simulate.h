/* The inside of simulations, for the files of this folder: who comes and dies when, and how each kind of strategy goes. */
#ifndef CSI_SIMULATE_SIMULATE_H
#define CSI_SIMULATE_SIMULATE_H

#include <stdbool.h>

#include "rundir/layout.h"
#include "simulate/agenda.h"

/* A list and what its items take, by their places in it. */
struct csi_work {
    const struct cfsplit_list *list;
    const uint64_t *took; /* at least 1 */
};

struct cfsplit_simulator {
    struct csi_work given;  /* in the order of the list */
    struct csi_work sorted; /* as a queue has it: largest weight first */
    struct cfsplit_list *sorted_list;
    uint64_t *given_took, *sorted_took;
    struct cfsplit_simulation_options options;
    uint64_t total, largest; /* of what items take */
};

/* The replicas of one simulation, by number from 0: k0 is replica k0 + 1. */
struct csi_crowd {
    const struct cfsplit_simulation_options *options;
    uint32_t R;
    uint64_t *comes, *dies; /* moments; dies CFSPLIT_NEVER: does not */
    uint64_t random;        /* the state of what is random later on */
};

/* The same for each strategy. Errors: CFSPLIT_MEMORY. Safe to end after a failure. */
CFSPLIT_MUST_USE cfsplit_status csi_crowd_init(struct csi_crowd *crowd, const struct cfsplit_simulator *simulator,
                                               uint32_t R, struct cfsplit_error *err);
void csi_crowd_fini(struct csi_crowd *crowd);
uint64_t csi_crowd_random(struct csi_crowd *crowd, uint64_t below);

/* Each does its own share of a static strategy and no more: when the last one is ready, or CFSPLIT_NEVER. shares.c */
uint64_t csi_simulate_shares(const struct csi_work *work, const struct csi_layout *layout,
                             const struct csi_crowd *crowd);

/* Pieces and blocks, taken as a replica takes them (node/taking.c). pieces.c */
CFSPLIT_MUST_USE cfsplit_status csi_simulate_pieces(const struct csi_work *work, const struct csi_layout *layout,
                                                    struct csi_crowd *crowd, uint64_t *makespan,
                                                    struct cfsplit_error *err);

/* The queue's own state machine (queue/queue.h) among workers that are told of here; work is in the queue's order. handing.c */
CFSPLIT_MUST_USE cfsplit_status csi_simulate_queue(const struct csi_work *work, struct csi_crowd *crowd,
                                                   uint64_t *makespan, struct cfsplit_error *err);

#endif
