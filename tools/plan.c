/* canfar-split plan, and planning on behalf of run. */
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_list.h"
#include "times.h"

cfsplit_status plan_request(const struct settings *s, uint64_t replicas, struct cfsplit_plan_request *request,
                            struct cfsplit_error *err)
{
    *request = (struct cfsplit_plan_request){.size = sizeof *request,
                                             .strategy = CFSPLIT_SIZE,
                                             .group = s->group,
                                             .replicas = replicas,
                                             .cwd = s->cwd,
                                             .command = (const char *const *)s->command,
                                             .command_count = s->command_count,
                                             .options = s->run,
                                             .weights = s->weights};
    return s->strategy ? cfsplit_strategy_find(s->strategy, &request->strategy, err) : CFSPLIT_OK;
}

/* Files named by --from are found from where we are, whatever --cwd says. */
static cfsplit_status anchor_files(struct settings *s, struct cfsplit_error *err)
{
    char *here = getcwd(NULL, 0);
    cfsplit_status status =
        here ? CFSPLIT_OK : tool_fail(err, CFSPLIT_USAGE, "cannot tell the working directory: %s", strerror(errno));
    for (size_t i = 0; status == CFSPLIT_OK && i < s->source_count; i++) {
        struct source *source = &s->sources[i];
        if (source->kind != SOURCE_IS_FILE || source->text[0] == '/' || strcmp(source->text, "-") == 0)
            continue;
        if (asprintf(&source->owned, "%s/%s", here, source->text) < 0) {
            source->owned = NULL;
            status = tool_fail(err, CFSPLIT_MEMORY, "out of memory");
        } else {
            source->text = source->owned;
        }
    }
    free(here);
    return status;
}

cfsplit_status plan_list(struct settings *s, size_t first, bool weighed, struct cfsplit_list **list,
                         struct cfsplit_error *err)
{
    if (!s->cwd)
        return tool_list(s, first, weighed, true, list, err);
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cfsplit_status status = anchor_files(s, err);
    if (status == CFSPLIT_OK && (here < 0 || chdir(s->cwd) != 0))
        status = tool_fail(err, CFSPLIT_USAGE, "cannot use %s as the working directory: %s", cfsplit_quote(s->cwd).text,
                           strerror(errno));
    if (status == CFSPLIT_OK) {
        status = tool_list(s, first, weighed, true, list, err);
        if (fchdir(here) != 0 && status == CFSPLIT_OK)
            status = tool_fail(err, CFSPLIT_USAGE, "cannot go back to the working directory: %s", strerror(errno));
    }
    if (here >= 0)
        close(here);
    return status;
}

/* These weigh files where all items are files, and else every item as 1. */
static bool takes_what_there_is(enum cfsplit_strategy strategy)
{
    return strategy == CFSPLIT_BLOCKS || strategy == CFSPLIT_QUEUE;
}

/* size must know what files weigh, unless the caller is lenient. */
static cfsplit_status weighed_list(struct settings *s, size_t first_source, enum cfsplit_strategy strategy,
                                   bool lenient, struct cfsplit_list **list, struct cfsplit_error *err)
{
    bool may = takes_what_there_is(strategy) || (strategy == CFSPLIT_SIZE && lenient);
    cfsplit_status status = plan_list(s, first_source, strategy == CFSPLIT_SIZE && !lenient, list, err);
    if (status == CFSPLIT_OK && may && !s->weights && cfsplit_list_weigh(*list, NULL) != CFSPLIT_OK)
        tool_say("not every item is a file: all of them weigh 1");
    return status;
}

