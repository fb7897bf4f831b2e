/* Items and attempts of a survey, one by one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "rundir/claim.h"
#include "rundir/output.h"
#include "view/survey.h"

/* Unpacks the block that holds an item, unless it is the last one that was unpacked. */
static cfsplit_status load(struct cfsplit_survey *s, uint64_t index, struct cfsplit_error *err)
{
    const struct csi_frozen *f = &s->run->frozen;
    if (s->block.at && index >= s->block.first && index - s->block.first < s->block.count)
        return CFSPLIT_OK;
    const struct csi_block *b = &f->blocks[csi_frozen_block_of(f, index)];
    return csi_frozen_load(f, b->first, b->items, &s->block, err);
}

static void fill_end(struct cfsplit_attempt *a, const struct csi_record *r)
{
    a->number = (uint32_t)r->attempt;
    a->ended_ms = r->time_ms;
    a->started_ms = r->time_ms - (r->took_ms < r->time_ms ? r->took_ms : r->time_ms);
    a->class_word = csi_class_word(r->class);
    a->exit_status = r->exit_status;
    a->cpu_ms = r->cpu_ms;
    a->rss_kib = r->rss_kib;
    a->output_from = r->output_from;
    a->output_to = r->output_to;
}

static cfsplit_status fill_last(struct cfsplit_survey *s, const struct csi_entry *entry, struct cfsplit_attempt *a,
                                struct cfsplit_error *err)
{
    const struct csi_inc *inc = &s->incs.at[entry->owner];
    struct csi_record record;
    a->number = entry->attempts;
    a->by = inc->name;
    a->replica = inc->replica;
    if (!entry->ended)
        return CFSPLIT_OK;
    cfsplit_status status = csi_journal_record_at(s->run, inc->name, entry->end_at, &s->line, &record, err);
    if (status != CFSPLIT_OK)
        return status;
    fill_end(a, &record);
    csi_buf_clear(&s->text);
    csi_buf_add(&s->text, record.text, record.text_length);
    if ((status = csi_buf_check(&s->text, err)) == CFSPLIT_OK) {
        s->text.data[csi_text_unescape(s->text.data, s->text.length)] = '\0';
        a->text = s->text.data;
    }
    return status;
}

cfsplit_status cfsplit_survey_item(struct cfsplit_survey *s, uint64_t index, struct cfsplit_item_view *out,
                                   struct cfsplit_error *err)
{
    const struct csi_entry *entry = csi_ledger_at(&s->ledger, index);
    *out = (struct cfsplit_item_view){.index = index, .last = {.index = index, .text = ""}};
    if (!entry)
        return csi_fail(err, CFSPLIT_USAGE, "there is no item %" PRIu64 " in %s", index + 1,
                        csi_quote(s->run->path).text);
    cfsplit_status status = load(s, index, err);
    if (status != CFSPLIT_OK)
        return status;
    out->item = *csi_items_at(&s->block, index);
    out->last.name = out->item.name;
    out->state = cfsplit_survey_state(s, index);
    out->share = s->run->frozen.pieces[csi_frozen_piece_of(&s->run->frozen, index)].share;
    return entry->attempts ? fill_last(s, entry, &out->last, err) : CFSPLIT_OK;
}

static cfsplit_status list_claims(struct cfsplit_survey *s, struct cfsplit_error *err)
{
    if (s->highest)
        return CFSPLIT_OK;
    s->held_piece = SIZE_MAX;
    s->highest = calloc(s->run->frozen.piece_count + 1, sizeof *s->highest);
    if (!s->highest)
        return csi_fail_memory(err);
    cfsplit_status status = csi_claim_list(s->run, s->highest, err);
    if (status != CFSPLIT_OK) {
        free(s->highest);
        s->highest = NULL;
    }
    return status;
}

