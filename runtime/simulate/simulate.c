#include "simulate/simulate.h"

#include <stdlib.h>

#include "base/error.h"
#include "share/share.h"

static const double longest = 4e18; /* what can be reckoned in 64 bits, with room */

static cfsplit_status take_times(struct cfsplit_simulator *s, const struct cfsplit_list *list, const uint64_t *took,
                                 struct cfsplit_error *err)
{
    uint64_t n = cfsplit_list_count(list);
    const struct cfsplit_simulation_options *o = &s->options;
    double total = (double)o->start_spread + (double)o->adopt_after + (double)o->stall_after;
    s->given_took = malloc((size_t)n * sizeof *s->given_took);
    if (!s->given_took)
        return csi_fail_memory(err);
    s->given = (struct csi_work){list, s->given_took};
    for (uint64_t i = 0; i < n; i++) {
        uint64_t takes = took ? took[i] : cfsplit_list_at(list, i).weight;
        s->given_took[i] = takes ? takes : 1;
        s->total += s->given_took[i];
        s->largest = s->given_took[i] > s->largest ? s->given_took[i] : s->largest;
        total += (double)s->given_took[i];
    }
    /* whoever is lost has one item at most that is done again, and waits for the last one's to be noticed */
    total += ((double)n + (double)o->lose) * (double)o->dispatch;
    total += (double)o->lose * ((double)s->largest + (double)o->stall_after);
    return total < longest ? CFSPLIT_OK : csi_fail(err, CFSPLIT_USAGE, "all of it takes too long to be simulated");
}

/* The list once more, in the order of a queue: sorting that again is quick, and so is sorting it for size. */
static cfsplit_status sort(struct cfsplit_simulator *s, struct cfsplit_error *err)
{
    uint64_t n = cfsplit_list_count(s->given.list);
    struct csi_layout layout;
    s->sorted_took = malloc((size_t)n * sizeof *s->sorted_took);
    if (!s->sorted_took)
        return csi_fail_memory(err);
    cfsplit_status status = csi_layout_new(&layout, s->given.list, CFSPLIT_QUEUE, 1, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_list_new(&s->sorted_list, err);
    for (uint64_t i = 0; status == CFSPLIT_OK && i < n; i++) {
        struct cfsplit_item item = cfsplit_list_at(s->given.list, layout.order[i]);
        s->sorted_took[i] = s->given.took[layout.order[i]];
        status = cfsplit_list_add(s->sorted_list, item.name, item.length, item.weight, err);
    }
    s->sorted = (struct csi_work){s->sorted_list, s->sorted_took};
    csi_layout_free(&layout);
    return status;
}

cfsplit_status cfsplit_simulator_new(const struct cfsplit_list *list, const uint64_t *took,
                                     const struct cfsplit_simulation_options *options, struct cfsplit_simulator **out,
                                     struct cfsplit_error *err)
{
    *out = NULL;
    if (options->size != sizeof *options)
        return csi_fail(err, CFSPLIT_USAGE, "cfsplit_simulation_options of another version of the library");
    if (cfsplit_list_count(list) == 0)
        return csi_fail(err, CFSPLIT_USAGE, "the list is empty: there is nothing to simulate");
    struct cfsplit_simulator *s = calloc(1, sizeof *s);
    if (!s)
        return csi_fail_memory(err);
    s->options = *options;
    cfsplit_status status = take_times(s, list, took, err);
    if (status == CFSPLIT_OK)
        status = sort(s, err);
    if (status == CFSPLIT_OK)
        *out = s;
    else
        cfsplit_simulator_free(s);
    return status;
}

void cfsplit_simulator_free(struct cfsplit_simulator *s)
{
    if (!s)
        return;
    cfsplit_list_free(s->sorted_list);
    free(s->given_took);
    free(s->sorted_took);
    free(s);
}

static struct cfsplit_makespan judge(const struct cfsplit_simulator *s, uint32_t R, double bound, uint64_t makespan)
{
    if (makespan == CFSPLIT_NEVER)
        return (struct cfsplit_makespan){.makespan = makespan};
    return (struct cfsplit_makespan){.makespan = makespan,
                                     .over = (double)makespan / bound,
                                     .idle = 1 - (double)s->total / ((double)R * (double)makespan)};
}

static double bound_of(const struct cfsplit_simulator *s, uint32_t R)
{
    double part = (double)s->total / R;
    return part > (double)s->largest ? part : (double)s->largest;
}

static cfsplit_status simulate_layout(const struct cfsplit_simulator *s, enum cfsplit_strategy strategy,
                                      struct csi_crowd *crowd, uint64_t *run, uint64_t *alone,
                                      struct cfsplit_error *err)
{
    const struct csi_work *work = strategy == CFSPLIT_SIZE ? &s->sorted : &s->given;
    struct csi_layout layout;
    cfsplit_status status = csi_layout_new(&layout, work->list, strategy, crowd->R, err);
    if (status == CFSPLIT_OK)
        status = csi_simulate_pieces(work, &layout, crowd, run, err);
    if (status == CFSPLIT_OK)
        *alone = layout.shares ? csi_simulate_shares(work, &layout, crowd) : *run;
    csi_layout_free(&layout);
    return status;
}

cfsplit_status cfsplit_simulate(const struct cfsplit_simulator *s, enum cfsplit_strategy strategy, uint32_t R,
                                struct cfsplit_outcome *out, struct cfsplit_error *err)
{
    struct csi_crowd crowd = {0};
    uint64_t run = 0, alone = 0;
    cfsplit_status status = csi_share_check_count(R, err);
    if (status == CFSPLIT_OK)
        status = csi_crowd_init(&crowd, s, R, err);
    if (status == CFSPLIT_OK && strategy == CFSPLIT_QUEUE) {
        status = csi_simulate_queue(&s->sorted, &crowd, &run, err);
        alone = run;
    } else if (status == CFSPLIT_OK) {
        status = simulate_layout(s, strategy, &crowd, &run, &alone, err);
    }
    csi_crowd_fini(&crowd);
    if (status != CFSPLIT_OK)
        return status;
    double bound = bound_of(s, R);
    *out = (struct cfsplit_outcome){bound, judge(s, R, bound, run), judge(s, R, bound, alone)};
    return CFSPLIT_OK;
}
