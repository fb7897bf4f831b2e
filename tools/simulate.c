/* canfar-split simulate: what is simulated, and with what. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "study.h"

/* What items take: the weights of the list, or as many numbers as items. */
struct subject {
    struct cfsplit_list *list;
    uint64_t *took; /* NULL: the weights */
    const char *weights;
    enum unit unit;
};

static void subject_release(struct subject *subject)
{
    cfsplit_list_free(subject->list);
    free(subject->took);
}

/* ---- the list */

static enum unit unit_of(const char *word)
{
    return strcmp(word, "column") == 0 ? UNIT_IS_WEIGHT : strcmp(word, "stat") == 0 ? UNIT_IS_BYTES : UNIT_IS_ITEMS;
}

static const char *title_of(enum unit unit)
{
    return unit == UNIT_IS_BYTES ? "size" : unit == UNIT_IS_WEIGHT ? "weight" : "number";
}

static cfsplit_status read_list(struct settings *s, struct subject *subject, struct cfsplit_error *err)
{
    cfsplit_status status = tool_list(s, 0, false, true, &subject->list, err);
    if (status != CFSPLIT_OK)
        return status;
    subject->unit = unit_of(s->weights ? s->weights : "stat");
    if (!s->weights && cfsplit_list_weigh(subject->list, NULL) != CFSPLIT_OK) {
        tool_say("not every item is a file: all of them weigh 1");
        subject->unit = UNIT_IS_ITEMS;
    }
    subject->weights = title_of(subject->unit);
    return CFSPLIT_OK;
}

/* ---- weights as times */

static cfsplit_status apply_rate(struct subject *subject, uint64_t rate, struct cfsplit_error *err)
{
    uint64_t n = cfsplit_list_count(subject->list);
    if (subject->unit == UNIT_IS_TIME)
        return tool_fail(err, CFSPLIT_USAGE, "simulate: how long items took is known: --rate has no meaning here");
    subject->took = malloc((size_t)(n + 1) * sizeof *subject->took);
    if (!subject->took)
        return tool_fail(err, CFSPLIT_MEMORY, "out of memory");
    for (uint64_t i = 0; i < n; i++) {
        double us = (double)cfsplit_list_at(subject->list, i).weight * 1e6 / (double)rate;
        if (us > 1e18)
            return tool_fail(err, CFSPLIT_USAGE, "simulate: at that --rate %s takes more than 30,000 years",
                             cfsplit_quote(cfsplit_list_at(subject->list, i).name).text);
        subject->took[i] = (uint64_t)(us + 0.5);
    }
    subject->unit = UNIT_IS_TIME;
    return CFSPLIT_OK;
}

static uint64_t given(uint64_t value, uint64_t otherwise)
{
    return value == CFSPLIT_UNSET ? otherwise : value;
}

/* Times mean nothing where nobody knows how long items take. */
static cfsplit_status check_times(const struct settings *s, const struct subject *subject, struct cfsplit_error *err)
{
    const struct {
        uint64_t value;
        const char *name;
    } times[] = {{s->simulate.dispatch_us, "dispatch"},
                 {s->simulate.start_spread_ms, "start-spread"},
                 {s->simulate.lose, "lose"},
                 {s->run.stall_after_ms, "stall-after"},
                 {s->run.adopt_after_ms, "adopt-after"}};
    for (size_t i = 0; i < sizeof times / sizeof times[0] && subject->unit != UNIT_IS_TIME; i++)
        if (times[i].value != CFSPLIT_UNSET)
            return tool_fail(err, CFSPLIT_USAGE,
                             "simulate: --%s needs to know how long items take: --rate, or an earlier run's times",
                             times[i].name);
    return CFSPLIT_OK;
}

static cfsplit_status in_us(uint64_t ms, uint64_t *us, struct cfsplit_error *err)
{
    if (ms > UINT64_C(1000000000000000))
        return tool_fail(err, CFSPLIT_USAGE, "simulate: a time of more than 30,000 years");
    *us = ms * 1000;
    return CFSPLIT_OK;
}