static cfsplit_status find_holder(struct cfsplit_survey *s, uint32_t piece, struct cfsplit_error *err)
{
    struct csi_inc owner;
    s->holder = NULL;
    if (s->highest[piece] == 0)
        return CFSPLIT_OK;
    cfsplit_status status = csi_claim_owner(s->run, piece, s->highest[piece], &owner, err);
    if (status != CFSPLIT_OK)
        return status != CFSPLIT_END
                   ? status
                   : csi_fail(err, CFSPLIT_DAMAGED, "claim %" PRIu32 " of piece %" PRIu32 " is missing",
                              s->highest[piece], piece);
    for (size_t i = 0; i < s->incs.count; i++) /* one that came after the survey is nobody yet */
        if (strcmp(s->lives[i].name, owner.name) == 0 && csi_life_may_be_at_work(s->lives[i].life))
            s->holder = &s->lives[i];
    return CFSPLIT_OK;
}

cfsplit_status cfsplit_survey_holder(struct cfsplit_survey *s, uint64_t index, const struct cfsplit_life_view **out,
                                     struct cfsplit_error *err)
{
    *out = NULL;
    if (!csi_ledger_at(&s->ledger, index))
        return csi_fail(err, CFSPLIT_USAGE, "there is no item %" PRIu64 " in %s", index + 1,
                        csi_quote(s->run->path).text);
    uint32_t piece = (uint32_t)csi_frozen_piece_of(&s->run->frozen, index);
    cfsplit_status status = list_claims(s, err);
    if (status == CFSPLIT_OK && piece != s->held_piece)
        status = find_holder(s, piece, err);
    if (status != CFSPLIT_OK)
        return status;
    s->held_piece = piece;
    *out = s->holder;
    return CFSPLIT_OK;
}

cfsplit_status cfsplit_survey_find(struct cfsplit_survey *s, const char *name, uint64_t *index,
                                   struct cfsplit_error *err)
{
    for (uint64_t i = 0; i < s->counts.total; i++) {
        cfsplit_status status = load(s, i, err);
        if (status != CFSPLIT_OK)
            return status;
        if (strcmp(csi_items_at(&s->block, i)->name, name) == 0) {
            *index = i;
            return CFSPLIT_OK;
        }
    }
    return csi_fail(err, CFSPLIT_USAGE, "%s is not an item of %s", csi_quote(name).text, csi_quote(s->run->path).text);
}

struct walking {
    struct cfsplit_survey *survey;
    uint32_t owner;
    uint64_t index;               /* UINT64_MAX: all */
    struct cfsplit_attempt *open; /* starts without an end so far, a handful */
    size_t open_count;
    struct csi_buf text;
    cfsplit_status (*take)(void *, const struct cfsplit_attempt *, struct cfsplit_error *);
    void *context;
};

static cfsplit_status hand_out(struct walking *w, struct cfsplit_attempt *a, struct cfsplit_error *err)
{
    cfsplit_status status = load(w->survey, a->index, err);
    if (status != CFSPLIT_OK)
        return status;
    a->name = csi_items_at(&w->survey->block, a->index)->name;
    return w->take(w->context, a, err);
}

static cfsplit_status walk_start(struct walking *w, const struct csi_record *r, struct cfsplit_error *err)
{
    struct cfsplit_attempt *more = realloc(w->open, (w->open_count + 1) * sizeof *more);
    if (!more)
        return csi_fail_memory(err);
    w->open = more;
    const struct csi_inc *inc = &w->survey->incs.at[w->owner];
    w->open[w->open_count++] = (struct cfsplit_attempt){.by = inc->name,
                                                        .text = "",
                                                        .index = r->index,
                                                        .replica = inc->replica,
                                                        .number = (uint32_t)r->attempt,
                                                        .alone = r->alone != 0,
                                                        .started_ms = r->time_ms,
                                                        .output_from = r->output_from,
                                                        .output_to = UINT64_MAX};
    return CFSPLIT_OK;
}

