/* What was simulated, as tables and as JSON. */
#include "study.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "look.h"

static const char *const words[] = {
#define WORD(symbol, word, is_static, text) [symbol] = (word),
    CFSPLIT_STRATEGY_LIST(WORD)
#undef WORD
};
static const bool is_static[] = {
#define IS_STATIC(symbol, word, is_static, text) [symbol] = (is_static),
    CFSPLIT_STRATEGY_LIST(IS_STATIC)
#undef IS_STATIC
};

bool study_is_static(unsigned strategy)
{
    return is_static[strategy];
}

/* ---- amounts */

static struct study_amount time_amount(double us)
{
    static const struct {
        double below, divisor; /* in seconds */
        const char *format;
    } simple[] = {{1e-3, 1e-6, "%.0fus"}, {1, 1e-3, "%.3gms"}, {99.95, 1, "%.3gs"}};
    double s = us / 1e6;
    struct study_amount a;
    for (size_t i = 0; i < sizeof simple / sizeof simple[0]; i++) {
        if (s < simple[i].below) {
            snprintf(a.text, sizeof a.text, simple[i].format, s / simple[i].divisor);
            return a;
        }
    }
    uint64_t whole = (uint64_t)(s + 0.5);
    if (whole < 6000)
        snprintf(a.text, sizeof a.text, "%" PRIu64 "m%02" PRIu64 "s", whole / 60, whole % 60);
    else if (whole < 360000)
        snprintf(a.text, sizeof a.text, "%" PRIu64 "h%02" PRIu64 "m", whole / 3600, whole / 60 % 60);
    else
        snprintf(a.text, sizeof a.text, "%.3gd", s / 86400);
    return a;
}

static struct study_amount plain_amount(double amount, const char *unit)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
    struct study_amount a;
    size_t prefix = 0;
    for (; amount >= 999.5 && prefix + 1 < sizeof prefixes / sizeof prefixes[0]; prefix++)
        amount /= 1000;
    snprintf(a.text, sizeof a.text, "%.3g%s%s", amount, prefixes[prefix], unit);
    return a;
}

struct study_amount study_amount(enum unit unit, double amount)
{
    return unit == UNIT_IS_TIME ? time_amount(amount) : plain_amount(amount, unit == UNIT_IS_BYTES ? "B" : "");
}

/* ---- tables */

typedef struct study_amount (*cell_of)(const struct study *study, const struct cfsplit_makespan *m);

static struct study_amount makespan_cell(const struct study *study, const struct cfsplit_makespan *m)
{
    return study_amount(study->unit, (double)m->makespan);
}

static struct study_amount over_cell(const struct study *study, const struct cfsplit_makespan *m)
{
    struct study_amount a;
    (void)study;
    snprintf(a.text, sizeof a.text, m->over < 99.95 ? "%.2f" : "%.0f", m->over);
    return a;
}

static struct study_amount idle_cell(const struct study *study, const struct cfsplit_makespan *m)
{
    struct study_amount a;
    (void)study;
    snprintf(a.text, sizeof a.text, "%.1f%%", fabs(m->idle) * 100);
    return a;
}

static void print_row(const struct study *study, unsigned strategy, bool alone, cell_of cell)
{
    printf("  %-9s", words[strategy]);
    for (size_t i = 0; i < study->replicas.count; i++) {
        const struct cfsplit_outcome *o = study_at(study, strategy, i);
        const struct cfsplit_makespan *m = alone ? &o->alone : &o->run;
        printf(" %7s", m->makespan == CFSPLIT_NEVER ? "never" : cell(study, m).text);
    }
    printf("\n");
}

static void print_rows(const struct study *study, cell_of cell)
{
    printf(" own share only\n");
    for (unsigned s = 0; s < STRATEGIES; s++)
        if (is_static[s])
            print_row(study, s, true, cell);
    printf(" canfar-split run\n");
    for (unsigned s = 0; s < STRATEGIES; s++)
        print_row(study, s, false, cell);
}

