/* What was simulated, for who prints or draws it. */
#ifndef TOOLS_STUDY_H
#define TOOLS_STUDY_H

#include "tool.h"

enum { STRATEGIES = CFSPLIT_QUEUE + 1 };

/* What a weight is: it decides how a makespan is said. */
enum unit { UNIT_IS_ITEMS, UNIT_IS_BYTES, UNIT_IS_WEIGHT, UNIT_IS_TIME };

struct study {
    const char *weights; /* what items take, in words */
    const char *run;     /* whose times strategies go by, borrowed; NULL: nobody's */
    enum unit unit;
    enum unit known;                /* what is known of the items: with --rate not the unit */
    uint64_t items, total, largest; /* in the unit; microseconds for times */
    struct counts replicas;
    struct cfsplit_simulation_options options;
    struct cfsplit_outcome
        outcomes[STRATEGIES * COUNTS_MAX]; /* of a strategy as many as replicas, one behind the other */
    struct cfsplit_advice advice;
};

static inline const struct cfsplit_outcome *study_at(const struct study *study, unsigned strategy, size_t i)
{
    return &study->outcomes[strategy * study->replicas.count + i];
}

/* "12.3s", "5.32GB": what items take, in up to 7 characters. */
struct study_amount {
    char text[24];
};
struct study_amount study_amount(enum unit unit, double amount);

bool study_is_static(unsigned strategy);

void study_print(const struct study *study);
void study_print_json(const struct study *study);

#endif
