/* canfar-split items, explain and retry: single items of a run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "look.h"
#include "roll.h"

static json_t *json_item(const struct cfsplit_item_view *v)
{
    json_t *o = json_object();
    json_object_set_new(o, "item", look_json_name(v->item.name));
    json_object_set_new(o, "number", json_integer((json_int_t)v->index + 1));
    json_object_set_new(o, "state", json_string(cfsplit_state_word(v->state)));
    json_object_set_new(o, "weight", json_integer((json_int_t)v->item.weight));
    json_object_set_new(o, "share", json_integer(v->share));
    json_object_set_new(o, "attempts", json_integer(v->last.number));
    if (v->last.class_word) {
        json_object_set_new(o, "class", json_string(v->last.class_word));
        json_object_set_new(o, "exit", json_integer((json_int_t)v->last.exit_status));
        json_object_set_new(o, "reason", look_json_name(v->last.text));
    }
    return o;
}

static cfsplit_status print_item(struct cfsplit_survey *survey, const struct settings *s, uint64_t i,
                                 struct cfsplit_error *err)
{
    struct cfsplit_item_view view;
    cfsplit_status status = cfsplit_survey_item(survey, i, &view, err);
    if (status != CFSPLIT_OK)
        return status;
    if (s->json) {
        json_t *o = json_item(&view);
        json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        json_decref(o);
        putchar('\n');
        return status;
    }
    fwrite(view.item.name, 1, view.item.length, stdout);
    if (s->why)
        printf("\t%s", view.last.text);
    putchar(s->null ? '\0' : '\n');
    return status;
}

/* A name with a newline would be read as two: nothing is printed then. */
static cfsplit_status check_names(struct cfsplit_survey *survey, const struct settings *s, enum cfsplit_state wanted,
                                  struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    for (uint64_t i = 0; status == CFSPLIT_OK && i < cfsplit_survey_counts(survey)->total; i++) {
        struct cfsplit_item_view view;
        if (s->state && cfsplit_survey_state(survey, i) != wanted)
            continue;
        status = cfsplit_survey_item(survey, i, &view, err);
        if (status == CFSPLIT_OK && strchr(view.item.name, '\n'))
            status = tool_fail(err, CFSPLIT_USAGE, "%s has a newline in its name: use -0",
                               cfsplit_quote(view.item.name).text);
    }
    return status;
}

static int run_items(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    struct cfsplit_run *run;
    struct cfsplit_survey *survey;
    enum cfsplit_state wanted = CFSPLIT_PENDING;
    cfsplit_status status = look_open(command, s, true, &run, &survey, &err);
    if (status == CFSPLIT_OK && s->state)
        status = cfsplit_state_find(s->state, &wanted, &err);
    if (status == CFSPLIT_OK && !s->null && !s->json)
        status = check_names(survey, s, wanted, &err);
    for (uint64_t i = 0; status == CFSPLIT_OK && i < cfsplit_survey_counts(survey)->total; i++)
        if (!s->state || cfsplit_survey_state(survey, i) == wanted)
            status = print_item(survey, s, i, &err);
    cfsplit_survey_free(survey);
    cfsplit_run_close(run);
    return status == CFSPLIT_OK ? 0 : tool_exit(&err);
}

const struct command command_items = {
    .name = "items",
    .bit = ITEMS,
    .usage = "RUN [--state STATE] [--why] [-0] [--json]",
    .summary = "The items of a run that are in a state, ready to pipe",
    .text = "In the order of the frozen list. --json prints one object a line.",
    .run = run_items,
    .most_arguments = 1,
};

/* ---- explain */

static void print_when(uint64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &tm));
    printf("%s", text);
}

static void print_attempt(const struct cfsplit_attempt *a)
{
    printf("  attempt %" PRIu32 ": ", a->number);
    print_when(a->started_ms);
    if (a->replica)
        printf(", replica %" PRIu32, a->replica);
    else
        printf(", a spare");
    if (!a->class_word)
        printf(": %s%s", look_open_end(a), a->lost && a->alone ? " alone" : "");
    else
        printf(": %s (exit %" PRIu64 ") after %.3f s, %.3f s of processor, %" PRIu64 " MiB", a->class_word,
               a->exit_status, (double)(a->ended_ms - a->started_ms) / 1000, (double)a->cpu_ms / 1000,
               a->rss_kib / 1024);
    printf("%s%s\n", a->text[0] ? ": " : "", a->text);
}

/* Journals come replica by replica; people want attempts in order. */
struct attempts {
    struct cfsplit_attempt *at; /* each text is a copy */
    size_t count;
};

