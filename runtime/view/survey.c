#include "view/survey.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { seal_wait_ms = 1000, seal_look_ms = 20 };

static const char *const state_words[] = {
#define WORD(symbol, word) word,
    CFSPLIT_STATE_LIST(WORD)
#undef WORD
};

const char *cfsplit_state_word(enum cfsplit_state state)
{
    return state_words[state];
}

cfsplit_status cfsplit_state_find(const char *word, enum cfsplit_state *out, struct cfsplit_error *err)
{
    for (size_t i = 0; i < sizeof state_words / sizeof state_words[0]; i++) {
        if (strcmp(state_words[i], word) == 0) {
            *out = (enum cfsplit_state)i;
            return CFSPLIT_OK;
        }
    }
    return csi_fail(err, CFSPLIT_USAGE,
                    "no item is ever %s: it is pending, running, done, failed, rejected or set-aside",
                    csi_quote(word).text);
}

bool csi_seen_is_open(const struct csi_seen *seen)
{
    if (seen->seal.state == CSI_FENCE_UNSEALED)
        return seen->life != CSI_LIFE_DEAD;
    return !seen->reader.closed && seen->seal.state != CSI_FENCE_SEALED && seen->life != CSI_LIFE_DEAD;
}

/* Does an end count? While a fence waits for its seal, those do that every seal will hold: all of a process that is gone, and
 * of others what a beat vouches for, since its owner saw it on disk and no fence. So what was counted once stays. */
static bool is_settled(const struct csi_seen *seen, const struct csi_record *record)
{
    return seen->seal.state != CSI_FENCE_UNSEALED || seen->life == CSI_LIFE_DEAD || record->at < seen->beat.committed;
}

struct taking {
    struct cfsplit_survey *survey;
    uint32_t owner;
};

static bool says_finished(const struct csi_record *closed)
{
    return closed->text_length == strlen(CSI_CLOSED_FINISHED) &&
           memcmp(closed->text, CSI_CLOSED_FINISHED, closed->text_length) == 0;
}

static cfsplit_status take(void *context, const struct csi_record *record, struct cfsplit_error *err)
{
    const struct taking *t = context;
    struct csi_seen *seen = &t->survey->seen[t->owner];
    (void)err;
    csi_ledger_take(&t->survey->ledger, t->owner, record, is_settled(seen, record));
    if (record->kind == CSI_RECORD_START)
        seen->started++;
    if (record->kind == CSI_RECORD_BOUND) {
        seen->bound = record->index;
        seen->alone = record->alone;
    }
    if (record->kind == CSI_RECORD_END) {
        seen->done += record->class == CSI_DONE;
        seen->failed += record->class == CSI_FAILED;
        seen->rejected += record->class == CSI_REJECTED;
    }
    return CFSPLIT_OK;
}

struct handing {
    struct csi_seen *seen;
    cfsplit_status (*take)(void *context, const struct csi_record *record, struct cfsplit_error *err);
    void *context;
};

static cfsplit_status hand_on(void *context, const struct csi_record *record, struct cfsplit_error *err)
{
    const struct handing *h = context;
    if (record->kind == CSI_RECORD_CLOSED)
        h->seen->finished = says_finished(record);
    return h->take ? h->take(h->context, record, err) : CFSPLIT_OK;
}

cfsplit_status
csi_seen_refresh(struct csi_seen *seen, const struct csi_inc *inc, const struct cfsplit_run *run, bool sync,
                 cfsplit_status (*take_in)(void *context, const struct csi_record *record, struct cfsplit_error *err),
                 void *context, bool *stale, struct cfsplit_error *err)
{
    struct handing h = {seen, take_in, context};
    struct csi_seal after;
    bool sealed = seen->seal.state == CSI_FENCE_SEALED;
    if (sealed && seen->reader.length == seen->seal.length)
        return CFSPLIT_OK;
    seen->life = csi_inc_life(inc);
    cfsplit_status status = csi_beat_read(run, inc->name, &seen->beat, err);
    if (status != CFSPLIT_OK && status != CFSPLIT_END)
        return status;
    uint64_t limit = sealed ? seen->seal.length : UINT64_MAX;
    status =
        csi_journal_read(run, inc, &seen->reader, sealed ? limit : seen->beat.committed, limit, sync, hand_on, &h, err);
    if (status == CFSPLIT_OK)
        status = csi_fence_look(run, inc->name, &after, err);
    if (status != CFSPLIT_OK || after.state == seen->seal.state)
        return status;
    *stale = true;
    seen->seal = after;
    return CFSPLIT_OK;
}

static cfsplit_status make_room(struct cfsplit_survey *s, struct cfsplit_error *err)
{
    if (s->seen_count == s->incs.count)
        return CFSPLIT_OK;
    struct csi_seen *more = realloc(s->seen, s->incs.count * sizeof *more);
    if (!more)
        return csi_fail_memory(err);
    memset(more + s->seen_count, 0, (s->incs.count - s->seen_count) * sizeof *more);
    s->seen = more;
    s->seen_count = s->incs.count;
    return CFSPLIT_OK;
}

