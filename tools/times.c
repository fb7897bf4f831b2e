#include "times.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "run:";

const char *times_run(const char *word)
{
    return word && strncmp(word, prefix, sizeof prefix - 1) == 0 ? word + sizeof prefix - 1 : NULL;
}

cfsplit_status times_anchor(struct settings *s, struct cfsplit_error *err)
{
    const char *path = times_run(s->weights);
    char *whole = path ? realpath(path, NULL) : NULL;
    if (!whole) /* whoever opens it says what is wrong with it */
        return CFSPLIT_OK;
    char *word = NULL;
    int made = asprintf(&word, "%s%s", prefix, whole);
    free(whole);
    if (made < 0)
        return tool_fail(err, CFSPLIT_MEMORY, "out of memory");
    free(s->weights_owned);
    s->weights = s->weights_owned = word;
    return CFSPLIT_OK;
}

static cfsplit_status read_survey(const char *path, struct cfsplit_survey *survey, const struct cfsplit_list *list,
                                  uint64_t *took_ms, struct cfsplit_error *err)
{
    uint64_t unknown, n = cfsplit_list_count(list);
    cfsplit_status status = cfsplit_survey_times(survey, list, took_ms, &unknown, err);
    if (status == CFSPLIT_OK && unknown == n && n > 1)
        tool_say("%s has no time of any of these %" PRIu64
                 " items, and all weigh the median of its own: are they named "
                 "as they are there?",
                 path, n);
    else if (status == CFSPLIT_OK && unknown > 0)
        tool_say("%s has no time of %" PRIu64 " of %" PRIu64 " %s: the median of the others is taken", path, unknown, n,
                 tool_items(n));
    return status;
}

cfsplit_status times_read(const char *path, const struct cfsplit_list *list, uint64_t **took_ms,
                          struct cfsplit_error *err)
{
    struct cfsplit_run *run = NULL;
    struct cfsplit_survey *survey = NULL;
    cfsplit_status status = CFSPLIT_OK;
    *took_ms = malloc((size_t)(cfsplit_list_count(list) + 1) * sizeof **took_ms);
    if (!*took_ms)
        status = tool_fail(err, CFSPLIT_MEMORY, "out of memory");
    if (status == CFSPLIT_OK)
        status = cfsplit_run_open(path, &run, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_survey_new(run, false, &survey, err);
    if (status == CFSPLIT_OK)
        status = read_survey(path, survey, list, *took_ms, err);
    cfsplit_survey_free(survey);
    cfsplit_run_close(run);
    return status;
}

cfsplit_status times_weigh(const char *path, struct cfsplit_list *list, struct cfsplit_error *err)
{
    uint64_t *took_ms = NULL;
    cfsplit_status status = times_read(path, list, &took_ms, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_list_set_weights(list, took_ms, err);
    free(took_ms);
    return status;
}