static cfsplit_status keep_attempt(void *context, const struct cfsplit_attempt *a, struct cfsplit_error *err)
{
    struct attempts *all = context;
    struct cfsplit_attempt *more = realloc(all->at, (all->count + 1) * sizeof *more);
    char *text = strdup(a->text);
    if (more)
        all->at = more;
    if (!more || !text) {
        free(text);
        return tool_fail(err, CFSPLIT_MEMORY, "out of memory");
    }
    size_t i = all->count++;
    for (; i > 0 && more[i - 1].number > a->number; i--)
        more[i] = more[i - 1];
    more[i] = *a;
    more[i].text = text;
    return CFSPLIT_OK;
}

static cfsplit_status print_attempts(struct cfsplit_survey *survey, uint64_t index, struct cfsplit_error *err)
{
    struct attempts all = {0};
    cfsplit_status status = cfsplit_survey_attempts(survey, index, keep_attempt, &all, err);
    for (size_t i = 0; i < all.count; i++) {
        if (status == CFSPLIT_OK)
            print_attempt(&all.at[i]);
        char *text;
        memcpy(&text, &all.at[i].text, sizeof text); /* ours, though the struct says const */
        free(text);
    }
    free(all.at);
    return status;
}

/* The life that made an attempt: "replica 3 (second start)". */
static struct roll_name name_of(const struct cfsplit_survey *survey, const struct cfsplit_attempt *a)
{
    size_t count;
    const struct cfsplit_life_view *lives = cfsplit_survey_lives(survey, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(lives[i].name, a->by) == 0)
            return roll_name(lives[i].replica, lives[i].start);
    return roll_name(a->replica, 1);
}

/* A queue hands out items: who has one is known once it has started. */
static const char *say_runner(const struct cfsplit_item_view *view)
{
    return view->state == CFSPLIT_RUNNING ? "runs it" : view->state == CFSPLIT_PENDING ? "had it last" : "ran it";
}

/* "strategy stripe gave it to replica 2 of 3"; a block is for whoever takes it. */
static cfsplit_status print_share(const struct cfsplit_facts *facts, struct cfsplit_survey *survey,
                                  const struct cfsplit_item_view *view, struct cfsplit_error *err)
{
    const char *strategy = cfsplit_strategy_word(facts->strategy);
    const struct cfsplit_life_view *holder = NULL;
    cfsplit_status status = view->share ? CFSPLIT_OK : cfsplit_survey_holder(survey, view->index, &holder, err);
    if (view->share)
        printf("strategy %s gave it to replica %" PRIu32 " of %" PRIu32 "\n", strategy, view->share, facts->replicas);
    else if (status == CFSPLIT_OK && facts->strategy == CFSPLIT_QUEUE && view->last.number)
        printf("strategy %s: %s %s\n", strategy, name_of(survey, &view->last).text, say_runner(view));
    else if (holder)
        printf("strategy %s: %s has its block\n", strategy, roll_name(holder->replica, holder->start).text);
    else if (status == CFSPLIT_OK)
        printf("strategy %s: %s\n", strategy,
               view->state == CFSPLIT_PENDING ? "nobody has it yet" : "who took its block has left");
    return status;
}

static cfsplit_status explain(struct cfsplit_run *run, struct cfsplit_survey *survey, uint64_t index, bool json,
                              struct cfsplit_error *err)
{
    struct cfsplit_item_view view;
    const struct cfsplit_facts *facts = cfsplit_run_facts(run);
    cfsplit_status status = cfsplit_survey_item(survey, index, &view, err);
    if (status != CFSPLIT_OK)
        return status;
    if (json) {
        look_print_json(json_item(&view));
        return status;
    }
    printf("%s: %s\n  item %" PRIu64 " of %" PRIu64 ", weight %" PRIu64 "; ", cfsplit_quote(view.item.name).text,
           cfsplit_state_word(view.state), index + 1, facts->items, view.item.weight);
    status = print_share(facts, survey, &view, err);
    if (status != CFSPLIT_OK)
        return status;
    if (view.last.number == 0)
        printf("  never started\n");
    if (view.state == CFSPLIT_SET_ASIDE)
        printf("  set aside: it %s\n", view.last.text);
    return print_attempts(survey, index, err);
}

static int run_explain(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    struct cfsplit_run *run;
    struct cfsplit_survey *survey;
    cfsplit_status status = look_open(command, s, false, &run, &survey, &err);
    if (status == CFSPLIT_OK && s->source_count < 2)
        status = tool_fail(&err, CFSPLIT_USAGE, "explain: which item? canfar-split explain %s", command->usage);
    for (size_t i = 1; status == CFSPLIT_OK && i < s->source_count; i++) {
        uint64_t index;
        status = cfsplit_survey_find(survey, s->sources[i].text, &index, &err);
        if (status == CFSPLIT_OK)
            status = explain(run, survey, index, s->json, &err);
    }
    cfsplit_survey_free(survey);
    cfsplit_run_close(run);
    return status == CFSPLIT_OK ? 0 : tool_exit(&err);
}