/* Forgets all records, keeps what is known of fences. */
static cfsplit_status start_over(struct cfsplit_survey *s, struct cfsplit_error *err)
{
    for (size_t i = 0; i < s->seen_count; i++)
        s->seen[i] = (struct csi_seen){.seal = s->seen[i].seal};
    csi_ledger_fini(&s->ledger);
    cfsplit_status status = csi_ledger_init(&s->ledger, 0, s->run->frozen.items, err);
    if (status == CFSPLIT_OK)
        status = csi_ledger_take_retries(&s->ledger, s->run, err);
    return status;
}

enum cfsplit_state cfsplit_survey_state(const struct cfsplit_survey *s, uint64_t index)
{
    const struct csi_entry *entry = csi_ledger_at(&s->ledger, index);
    if (!entry)
        return CFSPLIT_PENDING;
    bool open = entry->attempts > 0 && entry->owner < s->seen_count && csi_seen_is_open(&s->seen[entry->owner]);
    return csi_entry_state(entry, open);
}

static void count(struct cfsplit_survey *s)
{
    struct cfsplit_counts *c = &s->counts;
    *c = (struct cfsplit_counts){.total = s->ledger.count};
    for (uint64_t i = 0; i < c->total; i++) {
        c->by_state[cfsplit_survey_state(s, i)]++;
        const struct csi_entry *entry = csi_ledger_at(&s->ledger, i);
        c->duplicates += entry->done > 1;
        if (c->last_end_ms < entry->end_ms)
            c->last_end_ms = entry->end_ms;
    }
    for (size_t i = 0; i < s->incs.count; i++) {
        c->torn_bytes += csi_seen_is_open(&s->seen[i]) ? 0 : s->seen[i].reader.tail;
        if (c->first_start_ms == 0 || s->incs.at[i].created_ms < c->first_start_ms)
            c->first_start_ms = s->incs.at[i].created_ms;
    }
    c->complete = c->by_state[CFSPLIT_DONE] + c->by_state[CFSPLIT_REJECTED] == c->total;
}

/* Somebody is ending another one whom we cannot see die. His seal takes but a moment, and with it we know which ends count: it
 * is waited for, a second at most (he may have died over it). */
static bool await_seals(struct cfsplit_survey *s)
{
    bool any = false;
    for (size_t i = 0; i < s->seen_count; i++)
        any |= s->seen[i].seal.state == CSI_FENCE_UNSEALED && s->seen[i].life != CSI_LIFE_DEAD;
    if (!any)
        s->seals_awaited_ms = 0;
    if (!any || s->seals_awaited_ms >= seal_wait_ms)
        return false;
    s->seals_awaited_ms += seal_look_ms;
    poll(NULL, 0, seal_look_ms);
    return true;
}

cfsplit_status cfsplit_survey_refresh(struct cfsplit_survey *s, struct cfsplit_error *err)
{
    struct csi_reopened *items;
    size_t items_count;
    cfsplit_status status = csi_run_refresh(s->run, err);
    if (status != CFSPLIT_OK)
        return status;
    status = csi_order_read_retry(s->run, s->ledger.retry_seen + 1, &items, &items_count, err);
    bool stale = status == CFSPLIT_OK || s->ledger.at == NULL || s->ledger.count != s->run->frozen.items;
    free(items);
    if (status != CFSPLIT_OK && status != CFSPLIT_END)
        return status;
    status = csi_inc_list_refresh(&s->incs, s->run, err);
    if (status == CFSPLIT_OK)
        status = make_room(s, err);
    free(s->highest);
    s->highest = NULL;
    do {
        if (status == CFSPLIT_OK && stale)
            status = start_over(s, err);
        stale = false;
        for (uint32_t i = 0; status == CFSPLIT_OK && i < s->incs.count; i++)
            status = csi_seen_refresh(&s->seen[i], &s->incs.at[i], s->run, s->sync, take, &(struct taking){s, i},
                                      &stale, err);
    } while (status == CFSPLIT_OK && (stale || await_seals(s)));
    if (status != CFSPLIT_OK)
        return status;
    count(s);
    return csi_lives_refresh(s, err);
}

cfsplit_status cfsplit_survey_new(struct cfsplit_run *run, bool sync, struct cfsplit_survey **out,
                                  struct cfsplit_error *err)
{
    *out = NULL;
    struct cfsplit_survey *s = calloc(1, sizeof *s);
    if (!s)
        return csi_fail_memory(err);
    s->run = run;
    s->sync = sync;
    cfsplit_status status = cfsplit_survey_refresh(s, err);
    if (status != CFSPLIT_OK)
        cfsplit_survey_free(s);
    else
        *out = s;
    return status;
}

void cfsplit_survey_free(struct cfsplit_survey *s)
{
    if (!s)
        return;
    csi_ledger_fini(&s->ledger);
    csi_items_release(&s->block);
    csi_buf_release(&s->line);
    csi_buf_release(&s->text);
    free(s->incs.at);
    free(s->seen);
    free(s->lives);
    free(s->missing);
    free(s->heard);
    free(s->roll);
    free(s->taken);
    free(s->highest);
    csi_survey_queue_fini(&s->queue);
    free(s);
}

const struct cfsplit_counts *cfsplit_survey_counts(const struct cfsplit_survey *s)
{
    return &s->counts;
}