static cfsplit_status walk_end(struct walking *w, const struct csi_record *r, struct cfsplit_error *err)
{
    for (size_t i = 0; i < w->open_count; i++) {
        if (w->open[i].index != r->index || w->open[i].number != r->attempt)
            continue;
        struct cfsplit_attempt a = w->open[i];
        w->open[i] = w->open[--w->open_count];
        uint64_t started = a.started_ms;
        fill_end(&a, r);
        a.started_ms = started;
        csi_buf_clear(&w->text);
        csi_buf_add(&w->text, r->text, r->text_length);
        if (w->text.failed)
            return csi_fail_memory(err);
        w->text.data[csi_text_unescape(w->text.data, w->text.length)] = '\0';
        a.text = w->text.data;
        return hand_out(w, &a, err);
    }
    return CFSPLIT_OK;
}

static cfsplit_status walk(void *context, const struct csi_record *r, struct cfsplit_error *err)
{
    struct walking *w = context;
    if (r->index >= w->survey->counts.total || (w->index != UINT64_MAX && w->index != r->index))
        return CFSPLIT_OK;
    if (r->kind == CSI_RECORD_START)
        return walk_start(w, r, err);
    return r->kind == CSI_RECORD_END ? walk_end(w, r, err) : CFSPLIT_OK;
}

cfsplit_status cfsplit_survey_attempts(struct cfsplit_survey *s, uint64_t index,
                                       cfsplit_status (*take)(void *context, const struct cfsplit_attempt *attempt,
                                                              struct cfsplit_error *err),
                                       void *context, struct cfsplit_error *err)
{
    struct walking w = {.survey = s, .index = index, .take = take, .context = context};
    cfsplit_status status = CFSPLIT_OK;
    for (uint32_t i = 0; status == CFSPLIT_OK && i < s->incs.count; i++) {
        struct csi_journal_reader reader = {0};
        w.owner = i;
        w.open_count = 0;
        /* as much as the survey took in, and no more */
        status = csi_journal_read(s->run, &s->incs.at[i], &reader, 0, s->seen[i].reader.length, false, walk, &w, err);
        for (size_t k = 0; status == CFSPLIT_OK && k < w.open_count; k++) {
            w.open[k].lost = !csi_seen_is_open(&s->seen[i]);
            status = hand_out(&w, &w.open[k], err);
        }
    }
    free(w.open);
    csi_buf_release(&w.text);
    return status;
}

cfsplit_status cfsplit_output_read(struct cfsplit_run *run, const struct cfsplit_attempt *a,
                                   cfsplit_status (*take)(void *context, const void *data, size_t length,
                                                          struct cfsplit_error *err),
                                   void *context, bool *torn, struct cfsplit_error *err)
{
    return csi_output_read(run, a->by, csi_frozen_generation_of(&run->frozen, a->index), a->index, a->number,
                           a->output_from, a->output_to, take, context, torn, err);
}

cfsplit_status cfsplit_run_check(const struct cfsplit_run *run, struct cfsplit_error *err)
{
    return csi_frozen_check(&run->frozen, err);
}

cfsplit_status cfsplit_retry(struct cfsplit_survey *s, const uint64_t *indices, uint64_t index_count, uint64_t *count,
                             struct cfsplit_error *err)
{
    struct csi_reopened *items = calloc(index_count + 1, sizeof *items);
    *count = 0;
    if (!items)
        return csi_fail_memory(err);
    for (uint64_t i = 0; i < index_count; i++) {
        enum cfsplit_state state = cfsplit_survey_state(s, indices[i]);
        if (state == CFSPLIT_FAILED || state == CFSPLIT_SET_ASIDE)
            items[(*count)++] = (struct csi_reopened){indices[i], csi_ledger_at(&s->ledger, indices[i])->attempts};
    }
    cfsplit_status status = *count ? csi_order_retry(s->run, items, *count, err) : CFSPLIT_OK;
    free(items);
    return status;
}

cfsplit_status cfsplit_stop(struct cfsplit_run *run, bool now, struct cfsplit_error *err)
{
    return csi_order_stop(run, now, err);
}
