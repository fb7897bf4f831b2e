/* canfar-split simulate: what is simulated, and with what. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plot.h"
#include "times.h"

/* What items take: the weights of the list, or as many numbers as items. */
struct subject {
    struct cfsplit_list *list;
    uint64_t *took;      /* NULL: the weights */
    const char *weights; /* what they are, in words */
    const char *run;     /* whose times they are, and strategies know them; or NULL */
    enum unit unit;
    enum unit known; /* what is known of the items; --rate makes times of it */
};

static void subject_release(struct subject *subject)
{
    cfsplit_list_free(subject->list);
    free(subject->took);
}

/* ---- the list */

static enum unit unit_of(const char *word)
{
    if (times_run(word))
        return UNIT_IS_TIME;
    return strcmp(word, "column") == 0 ? UNIT_IS_WEIGHT : strcmp(word, "stat") == 0 ? UNIT_IS_BYTES : UNIT_IS_ITEMS;
}

static const char *title_of(enum unit unit)
{
    static const char *const titles[] = {[UNIT_IS_ITEMS] = "number",
                                         [UNIT_IS_BYTES] = "size",
                                         [UNIT_IS_WEIGHT] = "weight",
                                         [UNIT_IS_TIME] = "the time they took"};
    return titles[unit];
}

/* Milliseconds as what items take. */
static cfsplit_status use_times(struct subject *subject, uint64_t *took_ms, struct cfsplit_error *err)
{
    subject->took = took_ms;
    subject->unit = UNIT_IS_TIME;
    for (uint64_t i = 0; i < cfsplit_list_count(subject->list); i++) {
        if (took_ms[i] > UINT64_MAX / 1000)
            return tool_fail(err, CFSPLIT_USAGE, "simulate: %s took longer than can be reckoned",
                             cfsplit_quote(cfsplit_list_at(subject->list, i).name).text);
        took_ms[i] *= 1000;
    }
    return CFSPLIT_OK;
}

/* The weights of the list are milliseconds. */
static cfsplit_status take_times(struct subject *subject, struct cfsplit_error *err)
{
    uint64_t n = cfsplit_list_count(subject->list), *took_ms = calloc((size_t)n + 1, sizeof *took_ms);
    if (!took_ms)
        return tool_fail(err, CFSPLIT_MEMORY, "out of memory");
    for (uint64_t i = 0; i < n; i++)
        took_ms[i] = cfsplit_list_at(subject->list, i).weight;
    return use_times(subject, took_ms, err);
}

/* One name that is no file is a run that was not found. */
static bool is_mistaken(const struct settings *s, const struct subject *subject)
{
    return s->source_count == 1 && s->sources[0].kind == SOURCE_IS_ARGUMENT && cfsplit_list_count(subject->list) == 1;
}

/* Sizes if all items are files. */
static cfsplit_status weigh_list(const struct settings *s, struct subject *subject, struct cfsplit_error *err)
{
    if (cfsplit_list_weigh(subject->list, NULL) == CFSPLIT_OK)
        return CFSPLIT_OK;
    if (is_mistaken(s, subject))
        return tool_fail(err, CFSPLIT_USAGE, "simulate: %s is neither a run nor a file",
                         cfsplit_quote(s->sources[0].text).text);
    tool_say("not every item is a file: all of them weigh 1");
    subject->unit = UNIT_IS_ITEMS;
    return CFSPLIT_OK;
}

static bool is_run(const struct source *source)
{
    char path[4096];
    if (source->kind != SOURCE_IS_ARGUMENT)
        return false;
    int length = snprintf(path, sizeof path, "%s/run.json", source->text);
    return length > 0 && (size_t)length < sizeof path && access(path, F_OK) == 0;
}

/* Is this the one argument, and a run directory? */
static bool names_run(const struct settings *s)
{
    return s->source_count == 1 && is_run(&s->sources[0]);
}

/* Two runs, or one and a list, would be items that all weigh the same. */
static cfsplit_status refuse_runs(const struct settings *s, struct cfsplit_error *err)
{
    for (size_t i = 0; i < s->source_count; i++)
        if (is_run(&s->sources[i]))
            return tool_fail(err, CFSPLIT_USAGE, "simulate: %s is a run, and stands alone: one run, or a list of items",
                             cfsplit_quote(s->sources[i].text).text);
    return CFSPLIT_OK;
}

static cfsplit_status read_list(struct settings *s, struct subject *subject, struct cfsplit_error *err)
{
    if (s->simulate.as_planned)
        return tool_fail(err, CFSPLIT_USAGE, "simulate: --as-planned is for a run that has been planned");
    cfsplit_status status = refuse_runs(s, err);
    if (status == CFSPLIT_OK)
        status = tool_list(s, 0, false, true, &subject->list, err);
    if (status != CFSPLIT_OK)
        return status;
    subject->unit = unit_of(s->weights ? s->weights : "stat");
    if (!s->weights)
        return weigh_list(s, subject, err);
    subject->run = times_run(s->weights);
    return subject->unit == UNIT_IS_TIME ? take_times(subject, err) : CFSPLIT_OK;
}