const struct command command_explain = {
    .name = "explain",
    .bit = EXPLAIN,
    .usage = "RUN ITEM... [--json]",
    .summary = "Who gets an item and why, and what happened to it so far",
    .run = run_explain,
};

/* ---- retry */

/* Only these two states can be left. */
static cfsplit_status wanted_state(const struct settings *s, enum cfsplit_state *wanted, struct cfsplit_error *err)
{
    *wanted = CFSPLIT_FAILED;
    if (!s->state)
        return CFSPLIT_OK;
    if (s->source_count > 1)
        return tool_fail(err, CFSPLIT_USAGE,
                         "retry: items by their names, or all in a state: --state %s has no meaning with names",
                         s->state);
    cfsplit_status status = cfsplit_state_find(s->state, wanted, err);
    if (status == CFSPLIT_OK && *wanted != CFSPLIT_FAILED && *wanted != CFSPLIT_SET_ASIDE)
        status = tool_fail(err, CFSPLIT_USAGE,
                           "retry: only what has failed or was set aside can run again: --state failed or --state "
                           "set-aside, not %s",
                           s->state);
    return status;
}

static cfsplit_status chosen(struct cfsplit_survey *survey, const struct settings *s, uint64_t *indices,
                             uint64_t *count, struct cfsplit_error *err)
{
    enum cfsplit_state wanted;
    cfsplit_status status = wanted_state(s, &wanted, err);
    *count = 0;
    for (size_t i = 1; status == CFSPLIT_OK && i < s->source_count; i++, (*count)++)
        status = cfsplit_survey_find(survey, s->sources[i].text, &indices[*count], err);
    for (uint64_t i = 0; status == CFSPLIT_OK && s->source_count == 1 && i < cfsplit_survey_counts(survey)->total;
         i++) {
        enum cfsplit_state state = cfsplit_survey_state(survey, i);
        if (s->state ? state == wanted : state == CFSPLIT_FAILED || state == CFSPLIT_SET_ASIDE)
            indices[(*count)++] = i;
    }
    return status;
}

static int run_retry(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    struct cfsplit_run *run;
    struct cfsplit_survey *survey;
    uint64_t *indices = NULL, asked = 0, opened = 0;
    cfsplit_status status = look_open(command, s, true, &run, &survey, &err);
    if (status == CFSPLIT_OK) {
        indices = calloc(cfsplit_survey_counts(survey)->total + s->source_count, sizeof *indices);
        status = indices ? chosen(survey, s, indices, &asked, &err) : tool_fail(&err, CFSPLIT_MEMORY, "out of memory");
    }
    if (status == CFSPLIT_OK)
        status = cfsplit_retry(survey, indices, asked, &opened, &err);
    if (status == CFSPLIT_OK)
        tool_say(opened ? "%" PRIu64 " %s open again; to run: canfar-split launch %s --on local"
                        : "%" PRIu64 " %s of %s open again: none had failed",
                 opened, tool_items(opened), tool_word(cfsplit_run_facts(run)->path).text);
    free(indices);
    cfsplit_survey_free(survey);
    cfsplit_run_close(run);
    return status == CFSPLIT_OK ? 0 : tool_exit(&err);
}

const struct command command_retry = {
    .name = "retry",
    .bit = RETRY,
    .usage = "RUN [ITEM...|--state failed|set-aside]",
    .summary = "Lets failed and set-aside items run again",
    .text = "Items that are done or rejected stay so. Replicas at work pick them up; else run or launch again.",
    .run = run_retry,
};

/* ---- stop */

static int run_stop(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    struct cfsplit_run *run = NULL;
    const char *path;
    cfsplit_status status = tool_run_path(command, s, &path, &err);
    if (status == CFSPLIT_OK)
        status = cfsplit_run_open(path, &run, &err);
    if (status == CFSPLIT_OK)
        status = cfsplit_stop(run, s->now, &err);
    cfsplit_run_close(run);
    if (status != CFSPLIT_OK)
        return tool_exit(&err);
    tool_say("all replicas that are at work now will %s and take no more; to go on later, run it again",
             s->now ? "end what they run" : "finish what they run");
    return 0;
}

const struct command command_stop = {
    .name = "stop",
    .bit = STOP,
    .usage = "RUN [--now]",
    .summary = "Tells all replicas at work to finish what runs and take no more",
    .text = "Nothing is lost: run it again to go on. Replicas that start later are not stopped.",
    .run = run_stop,
    .most_arguments = 1,
};
