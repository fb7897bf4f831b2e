/* How long the items of a run took. */
#include <stdlib.h>

#include "base/error.h"
#include "rundir/known.h"
#include "view/survey.h"

struct measuring {
    struct cfsplit_survey *survey;
    uint64_t *took_ms; /* of the items of the run; 0: not known */
};

static bool counts(const struct measuring *m, const struct csi_record *r)
{
    enum csi_class wanted;
    if (r->kind != CSI_RECORD_END || r->index >= m->survey->counts.total)
        return false;
    switch (cfsplit_survey_state(m->survey, r->index)) {
    case CFSPLIT_DONE: wanted = CSI_DONE; break;
    case CFSPLIT_REJECTED: wanted = CSI_REJECTED; break;
    default: return false;
    }
    return r->class == wanted;
}

static cfsplit_status take(void *context, const struct csi_record *r, struct cfsplit_error *err)
{
    const struct measuring *m = context;
    (void)err;
    if (counts(m, r))
        m->took_ms[r->index] = r->took_ms ? r->took_ms : 1;
    return CFSPLIT_OK;
}

/* As much of each journal as the survey took in, and no more. */
static cfsplit_status measure(struct measuring *m, struct cfsplit_error *err)
{
    struct cfsplit_survey *s = m->survey;
    cfsplit_status status = CFSPLIT_OK;
    for (size_t i = 0; status == CFSPLIT_OK && i < s->seen_count; i++) {
        struct csi_journal_reader reader = {0};
        status = csi_journal_read(s->run, &s->incs.at[i], &reader, 0, s->seen[i].reader.length, false, take, m, err);
    }
    return status;
}

static int by_time(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The lower one of two in the middle; 0: none is known. */
static cfsplit_status median_of(const uint64_t *took_ms, uint64_t count, uint64_t *median, struct cfsplit_error *err)
{
    uint64_t *known = malloc((size_t)(count + 1) * sizeof *known), n = 0;
    if (!known)
        return csi_fail_memory(err);
    for (uint64_t i = 0; i < count; i++)
        if (took_ms[i])
            known[n++] = took_ms[i];
    qsort(known, (size_t)n, sizeof *known, by_time);
    *median = n ? known[(n - 1) / 2] : 0;
    free(known);
    return CFSPLIT_OK;
}

static cfsplit_status look_up(const struct measuring *m, const struct cfsplit_list *list, uint64_t median,
                              uint64_t *took_ms, uint64_t *unknown, struct cfsplit_error *err)
{
    struct csi_items items = {0};
    struct csi_known known = {0};
    cfsplit_status status = csi_frozen_load(&m->survey->run->frozen, 0, m->survey->counts.total, &items, err);
    if (status == CFSPLIT_OK)
        status = csi_known_init(&known, &items, err);
    for (uint64_t i = 0; status == CFSPLIT_OK && i < cfsplit_list_count(list); i++) {
        struct cfsplit_item item = cfsplit_list_at(list, i);
        uint64_t at = csi_known_find(&known, &item);
        took_ms[i] = at == UINT64_MAX ? 0 : m->took_ms[at];
        *unknown += took_ms[i] == 0;
        took_ms[i] = took_ms[i] ? took_ms[i] : median;
    }
    csi_known_fini(&known);
    csi_items_release(&items);
    return status;
}

cfsplit_status cfsplit_survey_times(struct cfsplit_survey *survey, const struct cfsplit_list *list, uint64_t *took_ms,
                                    uint64_t *unknown, struct cfsplit_error *err)
{
    uint64_t total = survey->counts.total, median = 0;
    struct measuring m = {survey, calloc((size_t)total + 1, sizeof *m.took_ms)};
    *unknown = 0;
    if (!m.took_ms)
        return csi_fail_memory(err);
    cfsplit_status status = measure(&m, err);
    if (status == CFSPLIT_OK)
        status = median_of(m.took_ms, total, &median, err);
    if (status == CFSPLIT_OK && median == 0)
        status = csi_fail(err, CFSPLIT_USAGE, "no item of %s is done or rejected: it has no times to go by",
                          csi_quote(survey->run->path).text);
    if (status == CFSPLIT_OK)
        status = look_up(&m, list, median, took_ms, unknown, err);
    free(m.took_ms);
    return status;
}