static void print_head(const struct study *study, const char *title)
{
    printf("\n%s\n  %-9s", title, "replicas");
    for (size_t i = 0; i < study->replicas.count; i++)
        printf(" %7" PRIu32, study->replicas.at[i]);
    printf("\n");
}

static void print_tables(const struct study *study)
{
    static const char *const titles[] = {[UNIT_IS_ITEMS] = "makespan, in items of equal length",
                                         [UNIT_IS_BYTES] = "makespan, in bytes that one replica works through",
                                         [UNIT_IS_WEIGHT] = "makespan, in the unit of the weights",
                                         [UNIT_IS_TIME] = "makespan"};
    print_head(study, titles[study->unit]);
    printf("  %-9s", "at least");
    for (size_t i = 0; i < study->replicas.count; i++)
        printf(" %7s", study_amount(study->unit, study_at(study, 0, i)->bound).text);
    printf("\n");
    print_rows(study, makespan_cell);
    print_head(study, "makespan over the least possible");
    print_rows(study, over_cell);
    print_head(study, "part of all replicas' time in which they do no item");
    print_rows(study, idle_cell);
}

/* ---- in words */

/* From so many replicas on the lower bound is the largest item. Few more may be needed for what comes near to it. */
static uint64_t useful(const struct study *study)
{
    return study->total / study->largest + (study->total % study->largest != 0);
}

static void describe(const struct study *study)
{
    const struct cfsplit_simulation_options *o = &study->options;
    printf("%" PRIu64 " %s by %s: %s in all, the largest %s\n", study->items, tool_items(study->items), study->weights,
           study_amount(study->unit, (double)study->total).text,
           study_amount(study->unit, (double)study->largest).text);
    if (!o->is_time)
        return;
    printf("each handing out takes %s", study_amount(UNIT_IS_TIME, (double)o->dispatch).text);
    if (o->start_spread)
        printf("; replicas come within %s", study_amount(UNIT_IS_TIME, (double)o->start_spread).text);
    if (o->lose)
        printf("; %" PRIu64 " of them %s, which is noticed after %s", o->lose, o->lose == 1 ? "dies" : "die",
               study_amount(UNIT_IS_TIME, (double)o->stall_after).text);
    printf("; seed %" PRIu64 "\n", o->seed);
}

static double advised_over(const struct study *study)
{
    size_t i = 0;
    while (study->replicas.at[i] != study->advice.enough)
        i++;
    return study_at(study, study->advice.strategy, i)->run.over;
}

/* How what is recommended can be wrong. With --as-planned it has been held against the times. */
static void print_caveat(const struct study *study)
{
    static const char *const ifs[] = {[UNIT_IS_ITEMS] = "all take the same time",
                                      [UNIT_IS_BYTES] = "times follow sizes",
                                      [UNIT_IS_WEIGHT] = "times follow these weights",
                                      [UNIT_IS_TIME] = "items take as long again"};
    if (study->advice.strategy == CFSPLIT_SIZE && (study->run || study->known != UNIT_IS_TIME))
        printf(" if %s; else queue, or blocks without a network between replicas", ifs[study->known]);
}

static void print_advice(const struct study *study)
{
    const struct cfsplit_advice *a = &study->advice;
    const char *word = words[a->strategy];
    uint32_t most = study->replicas.at[study->replicas.count - 1];
    printf("\nwith %" PRIu64 " %s or more the largest item decides: nothing takes less than %s\n", useful(study),
           useful(study) == 1 ? "replica" : "replicas", study_amount(study->unit, (double)study->largest).text);
    if (a->enough == 0) {
        printf("none of it ends: all replicas die\n");
        return;
    }
    if (a->enough < most && a->enough < useful(study))
        printf("%s gains less than 5%% with more than %" PRIu32 "\n", word, a->enough);
    printf("recommended: --strategy %s", word);
    if (study->run)
        printf(" --weights run:%s", tool_word(study->run).text);
    printf(" with %" PRIu32 " %s, %.2f times the least possible", a->enough, a->enough == 1 ? "replica" : "replicas",
           advised_over(study));
    print_caveat(study);
    printf("\n");
}

