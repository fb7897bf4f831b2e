/* canfar-split status and verify. */
#include "look.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue.h"
#include "roll.h"

cfsplit_status look_open(const struct command *command, const struct settings *s, bool sync, struct cfsplit_run **run,
                         struct cfsplit_survey **survey, struct cfsplit_error *err)
{
    const char *path;
    *run = NULL;
    *survey = NULL;
    cfsplit_status status = tool_run_path(command, s, &path, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_run_open(path, run, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_survey_new(*run, sync, survey, err);
    return status;
}

static cfsplit_status look_json(const struct cfsplit_run *run, struct cfsplit_survey *survey, json_t **out,
                                struct cfsplit_error *err)
{
    static const char *const keys[] = {"pending", "running", "done", "failed", "rejected", "set_aside"};
    const struct cfsplit_counts *c = cfsplit_survey_counts(survey);
    const struct cfsplit_facts *facts = cfsplit_run_facts(run);
    json_t *root = json_object();
    json_object_set_new(root, "run_id", json_string(facts->run_id));
    json_object_set_new(root, "strategy", json_string(cfsplit_strategy_word(facts->strategy)));
    json_object_set_new(root, "total", json_integer((json_int_t)c->total));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        json_object_set_new(root, keys[i], json_integer((json_int_t)c->by_state[i]));
    json_object_set_new(root, "duplicates", json_integer((json_int_t)c->duplicates));
    cfsplit_status status = roll_add_json(survey, root, err);
    if (status == CFSPLIT_OK)
        status = queue_add_json(survey, root, err);
    json_object_set_new(root, "complete", json_boolean(c->complete));
    *out = root;
    return status;
}

const char *look_open_end(const struct cfsplit_attempt *attempt)
{
    return attempt->lost ? "its replica was lost while it ran" : "no end is known";
}

json_t *look_json_name(const char *name)
{
    json_t *text = json_string(name);
    return text ? text : json_string(cfsplit_quote(name).text);
}

void look_print_json(json_t *root)
{
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(root);
}

void look_counts(const struct cfsplit_counts *c, char out[200])
{
    static const struct {
        enum cfsplit_state state;
        bool always;
    } order[] = {{CFSPLIT_DONE, true},       {CFSPLIT_REJECTED, false}, {CFSPLIT_FAILED, false},
                 {CFSPLIT_SET_ASIDE, false}, {CFSPLIT_RUNNING, false},  {CFSPLIT_PENDING, false}};
    int n = 0;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (order[i].always || c->by_state[order[i].state])
            n += snprintf(out + n, (size_t)(200 - n), "%s%" PRIu64 " %s", n ? ", " : "", c->by_state[order[i].state],
                          cfsplit_state_word(order[i].state));
}

void look_duration(double seconds, char out[32])
{
    unsigned long s = (unsigned long)seconds;
    if (s < 60)
        snprintf(out, 32, "%lu s", s);
    else if (s < 3600)
        snprintf(out, 32, "%lum %02lus", s / 60, s % 60);
    else
        snprintf(out, 32, "%luh %02lum", s / 3600, s / 60 % 60);
}

/* The rate since the first replica came, and what is left at that rate while somebody is at work. */
static void print_rate(const struct cfsplit_counts *c)
{
    uint64_t left = c->by_state[CFSPLIT_PENDING] + c->by_state[CFSPLIT_RUNNING], ended = c->total - left;
    if (ended == 0 || c->last_end_ms <= c->first_start_ms)
        return;
    double took = (double)(c->last_end_ms - c->first_start_ms) / 1000;
    char passed[32], rest[32];
    look_duration(took, passed);
    printf("  %" PRIu64 " %s ended in %s: %.1f a minute", ended, tool_items(ended), passed, (double)ended * 60 / took);
    if (left && c->working) {
        look_duration(took / (double)ended * (double)left, rest);
        printf("; about %s left", rest);
    }
    printf("\n");
}

static cfsplit_status print_status(const struct cfsplit_run *run, struct cfsplit_survey *survey,
                                   struct cfsplit_error *err)
{
    const struct cfsplit_counts *c = cfsplit_survey_counts(survey);
    const struct cfsplit_facts *facts = cfsplit_run_facts(run);
    char counts[200];
    look_counts(c, counts);
    printf("%s: %" PRIu64 " items, strategy %s\n  %s\n", facts->path, c->total, cfsplit_strategy_word(facts->strategy),
           counts);
    print_rate(c);
    cfsplit_status status = roll_print(survey, err);
    if (c->torn_bytes)
        printf("%" PRIu64 " bytes of unfinished records behind the ends of lost replicas were dropped\n",
               c->torn_bytes);
    return status;
}

static cfsplit_status show_json(const struct cfsplit_run *run, struct cfsplit_survey *survey, struct cfsplit_error *err)
{
    json_t *root = NULL;
    cfsplit_status status = look_json(run, survey, &root, err);
    if (status == CFSPLIT_OK)
        look_print_json(root);
    else
        json_decref(root);
    return status;
}

static bool has_ended(const struct cfsplit_counts *c)
{
    return c->by_state[CFSPLIT_PENDING] == 0 && c->by_state[CFSPLIT_RUNNING] == 0;
}

static int run_status(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    struct cfsplit_run *run = NULL;
    struct cfsplit_survey *survey = NULL;
    cfsplit_status status = look_open(command, s, false, &run, &survey, &err);
    while (status == CFSPLIT_OK) {
        status = s->json ? show_json(run, survey, &err) : print_status(run, survey, &err);
        if (status != CFSPLIT_OK || !s->watch || has_ended(cfsplit_survey_counts(survey)) || fflush(stdout) != 0)
            break;
        sleep(2);
        if (!s->json && isatty(STDOUT_FILENO))
            printf("\033[H\033[J");
        status = cfsplit_survey_refresh(survey, &err);
    }
    cfsplit_survey_free(survey);
    cfsplit_run_close(run);
    return status == CFSPLIT_OK ? 0 : tool_exit(&err);
}

const struct command command_status = {
    .name = "status",
    .bit = STATUS,
    .usage = "RUN [--watch] [--json]",
    .summary = "How far a run is: counts, and a roll call of its replicas",
    .run = run_status,
    .most_arguments = 1,
};

/* ---- verify */

static const char *reason_of(const struct cfsplit_item_view *view)
{
    if (view->state == CFSPLIT_RUNNING)
        return "running, or lost with its replica";
    if (view->last.number == 0)
        return "never started";
    if (!view->last.class_word)
        return "its replica was lost while it ran";
    return view->last.text[0] ? view->last.text : "it printed nothing";
}

/* Of an item that never started: whose it is. */
static cfsplit_status name_holder(struct cfsplit_survey *survey, const struct cfsplit_item_view *view, char out[64],
                                  struct cfsplit_error *err)
{
    const struct cfsplit_life_view *holder;
    snprintf(out, 64, "replica %" PRIu32, view->share);
    if (view->share)
        return CFSPLIT_OK;
    cfsplit_status status = cfsplit_survey_holder(survey, view->index, &holder, err);
    snprintf(out, 64, "%s", holder ? roll_name(holder->replica, holder->start).text : "nobody has it yet");
    return status;
}

static cfsplit_status name_open_items(struct cfsplit_survey *survey, struct cfsplit_error *err)
{
    const struct cfsplit_counts *c = cfsplit_survey_counts(survey);
    for (uint64_t i = 0; i < c->total; i++) {
        enum cfsplit_state state = cfsplit_survey_state(survey, i);
        struct cfsplit_item_view view;
        char where[64];
        if (state == CFSPLIT_DONE || state == CFSPLIT_REJECTED)
            continue;
        cfsplit_status status = cfsplit_survey_item(survey, i, &view, err);
        if (status == CFSPLIT_OK && view.last.number == 0)
            status = name_holder(survey, &view, where, err);
        else
            snprintf(where, sizeof where, "attempt %" PRIu32, view.last.number);
        if (status != CFSPLIT_OK)
            return status;
        printf("%s: %s (%s): %s\n", cfsplit_state_word(state), cfsplit_quote(view.item.name).text, where,
               reason_of(&view));
    }
    return CFSPLIT_OK;
}

void look_verdict(const struct cfsplit_run *run, const struct cfsplit_survey *survey, char out[400])
{
    const struct cfsplit_counts *c = cfsplit_survey_counts(survey);
    char counts[200];
    look_counts(c, counts);
    if (c->complete)
        snprintf(out, 400, "complete: %" PRIu64 " of %" PRIu64 " items accounted for: %s", c->total, c->total, counts);
    else
        snprintf(out, 400, "incomplete: %s; see: canfar-split items %.150s --state %s", counts,
                 tool_word(cfsplit_run_facts(run)->path).text,
                 cfsplit_state_word(c->by_state[CFSPLIT_FAILED]      ? CFSPLIT_FAILED
                                    : c->by_state[CFSPLIT_SET_ASIDE] ? CFSPLIT_SET_ASIDE
                                    : c->by_state[CFSPLIT_PENDING]   ? CFSPLIT_PENDING
                                                                     : CFSPLIT_RUNNING));
}

static cfsplit_status print_verdict(const struct cfsplit_run *run, struct cfsplit_survey *survey,
                                    struct cfsplit_error *err)
{
    const struct cfsplit_counts *c = cfsplit_survey_counts(survey);
    char verdict[400];
    cfsplit_status status = name_open_items(survey, err);
    if (status == CFSPLIT_OK)
        status = roll_print_gone(survey, err);
    if (status != CFSPLIT_OK)
        return status;
    if (c->duplicates)
        printf("%" PRIu64 " items were done more than once\n", c->duplicates);
    look_verdict(run, survey, verdict);
    printf("%s\n", verdict);
    return status;
}

static int run_verify(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    struct cfsplit_run *run = NULL;
    struct cfsplit_survey *survey = NULL;
    int code = 0;
    cfsplit_status status = look_open(command, s, true, &run, &survey, &err);
    if (status == CFSPLIT_OK)
        status = cfsplit_run_check(run, &err);
    if (status == CFSPLIT_OK && s->json)
        status = show_json(run, survey, &err);
    else if (status == CFSPLIT_OK)
        status = print_verdict(run, survey, &err);
    if (status == CFSPLIT_OK && (!cfsplit_survey_counts(survey)->complete || cfsplit_survey_counts(survey)->duplicates))
        code = cfsplit_status_exit_code(CFSPLIT_INCOMPLETE);
    cfsplit_survey_free(survey);
    cfsplit_run_close(run);
    return status == CFSPLIT_OK ? code : tool_exit(&err);
}

const struct command command_verify = {
    .name = "verify",
    .bit = VERIFY,
    .usage = "RUN [--json]",
    .summary = "Proves that every item is accounted for: exit 0 only if the run is complete",
    .text = "Names every item that is neither done nor rejected, and why. Exit codes: 0 complete, 1 not complete, 3 "
            "damaged.",
    .run = run_verify,
    .most_arguments = 1,
};
