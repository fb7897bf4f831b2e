/* canfar-split log: what items printed, and the job log. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "look.h"

struct choosing {
    struct cfsplit_run *run;
    uint64_t wanted; /* CFSPLIT_UNSET: the last attempt */
    bool found;
    struct cfsplit_attempt chosen;
    char by[32];
};

static cfsplit_status choose(void *context, const struct cfsplit_attempt *a, struct cfsplit_error *err)
{
    struct choosing *c = context;
    (void)err;
    bool better = c->wanted == CFSPLIT_UNSET ? !c->found || a->number >= c->chosen.number : a->number == c->wanted;
    if (!better)
        return CFSPLIT_OK;
    c->found = true;
    c->chosen = *a;
    snprintf(c->by, sizeof c->by, "%s", a->by);
    c->chosen.by = c->by;
    return CFSPLIT_OK;
}

static cfsplit_status put(void *context, const void *data, size_t length, struct cfsplit_error *err)
{
    (void)context;
    (void)err;
    fwrite(data, 1, length, stdout);
    return CFSPLIT_OK;
}

static cfsplit_status print_output(struct cfsplit_run *run, const struct cfsplit_attempt *attempt,
                                   struct cfsplit_error *err)
{
    bool torn = false;
    cfsplit_status status = cfsplit_output_read(run, attempt, put, NULL, &torn, err);
    if (torn)
        tool_say("the output of attempt %" PRIu32 " ends in the middle: its replica was lost", attempt->number);
    return status;
}

static cfsplit_status print_item(struct cfsplit_run *run, struct cfsplit_survey *survey, const struct settings *s,
                                 const char *name, struct cfsplit_error *err)
{
    struct choosing c = {.run = run, .wanted = s->attempt};
    uint64_t index;
    cfsplit_status status = cfsplit_survey_find(survey, name, &index, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_survey_attempts(survey, index, choose, &c, err);
    if (status != CFSPLIT_OK)
        return status;
    if (!c.found)
        return tool_fail(err, CFSPLIT_USAGE, "%s has not been started%s", cfsplit_quote(name).text,
                         s->attempt == CFSPLIT_UNSET ? "" : " that often");
    return print_output(run, &c.chosen, err);
}

/* GNU parallel's --joblog columns; the command is the item's, as it was planned, with the item in place of {}. */
static cfsplit_status print_joblog(void *context, const struct cfsplit_attempt *a, struct cfsplit_error *err)
{
    (void)context;
    (void)err;
    if (!a->class_word)
        return CFSPLIT_OK;
    bool by_signal = a->exit_status > 128 && a->exit_status <= 128 + 64;
    printf("%" PRIu64 "\t%s\t%.3f\t%10.3f\t0\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%s\n", a->index + 1,
           a->replica ? a->by : ":", (double)a->started_ms / 1000, (double)(a->ended_ms - a->started_ms) / 1000,
           a->output_to - a->output_from, by_signal ? 0 : a->exit_status, by_signal ? a->exit_status - 128 : 0,
           cfsplit_quote(a->name).text);
    return CFSPLIT_OK;
}

static cfsplit_status print_all(void *context, const struct cfsplit_attempt *a, struct cfsplit_error *err)
{
    struct cfsplit_run *run = context;
    printf("==> %s, attempt %" PRIu32 ": %s <==\n", cfsplit_quote(a->name).text, a->number,
           a->class_word ? a->class_word : look_open_end(a));
    return print_output(run, a, err);
}

static int run_log(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    struct cfsplit_run *run = NULL;
    struct cfsplit_survey *survey = NULL;
    cfsplit_status status = look_open(command, s, false, &run, &survey, &err);
    if (status == CFSPLIT_OK && s->joblog) {
        printf("Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n");
        status = cfsplit_survey_attempts(survey, UINT64_MAX, print_joblog, NULL, &err);
    } else if (status == CFSPLIT_OK && s->source_count < 2) {
        status = cfsplit_survey_attempts(survey, UINT64_MAX, print_all, run, &err);
    }
    for (size_t i = 1; status == CFSPLIT_OK && i < s->source_count; i++)
        status = print_item(run, survey, s, s->sources[i].text, &err);
    cfsplit_survey_free(survey);
    cfsplit_run_close(run);
    return status == CFSPLIT_OK ? 0 : tool_exit(&err);
}

const struct command command_log = {
    .name = "log",
    .bit = LOG,
    .usage = "RUN [ITEM...] [--attempt N] | RUN --joblog",
    .summary = "What an item printed, or a line for every attempt",
    .text = "Without an ITEM: everything that was printed, attempt by attempt. stdout and stderr of an item are one "
            "stream.",
    .run = run_log,
};
