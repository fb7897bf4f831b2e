/* canfar-split plan, and planning on behalf of run. */
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
                                             .options = s->run};
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

/* Reads the list as it looks from --cwd, where the command will find the items. */
static cfsplit_status list_from_cwd(struct settings *s, size_t first, bool weighed, struct cfsplit_list **list,
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

cfsplit_status plan_make(struct settings *s, const char *path, size_t first_source, uint64_t replicas, bool lenient,
                         bool *created, struct cfsplit_error *err)
{
    struct cfsplit_plan_request request;
    struct cfsplit_list *list = NULL;
    *created = false;
    cfsplit_status status = plan_request(s, replicas, &request, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_command_check(s->command, s->command_count, &request.options, err);
    if (status == CFSPLIT_OK)
        status = list_from_cwd(s, first_source, request.strategy == CFSPLIT_SIZE && !lenient, &list, err);
    if (status == CFSPLIT_OK && lenient && !s->weights && request.strategy == CFSPLIT_SIZE &&
        cfsplit_list_weigh(list, NULL) != CFSPLIT_OK)
        tool_say("not every item is a file: all of them weigh 1");
    if (status == CFSPLIT_OK)
        status = cfsplit_plan(path, list, &request, created, err);
    cfsplit_list_free(list);
    return status;
}

static int run_plan(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    struct cfsplit_run *run = NULL;
    const char *path;
    bool created = false;
    cfsplit_status status = tool_run_path(command, s, &path, &err);
    if (status == CFSPLIT_OK && s->replicas == CFSPLIT_UNSET)
        status = tool_fail(&err, CFSPLIT_USAGE, "plan: among how many replicas? --replicas N");
    if (status == CFSPLIT_OK)
        status = plan_make(s, path, 1, s->replicas, false, &created, &err);
    if (status == CFSPLIT_OK)
        status = cfsplit_run_open(path, &run, &err);
    if (status != CFSPLIT_OK)
        return tool_exit(&err);
    const struct cfsplit_facts *facts = cfsplit_run_facts(run);
    if (created)
        tool_say("%s: %" PRIu64 " %s for %" PRIu32 " %s by %s; to run it: canfar-split launch %s --on local", path,
                 facts->items, tool_items(facts->items), facts->replicas, facts->replicas == 1 ? "replica" : "replicas",
                 cfsplit_strategy_word(facts->strategy), tool_word(path).text);
    else
        tool_say("%s: already planned", path);
    cfsplit_run_close(run);
    return 0;
}

const struct command command_plan = {
    .name = "plan",
    .bit = PLAN,
    .usage = "RUN [ITEM...] --replicas N [-- COMMAND...]",
    .summary = "Freezes a list, a strategy and a command in the run directory RUN",
    .text = "Items are arguments, quoted patterns, --from and -r, in the order given. COMMAND is started once for each "
            "item, without\n"
            "a shell; in it {} is the item, {/} its basename, {//} its folder, {.} and {/.} these without extension, "
            "{#} its\n"
            "number; without any of these the item comes last. With --keep it is started once for each item at a time, "
            "reads them "
            "one a line and\n"
            "answers each with a line: done, failed TEXT or rejected TEXT. The same plan again is no error.",
    .run = run_plan,
};