/* ---- a run */

/* What the weights of a plan are. Without a word, blocks and queue took sizes where there were any. */
static enum unit planned_unit(const struct cfsplit_facts *facts)
{
    bool dynamic = facts->strategy == CFSPLIT_BLOCKS || facts->strategy == CFSPLIT_QUEUE;
    if (*facts->weights)
        return unit_of(facts->weights);
    return facts->strategy == CFSPLIT_SIZE || (dynamic && facts->weight != facts->items) ? UNIT_IS_BYTES
                                                                                         : UNIT_IS_ITEMS;
}

static bool has_ends(const struct cfsplit_survey *survey)
{
    const struct cfsplit_counts *c = cfsplit_survey_counts(survey);
    return c->by_state[CFSPLIT_DONE] + c->by_state[CFSPLIT_REJECTED] > 0;
}

/* Whose times items take: OTHER's by --weights run:OTHER, else the run's own, if there are any. NULL: nobody's. */
static const char *times_of(const struct settings *s, const char *path, const struct cfsplit_survey *survey)
{
    return s->weights ? times_run(s->weights) : has_ends(survey) ? path : NULL;
}

static cfsplit_status use_run_times(const char *path, bool as_planned, struct subject *subject,
                                    struct cfsplit_error *err)
{
    uint64_t *took_ms = NULL;
    cfsplit_status status = times_read(path, subject->list, &took_ms, err);
    if (status == CFSPLIT_OK && !as_planned)
        status = cfsplit_list_set_weights(subject->list, took_ms, err);
    if (!as_planned)
        subject->run = path;
    if (status == CFSPLIT_OK)
        return use_times(subject, took_ms, err);
    free(took_ms);
    return status;
}

static cfsplit_status weigh_run(const struct settings *s, const char *path, const struct cfsplit_facts *facts,
                                const struct cfsplit_survey *survey, struct subject *subject, struct cfsplit_error *err)
{
    const char *other = times_of(s, path, survey);
    if (other)
        return use_run_times(other, s->simulate.as_planned, subject, err);
    if (s->simulate.as_planned)
        return tool_fail(err, CFSPLIT_USAGE, "simulate: no item of %s has ended: --as-planned has no times to go by",
                         cfsplit_quote(path).text);
    if (s->weights)
        return tool_fail(err, CFSPLIT_USAGE, "simulate: a run has weights: --weights can be run:OTHER here, not '%s'",
                         s->weights);
    subject->unit = planned_unit(facts);
    return subject->unit == UNIT_IS_TIME ? take_times(subject, err) : CFSPLIT_OK;
}

static cfsplit_status read_run(const struct settings *s, const char *path, struct subject *subject,
                               struct cfsplit_error *err)
{
    struct cfsplit_run *run = NULL;
    struct cfsplit_survey *survey = NULL;
    bool as_given = true;
    cfsplit_status status = cfsplit_run_open(path, &run, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_survey_new(run, false, &survey, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_list_new(&subject->list, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_run_list(run, subject->list, &as_given, err);
    if (status == CFSPLIT_OK)
        status = weigh_run(s, path, cfsplit_run_facts(run), survey, subject, err);
    if (status == CFSPLIT_OK && !as_given)
        tool_say("%s does not keep the order of its list: chunk, stripe, even and blocks are simulated by name", path);
    cfsplit_survey_free(survey);
    cfsplit_run_close(run);
    return status;
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
    *study = (struct study){
        .weights = subject->weights, .run = subject->run, .unit = subject->unit, .known = subject->known};
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
    cfsplit_status status = s->simulate.plot ? plot_check(s->simulate.plot, &err) : CFSPLIT_OK;
    if (status == CFSPLIT_OK)
        status = names_run(s) ? read_run(s, s->sources[0].text, &subject, &err) : read_list(s, &subject, &err);
    subject.weights = title_of(subject.unit);
    subject.known = subject.unit;
    if (status == CFSPLIT_OK && s->simulate.rate != CFSPLIT_UNSET)
        status = apply_rate(&subject, s->simulate.rate, &err);
    if (status == CFSPLIT_OK)
        status = make_study(s, &subject, &study, &err);
    if (status == CFSPLIT_OK && s->simulate.plot)
        status = plot_draw(&study, s->simulate.plot, &err);
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
    .usage = "RUN|ITEM... [--replicas N,...]",
    .summary = "What each strategy would take, by sizes or measured times; nothing is run",
    .text =
        "By the times that the items of RUN took, or by its weights as long as none has ended. Or items as arguments, "
        "quoted\n"
        "patterns, --from and -r, weighed as files unless --weights says otherwise. Without times and without --rate a "
        "makespan is\n"
        "in the unit of the weights. \"Own share only\" is what chunk, stripe, even, size and hash print, each replica "
        "for itself;\n"
        "with canfar-split run those that have nothing left help the others.",
    .run = run_simulate,
};
