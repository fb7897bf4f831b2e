/* What to learn from outcomes. */
#include "simulate/simulate.h"

static const double near_enough = 1.02, worth_it = 1.05;

/* The simplest first: of these, queue alone needs a network. */
static const enum cfsplit_strategy choices[] = {CFSPLIT_SIZE, CFSPLIT_BLOCKS, CFSPLIT_QUEUE};
enum { choice_count = sizeof choices / sizeof choices[0] };

struct table {
    const struct cfsplit_outcome *outcomes;
    size_t count;
};

static uint64_t makespan(const struct table *t, enum cfsplit_strategy strategy, size_t i)
{
    return t->outcomes[strategy * t->count + i].run.makespan;
}

static uint64_t fastest(const struct table *t, size_t i)
{
    uint64_t least = CFSPLIT_NEVER;
    for (unsigned s = 0; s <= CFSPLIT_QUEUE; s++)
        least = makespan(t, s, i) < least ? makespan(t, s, i) : least;
    return least;
}

/* Where no strategy ends there is nothing to compare. */
static double behind_at(const struct table *t, enum cfsplit_strategy strategy, size_t i)
{
    uint64_t best = fastest(t, i);
    return best == CFSPLIT_NEVER ? 1 : (double)makespan(t, strategy, i) / (double)best;
}

static double behind(const struct table *t, enum cfsplit_strategy strategy)
{
    double most = 1;
    for (size_t i = 0; i < t->count; i++)
        most = behind_at(t, strategy, i) > most ? behind_at(t, strategy, i) : most;
    return most;
}

static double over(const struct table *t, enum cfsplit_strategy strategy)
{
    double most = 0;
    for (size_t i = 0; i < t->count; i++) {
        double ratio = t->outcomes[strategy * t->count + i].run.over;
        most = ratio > most ? ratio : most;
    }
    return most;
}

static uint32_t enough(const struct table *t, enum cfsplit_strategy strategy, const uint32_t *replicas)
{
    uint64_t least = CFSPLIT_NEVER;
    for (size_t i = 0; i < t->count; i++)
        least = makespan(t, strategy, i) < least ? makespan(t, strategy, i) : least;
    for (size_t i = 0; least != CFSPLIT_NEVER && i < t->count; i++)
        if (makespan(t, strategy, i) != CFSPLIT_NEVER && (double)makespan(t, strategy, i) <= worth_it * (double)least)
            return replicas[i];
    return 0;
}

/* The simplest that is near enough everywhere, if there is one. */
static bool choose_anywhere(const struct table *t, enum cfsplit_strategy *chosen)
{
    for (size_t c = 0; c < choice_count; c++) {
        *chosen = choices[c];
        if (behind(t, choices[c]) <= near_enough)
            return true;
    }
    return false;
}

/* As many replicas as the fastest of them needs. */
static size_t place_of_enough(const struct table *t)
{
    uint64_t least = CFSPLIT_NEVER;
    size_t i = 0;
    for (size_t at = 0; at < t->count; at++)
        for (size_t c = 0; c < choice_count; c++)
            least = makespan(t, choices[c], at) < least ? makespan(t, choices[c], at) : least;
    for (; i + 1 < t->count; i++)
        for (size_t c = 0; c < choice_count; c++)
            if ((double)makespan(t, choices[c], i) <= worth_it * (double)least)
                return i;
    return i;
}

/* The simplest that is near enough there, or nearest. */
static enum cfsplit_strategy choose_at(const struct table *t, size_t i)
{
    enum cfsplit_strategy chosen = choices[0];
    double least = behind_at(t, chosen, i);
    for (size_t c = 1; c < choice_count && least > near_enough; c++) {
        double this = behind_at(t, choices[c], i);
        if (this > near_enough && this >= least)
            continue;
        chosen = choices[c];
        least = this;
    }
    return chosen;
}

void cfsplit_simulation_advise(const struct cfsplit_outcome *outcomes, const uint32_t *replicas, size_t count,
                               struct cfsplit_advice *out)
{
    const struct table t = {outcomes, count};
    *out = (struct cfsplit_advice){0};
    if (!choose_anywhere(&t, &out->strategy))
        out->strategy = choose_at(&t, place_of_enough(&t));
    out->behind = behind(&t, out->strategy);
    out->over = over(&t, out->strategy);
    out->enough = enough(&t, out->strategy, replicas);
}