void study_print(const struct study *study)
{
    describe(study);
    print_tables(study);
    print_advice(study);
}

/* ---- JSON */

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *json_row(const struct study *study, unsigned strategy, bool alone)
{
    json_t *row = json_object(), *makespans = json_array(), *over = json_array(), *idle = json_array();
    for (size_t i = 0; i < study->replicas.count; i++) {
        const struct cfsplit_outcome *o = study_at(study, strategy, i);
        const struct cfsplit_makespan *m = alone ? &o->alone : &o->run;
        bool never = m->makespan == CFSPLIT_NEVER;
        json_array_append_new(makespans, never ? json_null() : number(m->makespan));
        json_array_append_new(over, never ? json_null() : json_real(m->over));
        json_array_append_new(idle, never ? json_null() : json_real(m->idle));
    }
    json_object_set_new(row, "strategy", json_string(words[strategy]));
    json_object_set_new(row, "own_share_only", json_boolean(alone));
    json_object_set_new(row, "makespan", makespans);
    json_object_set_new(row, "over", over);
    json_object_set_new(row, "idle", idle);
    return row;
}

static json_t *json_advice(const struct study *study)
{
    const struct cfsplit_advice *a = &study->advice;
    json_t *advice = json_object();
    json_object_set_new(advice, "strategy", json_string(words[a->strategy]));
    if (study->run)
        json_object_set_new(advice, "weights_of_run", look_json_name(study->run));
    json_object_set_new(advice, "replicas", number(a->enough));
    json_object_set_new(advice, "over", json_real(a->over));
    json_object_set_new(advice, "behind_fastest", json_real(a->behind));
    return advice;
}

static void add_options(const struct study *study, json_t *root)
{
    const struct cfsplit_simulation_options *o = &study->options;
    json_object_set_new(root, "dispatch", number(o->dispatch));
    json_object_set_new(root, "start_spread", number(o->start_spread));
    json_object_set_new(root, "lose", number(o->lose));
    json_object_set_new(root, "stall_after", number(o->stall_after));
    json_object_set_new(root, "adopt_after", number(o->adopt_after));
    json_object_set_new(root, "seed", number(o->seed));
}

void study_print_json(const struct study *study)
{
    static const char *const units[] = {
        [UNIT_IS_ITEMS] = "items", [UNIT_IS_BYTES] = "bytes", [UNIT_IS_WEIGHT] = "weight", [UNIT_IS_TIME] = "us"};
    json_t *root = json_object(), *replicas = json_array(), *bound = json_array(), *rows = json_array();
    for (size_t i = 0; i < study->replicas.count; i++) {
        json_array_append_new(replicas, number(study->replicas.at[i]));
        json_array_append_new(bound, json_real(study_at(study, 0, i)->bound));
    }
    for (unsigned s = 0; s < STRATEGIES; s++)
        if (is_static[s])
            json_array_append_new(rows, json_row(study, s, true));
    for (unsigned s = 0; s < STRATEGIES; s++)
        json_array_append_new(rows, json_row(study, s, false));
    json_object_set_new(root, "items", number(study->items));
    json_object_set_new(root, "weights", json_string(study->weights));
    json_object_set_new(root, "unit", json_string(units[study->unit]));
    json_object_set_new(root, "total", number(study->total));
    json_object_set_new(root, "largest", number(study->largest));
    if (study->options.is_time)
        add_options(study, root);
    json_object_set_new(root, "replicas", replicas);
    json_object_set_new(root, "bound", bound);
    json_object_set_new(root, "strategies", rows);
    json_object_set_new(root, "useful_replicas", number(useful(study)));
    json_object_set_new(root, "recommended", json_advice(study));
    look_print_json(root);
}