static cfsplit_status make_options(const struct settings *s, const struct subject *subject,
                                   struct cfsplit_simulation_options *o, struct cfsplit_error *err)
{
    *o = (struct cfsplit_simulation_options){.size = sizeof *o,
                                             .is_time = subject->unit == UNIT_IS_TIME,
                                             .dispatch = given(s->simulate.dispatch_us, 0),
                                             .lose = given(s->simulate.lose, 0),
                                             .seed = given(s->simulate.seed, 1)};
    cfsplit_status status = check_times(s, subject, err);
    if (status == CFSPLIT_OK)
        status = in_us(given(s->simulate.start_spread_ms, 0), &o->start_spread, err);
    if (status == CFSPLIT_OK)
        status = in_us(given(s->run.stall_after_ms, 120000), &o->stall_after, err);
    if (status == CFSPLIT_OK)
        status = in_us(given(s->run.adopt_after_ms, 600000), &o->adopt_after, err);
    return status;
}

/* ---- the study */

static void choose_replicas(const struct settings *s, struct counts *counts)
{
    *counts = s->simulate.replicas;
    for (uint32_t R = 1; s->simulate.replicas.count == 0 && R <= 512; R *= 2)
        counts->at[counts->count++] = R;
}

static void weigh_up(const struct subject *subject, struct study *study)
{
    study->items = cfsplit_list_count(subject->list);
    for (uint64_t i = 0; i < study->items; i++) {
        uint64_t takes = subject->took ? subject->took[i] : cfsplit_list_at(subject->list, i).weight;
        takes = takes ? takes : 1;
        study->total += takes;
        study->largest = takes > study->largest ? takes : study->largest;
    }
}

static cfsplit_status make_study(const struct settings *s, const struct subject *subject, struct study *study,
                                 struct cfsplit_error *err)
{
    struct cfsplit_simulator *simulator = NULL;
    *study = (struct study){.weights = subject->weights, .unit = subject->unit};
    choose_replicas(s, &study->replicas);
    cfsplit_status status = make_options(s, subject, &study->options, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_simulator_new(subject->list, subject->took, &study->options, &simulator, err);
    size_t count = study->replicas.count;
    for (size_t at = 0; status == CFSPLIT_OK && at < STRATEGIES * count; at++)
        status = cfsplit_simulate(simulator, (enum cfsplit_strategy)(at / count), study->replicas.at[at % count],
                                  &study->outcomes[at], err);
    cfsplit_simulator_free(simulator);
    if (status != CFSPLIT_OK)
        return status;
    weigh_up(subject, study);
    cfsplit_simulation_advise(study->outcomes, study->replicas.at, count, &study->advice);
    return CFSPLIT_OK;
}

static int run_simulate(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    struct subject subject = {0};
    struct study study;
    (void)command;
    cfsplit_status status = read_list(s, &subject, &err);
    if (status == CFSPLIT_OK && s->simulate.rate != CFSPLIT_UNSET)
        status = apply_rate(&subject, s->simulate.rate, &err);
    if (status == CFSPLIT_OK)
        status = make_study(s, &subject, &study, &err);
    subject_release(&subject);
    if (status != CFSPLIT_OK)
        return tool_exit(&err);
    if (s->json)
        study_print_json(&study);
    else
        study_print(&study);
    return 0;
}

const struct command command_simulate = {
    .name = "simulate",
    .bit = SIMULATE,
    .usage = "ITEM... [--replicas N,...]",
    .summary = "What each strategy would take, by the sizes of the items; nothing is run",
    .text =
        "Items are arguments, quoted patterns, --from and -r, weighed as files unless --weights says otherwise. "
        "Without --rate a\n"
        "makespan is in the unit of the weights. \"Own share only\" is what chunk, stripe, even, size and hash print, "
        "each replica for\n"
        "itself; with canfar-split run those that have nothing left help the others.",
    .run = run_simulate,
};
