#include "check_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "times.h"

struct difference {
    uint64_t count;
    const char *first; /* by its bytes */
};

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of a list, sorted; the list's. */
static const char **sorted_names(const struct cfsplit_list *list, struct cfsplit_error *err)
{
    uint64_t count = cfsplit_list_count(list);
    const char **names = malloc((count + 1) * sizeof *names);
    if (!names) {
        tool_fail(err, CFSPLIT_MEMORY, "out of memory");
        return NULL;
    }
    for (uint64_t i = 0; i < count; i++)
        names[i] = cfsplit_list_at(list, i).name;
    names[count] = NULL;
    qsort(names, count, sizeof *names, by_bytes);
    return names;
}

static cfsplit_status planned_list(struct cfsplit_survey *survey, struct cfsplit_list *list, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    uint64_t total = cfsplit_survey_counts(survey)->total;
    for (uint64_t i = 0; status == CFSPLIT_OK && i < total; i++) {
        struct cfsplit_item_view view;
        status = cfsplit_survey_item(survey, i, &view, err);
        if (status == CFSPLIT_OK)
            status = cfsplit_list_add(list, view.item.name, view.item.length, 0, err);
    }
    return status;
}

static void count_one(struct difference *d, const char *name)
{
    if (d->count++ == 0)
        d->first = name;
}

/* Goes through both in step; a name that occurs twice in one must do so in the other. */
static void compare(const char **now, const char **planned, struct difference *added, struct difference *gone)
{
    while (*now || *planned) {
        int order = !*now ? 1 : !*planned ? -1 : strcmp(*now, *planned);
        if (order < 0)
            count_one(added, *now);
        if (order > 0)
            count_one(gone, *planned);
        now += order <= 0;
        planned += order >= 0;
    }
}

static int tell(const char *path, uint64_t total, const struct difference *added, const struct difference *gone)
{
    if (added->count)
        tool_say("%s: %" PRIu64 " %s not in the plan, the first is %s", path, added->count,
                 added->count == 1 ? "item is" : "items are", cfsplit_quote(added->first).text);
    if (gone->count)
        tool_say("%s: %" PRIu64 " planned %s gone from the sources, the first is %s", path, gone->count,
                 gone->count == 1 ? "item is" : "items are", cfsplit_quote(gone->first).text);
    if (added->count || gone->count)
        return cfsplit_status_exit_code(CFSPLIT_INCOMPLETE);
    tool_say("%s: the sources give the %" PRIu64 " %s that were planned", path, total, tool_items(total));
    return 0;
}

int check_list(struct settings *s, const char *path)
{
    struct cfsplit_error err = {0};
    struct cfsplit_run *run = NULL;
    struct cfsplit_survey *survey = NULL;
    struct cfsplit_list *now = NULL, *planned = NULL;
    const char **now_names = NULL, **planned_names = NULL;
    struct difference added = {0}, gone = {0};
    bool none =
        s->weights && strcmp(s->weights, "none") == 0; /* a list without weights: names are all that is compared */
    cfsplit_status status = times_anchor(s, &err);
    if (status == CFSPLIT_OK)
        status = cfsplit_run_open(path, &run, &err);
    if (status == CFSPLIT_OK)
        status = none ? CFSPLIT_OK : plan_same_weights(s, cfsplit_run_facts(run), &err);
    if (status == CFSPLIT_OK) {
        bool column = !none && strcmp(cfsplit_run_facts(run)->weights, "column") == 0;
        s->weights = column ? "column" : NULL; /* lists are read so; what the items weigh is not compared */
        if (!s->cwd)
            s->cwd = cfsplit_run_facts(run)->cwd;
    }
    if (status == CFSPLIT_OK)
        status = plan_list(s, 1, false, &now, &err);
    if (status == CFSPLIT_OK)
        status = cfsplit_survey_new(run, false, &survey, &err);
    if (status == CFSPLIT_OK)
        status = cfsplit_list_new(&planned, &err);
    if (status == CFSPLIT_OK)
        status = planned_list(survey, planned, &err);
    if (status == CFSPLIT_OK) {
        now_names = sorted_names(now, &err);
        planned_names = sorted_names(planned, &err);
        status = now_names && planned_names ? CFSPLIT_OK : CFSPLIT_MEMORY;
    }
    int code;
    if (status == CFSPLIT_OK) {
        compare(now_names, planned_names, &added, &gone);
        code = tell(path, cfsplit_list_count(planned), &added, &gone);
    } else {
        code = tool_exit(&err);
    }
    free(now_names);
    free(planned_names);
    cfsplit_list_free(now);
    cfsplit_list_free(planned);
    cfsplit_survey_free(survey);
    cfsplit_run_close(run);
    return code;
}