cfsplit_status plan_make(struct settings *s, const char *path, size_t first_source, uint64_t replicas, bool lenient,
                         bool *created, struct cfsplit_error *err)
{
    struct cfsplit_plan_request request;
    struct cfsplit_list *list = NULL;
    *created = false;
    cfsplit_status status = times_anchor(s, err);
    if (status == CFSPLIT_OK)
        status = plan_request(s, replicas, &request, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_command_check(s->command, s->command_count, &request.options, err);
    if (status == CFSPLIT_OK)
        status = weighed_list(s, first_source, request.strategy, lenient, &list, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_plan(path, list, &request, created, err);
    cfsplit_list_free(list);
    return status;
}

static void tell_added(const struct cfsplit_run *run, uint64_t added)
{
    const struct cfsplit_facts *facts = cfsplit_run_facts(run);
    if (added)
        tool_say("%s: %" PRIu64 " %s added, %" PRIu64 " in all; replicas at work take them up; to start some: "
                 "canfar-split launch %s --on local",
                 facts->path, added, tool_items(added), facts->items, tool_word(facts->path).text);
    else
        tool_say("%s: nothing is new, %" PRIu64 " %s in all", facts->path, facts->items, tool_items(facts->items));
}

/* --extend and --check-list: all that is said of a run but its items is as it was planned. */
static cfsplit_status check_items_only(const struct settings *s, struct cfsplit_error *err)
{
    const char *what_it_does = s->extend ? "--extend only adds items to" : "--check-list only compares items with";
    const char *given = NULL;
    const struct {
        bool given;
        const char *what;
    } no_meaning[] = {{s->command_count > 0, "a command"},
                      {s->strategy, "--strategy"},
                      {s->extend && s->cwd, "--cwd"},
                      {s->replicas != CFSPLIT_UNSET, "--replicas"},
                      {s->group, "--group"},
                      {s->extend && s->check_list, "--check-list"}};
    for (size_t i = 0; !given && i < sizeof no_meaning / sizeof no_meaning[0]; i++)
        if (no_meaning[i].given)
            given = no_meaning[i].what;
    const char *dashes = given ? "" : "--";
    for (size_t i = 0; !given && i < s->passed_count; i++)
        if (strcmp(s->passed[i].name, "null") != 0) /* -0 is for --from here */
            given = s->passed[i].name;
    return !given ? CFSPLIT_OK
                  : tool_fail(err, CFSPLIT_USAGE, "plan %s what is planned: %s%s has no meaning with it", what_it_does,
                              dashes, given);
}

/* What `--weights` says if it is not given. */
static const char *weights_of(const char *word, enum cfsplit_strategy strategy)
{
    return word && *word ? word : strategy == CFSPLIT_SIZE ? "stat" : takes_what_there_is(strategy) ? "" : "none";
}

cfsplit_status plan_same_weights(const struct settings *s, const struct cfsplit_facts *facts, struct cfsplit_error *err)
{
    const char *planned = weights_of(facts->weights, facts->strategy);
    if (s->weights && strcmp(weights_of(s->weights, facts->strategy), planned) != 0)
        return tool_fail(err, CFSPLIT_USAGE, "%s was planned %s%s, not with --weights %s", facts->path,
                         *planned ? "with --weights " : "without --weights", planned, s->weights);
    return CFSPLIT_OK;
}

/* plan --extend: the items of the sources that the run does not have yet are added to it. */
static int extend(struct settings *s, const char *path)
{
    struct cfsplit_error err = {0};
    struct cfsplit_run *run = NULL;
    struct cfsplit_list *list = NULL;
    uint64_t added = 0;
    cfsplit_status status = times_anchor(s, &err);
    if (status == CFSPLIT_OK)
        status = cfsplit_run_open(path, &run, &err);
    if (status == CFSPLIT_OK)
        status = plan_same_weights(s, cfsplit_run_facts(run), &err);
    if (status == CFSPLIT_OK) {
        s->cwd = cfsplit_run_facts(run)->cwd;
        if (*cfsplit_run_facts(run)->weights)
            s->weights = cfsplit_run_facts(run)->weights;
        status = weighed_list(s, 1, cfsplit_run_facts(run)->strategy, false, &list, &err);
    }
    if (status == CFSPLIT_OK)
        status = cfsplit_extend(run, list, &added, &err);
    if (status == CFSPLIT_OK)
        tell_added(run, added);
    cfsplit_list_free(list);
    cfsplit_run_close(run);
    return status == CFSPLIT_OK ? 0 : tool_exit(&err);
}

static void tell_planned(const struct cfsplit_run *run, const char *path)
{
    const struct cfsplit_facts *facts = cfsplit_run_facts(run);
    char how[640] = "without a command: for programs that link the library";
    if (facts->command_count > 0)
        snprintf(how, sizeof how, "to run it: canfar-split launch %s --on local", tool_word(path).text);
    tool_say("%s: %" PRIu64 " %s for %" PRIu32 " %s by %s; %s", path, facts->items, tool_items(facts->items),
             facts->replicas, facts->replicas == 1 ? "replica" : "replicas", cfsplit_strategy_word(facts->strategy),
             how);
}

static int make(struct settings *s, const char *path)
{
    struct cfsplit_error err = {0};
    struct cfsplit_run *run = NULL;
    bool created = false;
    cfsplit_status status = CFSPLIT_OK;
    if (s->replicas == CFSPLIT_UNSET)
        status = tool_fail(&err, CFSPLIT_USAGE, "plan: among how many replicas? --replicas N");
    if (status == CFSPLIT_OK)
        status = plan_make(s, path, 1, s->replicas, false, &created, &err);
    if (status == CFSPLIT_OK)
        status = cfsplit_run_open(path, &run, &err);
    if (status != CFSPLIT_OK)
        return tool_exit(&err);
    if (created)
        tell_planned(run, path);
    else
        tool_say("%s: already planned", path);
    cfsplit_run_close(run);
    return 0;
}

static int run_plan(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    const char *path;
    cfsplit_status status = tool_run_path(command, s, &path, &err);
    if (status == CFSPLIT_OK && (s->extend || s->check_list))
        status = check_items_only(s, &err);
    if (status != CFSPLIT_OK)
        return tool_exit(&err);
    return s->extend ? extend(s, path) : s->check_list ? check_list(s, path) : make(s, path);
}

const struct command command_plan = {
    .name = "plan",
    .bit = PLAN,
    .usage = "RUN [ITEM...] --replicas N [-- COMMAND...]",
    .summary = "Freezes a list, a strategy and a command in the run directory RUN",
    .text =
        "Items are arguments, quoted patterns, --from and -r, in the order given. COMMAND is started once for each "
        "item, without\n"
        "a shell; in it {} is the item, {/} its basename, {//} its folder, {.} and {/.} these without extension, "
        "{#} its\n"
        "number; without any of these the item comes last. With --keep it is started once for each item at a time, "
        "reads "
        "them one\n"
        "a line and answers each with a line: done, failed TEXT or rejected TEXT. Without COMMAND the run is for "
        "programs "
        "that\n"
        "link the library.\n"
        "--weights run:OTHER weighs each item by the time it took in the run OTHER, and by the median what OTHER has "
        "not "
        "ended.\n"
        "The same plan again is no error. --check-list RUN ITEM... plans nothing: it looks whether the sources still "
        "give the\n"
        "list of RUN, and exits with 1 if items are new or gone.\n"
        "--extend adds the items of the sources that RUN does not have yet, weighed as its own were; it may be at "
        "work.",
    .run = run_plan,
};
