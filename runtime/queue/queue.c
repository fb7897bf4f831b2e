#include "queue/queue.h"

#include <stdlib.h>

#include "base/error.h"
#include "queue/pace.h"
#include "queue/workers.h"

struct csi_queue {
    struct csi_queue_options options;
    struct csi_waiting waiting;
    struct csi_workers workers;
    uint64_t held;
    double mean_us;
    bool complete;
};

cfsplit_status csi_queue_new(const struct csi_queue_options *options, struct csi_ledger *ledger, struct csi_queue **out,
                             struct cfsplit_error *err)
{
    struct csi_queue *q = *out = calloc(1, sizeof *q);
    if (!q)
        return csi_fail_memory(err);
    q->options = *options;
    q->waiting.ledger = ledger;
    q->waiting.crash_limit = options->crash_limit;
    cfsplit_status status = csi_waiting_grow(&q->waiting, err);
    if (status != CFSPLIT_OK) {
        csi_queue_free(q);
        *out = NULL;
    }
    return status;
}

void csi_queue_free(struct csi_queue *q)
{
    if (!q)
        return;
    csi_waiting_fini(&q->waiting);
    csi_workers_fini(&q->workers);
    free(q);
}

cfsplit_status csi_queue_grow(struct csi_queue *q, struct cfsplit_error *err)
{
    return csi_waiting_grow(&q->waiting, err);
}

static cfsplit_status no_such_item(uint64_t index, struct cfsplit_error *err)
{
    return csi_fail(err, CFSPLIT_USAGE, "the queue has no item %llu", (unsigned long long)index + 1);
}

cfsplit_status csi_queue_open_piece(struct csi_queue *q, uint64_t first, uint64_t count, uint64_t now_ms,
                                    struct cfsplit_error *err)
{
    if (first > q->waiting.count || count > q->waiting.count - first)
        return no_such_item(first + count - 1, err);
    for (uint64_t i = first; i < first + count; i++) {
        struct csi_place *place = &q->waiting.at[i];
        if (place->opened)
            continue;
        place->opened = true;
        if (place->where == CSI_AT_REST)
            csi_waiting_put(&q->waiting, i, CSI_FRESH, now_ms);
    }
    return CFSPLIT_OK;
}

void csi_queue_complete(struct csi_queue *q, bool complete)
{
    q->complete = complete;
}

/* ---- who holds what */

cfsplit_status csi_queue_join(struct csi_queue *q, uint64_t slots, uint32_t *worker, struct cfsplit_error *err)
{
    return csi_workers_add(&q->workers, slots, worker, err);
}

static struct csi_place *lend(struct csi_queue *q, uint32_t number, uint64_t index)
{
    struct csi_place *place = &q->waiting.at[index];
    csi_waiting_remove(&q->waiting, index);
    place->where = CSI_HELD;
    place->worker = number;
    place->started = place->alone = place->aside = false;
    csi_chain_add(q->waiting.at, &q->workers.at[number].leases, (uint32_t)index);
    q->held++;
    return place;
}

/* It is held by nobody then, and at rest. */
static void take_back(struct csi_queue *q, uint64_t index)
{
    struct csi_place *place = &q->waiting.at[index];
    struct csi_worker *w = &q->workers.at[place->worker];
    csi_chain_remove(q->waiting.at, &w->leases, (uint32_t)index);
    q->held--;
    w->begun -= place->started;
    w->alone &= !place->alone;
    place->where = CSI_AT_REST;
    csi_workers_place(&q->workers, place->worker);
}

static bool holds(const struct csi_queue *q, uint32_t number, uint64_t index)
{
    return csi_workers_at(&q->workers, number) && index < q->waiting.count && q->waiting.at[index].where == CSI_HELD &&
           q->waiting.at[index].worker == number;
}

/* The number of the attempt for which an item is held: what is set aside is not started once more. */
static uint64_t attempt_of(const struct csi_queue *q, uint64_t index)
{
    const struct csi_place *place = &q->waiting.at[index];
    return (uint64_t)csi_ledger_at(q->waiting.ledger, index)->attempts + (place->started || place->aside ? 0 : 1);
}

cfsplit_status csi_queue_hold(struct csi_queue *q, uint32_t number, uint64_t index, struct cfsplit_error *err)
{
    if (!csi_workers_at(&q->workers, number) || index >= q->waiting.count)
        return no_such_item(index, err);
    const struct csi_entry *entry = csi_ledger_at(q->waiting.ledger, index);
    if (holds(q, number, index) || entry->attempts == 0 || entry->ended)
        return CFSPLIT_OK;
    if (q->waiting.at[index].where == CSI_HELD)
        return csi_fail(err, CFSPLIT_DAMAGED, "item %llu was started by two replicas", (unsigned long long)index + 1);
    struct csi_place *place = lend(q, number, index);
    place->started = true;
    q->workers.at[number].begun++;
    place->alone = entry->alone;
    q->workers.at[number].alone |= entry->alone;
    csi_workers_place(&q->workers, number);
    return CFSPLIT_OK;
}

void csi_queue_want(struct csi_queue *q, uint32_t number, uint64_t count)
{
    if (csi_workers_at(&q->workers, number))
        csi_workers_ask(&q->workers, number, count);
}

/* All that it holds, or what it has not started, waits again. */
static void give_back(struct csi_queue *q, uint32_t number, bool all)
{
    struct csi_worker *w = &q->workers.at[number];
    uint32_t index = w->leases.first;
    for (uint64_t left = w->leases.count; left > 0; left--) {
        const struct csi_place *place = &q->waiting.at[index];
        uint32_t behind = place->behind;
        bool started = place->started;
        if (all || !started) {
            take_back(q, index);
            csi_waiting_put(&q->waiting, index, started ? CSI_AGAIN : CSI_RETURNED, 0);
        }
        index = behind;
    }
    csi_workers_give(&q->workers, number, w->credit);
    w->home = false;
    csi_workers_revoke(&q->workers, number, false);
}

void csi_queue_settle(struct csi_queue *q, uint32_t number)
{
    if (csi_workers_at(&q->workers, number))
        give_back(q, number, false);
}

void csi_queue_resize(struct csi_queue *q, uint32_t number, uint64_t slots)
{
    if (csi_workers_at(&q->workers, number))
        csi_workers_resize(&q->workers, number, slots);
}

void csi_queue_keep(struct csi_queue *q, uint32_t number)
{
    struct csi_worker *w = csi_workers_at(&q->workers, number);
    if (w)
        w->stays = true;
}

void csi_queue_dry(struct csi_queue *q, uint32_t number)
{
    if (csi_workers_at(&q->workers, number))
        csi_workers_dry(&q->workers, number);
}

void csi_queue_pause(struct csi_queue *q, uint32_t number)
{
    const struct csi_worker *w = csi_workers_at(&q->workers, number);
    if (w)
        csi_workers_give(&q->workers, number, w->credit);
}

void csi_queue_leave(struct csi_queue *q, uint32_t number)
{
    if (!csi_workers_at(&q->workers, number))
        return;
    give_back(q, number, true);
    csi_workers_remove(&q->workers, number);
}

/* ---- what became of it */

static void take_start(struct csi_queue *q, uint32_t number, const struct csi_record *start)
{
    csi_ledger_take(q->waiting.ledger, number, start, true);
    q->workers.at[number].begun += !q->waiting.at[start->index].started;
    q->waiting.at[start->index].started = true;
}

/* An end of what is held, and not of an attempt before: what is to be set aside has the number of an attempt that ended. */
static bool is_its_end(const struct csi_queue *q, const struct csi_record *end)
{
    return end->attempt == attempt_of(q, end->index) &&
           (end->class == CSI_SET_ASIDE || !q->waiting.at[end->index].aside);
}

/* The end of what it holds. Its start may be heard of later. */
static void take_end(struct csi_queue *q, uint32_t number, const struct csi_record *end, uint64_t now_ms)
{
    const struct csi_place *place = &q->waiting.at[end->index];
    struct csi_record start = {.kind = CSI_RECORD_START,
                               .index = end->index,
                               .attempt = end->attempt,
                               .time_ms = end->time_ms,
                               .alone = place->alone};
    if (!place->started && !place->aside)
        take_start(q, number, &start);
    csi_ledger_take(q->waiting.ledger, number, end, true);
    take_back(q, end->index);
    csi_waiting_put(&q->waiting, end->index, end->class == CSI_STOPPED ? CSI_RETURNED : CSI_AGAIN, now_ms);
    q->workers.at[number].ended++;
}

bool csi_queue_end(struct csi_queue *q, uint32_t number, const struct csi_record *end, uint64_t took_us,
                   uint64_t now_ms)
{
    if (end->kind != CSI_RECORD_END || end->class >= CSI_CLASS_COUNT || !holds(q, number, end->index) ||
        !is_its_end(q, end))
        return false;
    take_end(q, number, end, now_ms);
    if (end->class == CSI_STOPPED || end->class == CSI_SET_ASIDE)
        return true;
    struct csi_worker *w = &q->workers.at[number];
    w->mean_us = csi_pace_mean(w->mean_us, took_us);
    q->mean_us = csi_pace_mean(q->mean_us, took_us);
    return true;
}

/* An end that is not in the ledger yet. */
static bool is_news(const struct csi_entry *entry, const struct csi_record *end)
{
    bool aside = end->class == CSI_SET_ASIDE && entry->class != CSI_SET_ASIDE;
    return end->attempt > entry->attempts || (end->attempt == entry->attempts && (!entry->ended || aside)) ||
           ((end->class == CSI_DONE || end->class == CSI_REJECTED) && !entry->done && !entry->rejected);
}

/* A record about what nobody holds: of pieces that were not opened here; or an end that closes what waits. */
static void take_other(struct csi_queue *q, uint32_t number, const struct csi_record *record, uint64_t now_ms)
{
    struct csi_waiting *waiting = &q->waiting;
    bool end = record->kind == CSI_RECORD_END;
    if (end ? !is_news(csi_ledger_at(waiting->ledger, record->index), record) : waiting->at[record->index].opened)
        return;
    csi_ledger_take(waiting->ledger, number, record, true);
    if (end) {
        csi_waiting_remove(waiting, record->index);
        csi_waiting_put(waiting, record->index, CSI_AGAIN, now_ms);
    }
}

void csi_queue_record(struct csi_queue *q, uint32_t number, const struct csi_record *record, uint64_t now_ms)
{
    bool start = record->kind == CSI_RECORD_START;
    if ((!start && record->kind != CSI_RECORD_END) || !csi_workers_at(&q->workers, number) ||
        record->index >= q->waiting.count || record->attempt > UINT32_MAX)
        return;
    const struct csi_place *place = &q->waiting.at[record->index];
    if (place->where != CSI_HELD)
        take_other(q, number, record, now_ms);
    else if (place->worker != number)
        return;
    else if (!start && is_its_end(q, record))
        take_end(q, number, record, now_ms);
    else if (start && !place->started && !place->aside && record->attempt == attempt_of(q, record->index))
        take_start(q, number, record);
}

cfsplit_status csi_queue_reopen(struct csi_queue *q, uint64_t index, uint32_t attempts, uint64_t now_ms,
                                struct cfsplit_error *err)
{
    if (index >= q->waiting.count)
        return no_such_item(index, err);
    enum csi_where where = q->waiting.at[index].where;
    csi_entry_reopen(csi_ledger_at(q->waiting.ledger, index), attempts);
    if (where != CSI_AT_REST && where != CSI_SUSPECT && where != CSI_ASIDE)
        return CFSPLIT_OK;
    csi_waiting_remove(&q->waiting, index);
    csi_waiting_put(&q->waiting, index, CSI_AGAIN, now_ms);
    return CFSPLIT_OK;
}

/* ---- handing out */

static void give(struct csi_queue *q, struct csi_queue_batch *batch, uint64_t index, bool alone, bool aside)
{
    struct csi_place *place = lend(q, batch->worker, index);
    place->alone = alone;
    place->aside = aside;
    batch->items[batch->count++] =
        (struct csi_queue_given){.index = index, .attempt = (uint32_t)attempt_of(q, index), alone, aside};
}

static void give_ready(struct csi_queue *q, struct csi_queue_batch *batch)
{
    struct csi_pace_input in = {.mean_us = q->mean_us,
                                .batch = q->options.batch,
                                .ready = csi_waiting_ready(&q->waiting),
                                .slots = q->workers.slots,
                                .workers = q->workers.count};
    struct csi_pace pace = csi_pace_of(&in);
    uint64_t credit = q->workers.at[batch->worker].credit;
    uint64_t count = pace.items < credit ? pace.items : credit;
    batch->ahead = pace.ahead;
    while (batch->count < count && csi_waiting_ready(&q->waiting) > 0)
        give(q, batch, csi_waiting_take(&q->waiting), false, false);
}

static void give_suspect(struct csi_queue *q, struct csi_queue_batch *batch)
{
    batch->worker = q->workers.lines[CSI_IDLE].first;
    q->workers.at[batch->worker].alone = true;
    give(q, batch, q->waiting.chains[CSI_SUSPECT].first, true, false);
}

bool csi_queue_next(struct csi_queue *q, uint64_t now_ms, struct csi_queue_batch *batch)
{
    const struct csi_line *lines = q->workers.lines;
    batch->count = 0;
    batch->ahead = 0;
    batch->worker = CSI_QUEUE_NOBODY;
    csi_waiting_tick(&q->waiting, now_ms);
    if (lines[CSI_ASKING].count == 0)
        return false;
    batch->worker = lines[CSI_ASKING].first;
    if (q->waiting.chains[CSI_ASIDE].count > 0)
        give(q, batch, q->waiting.chains[CSI_ASIDE].first, false, true);
    else if (csi_waiting_ready(&q->waiting) > 0)
        give_ready(q, batch);
    else if (lines[CSI_IDLE].count > 0 && csi_waiting_only_suspects(&q->waiting))
        give_suspect(q, batch);
    else
        return false;
    q->workers.at[batch->worker].dry = false;
    csi_workers_give(&q->workers, batch->worker, batch->count);
    csi_workers_rotate(&q->workers, batch->worker);
    return true;
}

void csi_queue_undo(struct csi_queue *q, const struct csi_queue_batch *batch)
{
    uint64_t undone = 0;
    for (size_t i = 0; i < batch->count; i++) {
        uint64_t index = batch->items[i].index;
        if (!holds(q, batch->worker, index) || q->waiting.at[index].started ||
            attempt_of(q, index) != batch->items[i].attempt)
            continue;
        take_back(q, index);
        csi_waiting_put(&q->waiting, index, CSI_RETURNED, 0);
        undone++;
    }
    if (undone > 0)
        csi_workers_ask(&q->workers, batch->worker, undone);
}

bool csi_queue_next_revoked(struct csi_queue *q, uint32_t *worker)
{
    const struct csi_line *lines = q->workers.lines;
    if (csi_waiting_ready(&q->waiting) > 0 || lines[CSI_LADEN].count == 0 ||
        lines[CSI_HUNGRY].count <= q->workers.revoked)
        return false;
    *worker = lines[CSI_LADEN].first;
    csi_workers_revoke(&q->workers, *worker, true);
    return true;
}

bool csi_queue_next_home(struct csi_queue *q, uint32_t *worker)
{
    const struct csi_line *idle = &q->workers.lines[CSI_IDLE];
    if (!q->complete || csi_waiting_all(&q->waiting) > 0 || idle->count <= q->held)
        return false;
    *worker = idle->last;
    if (q->workers.at[*worker].stays && idle->count > 1)
        *worker = q->workers.at[*worker].links[CSI_IDLE].before;
    if (q->workers.at[*worker].stays)
        return false;
    q->workers.at[*worker].home = true;
    csi_workers_place(&q->workers, *worker);
    return true;
}

/* ---- looking */

uint64_t csi_queue_due_ms(const struct csi_queue *q)
{
    return csi_waiting_due_ms(&q->waiting);
}

void csi_queue_count(const struct csi_queue *q, struct csi_queue_counts *out)
{
    *out = (struct csi_queue_counts){.waiting = csi_waiting_all(&q->waiting),
                                     .held = q->held,
                                     .put_off = q->waiting.chains[CSI_PUT_OFF].count,
                                     .wanted = q->workers.wanted,
                                     .mean_us = q->mean_us};
    if (q->mean_us > 0)
        out->per_s = (double)q->workers.slots * 1e6 / q->mean_us;
}

void csi_queue_look(const struct csi_queue *q, uint32_t number, struct csi_queue_worker *out)
{
    const struct csi_worker *w = csi_workers_at(&q->workers, number);
    *out = (struct csi_queue_worker){0};
    if (w)
        *out = (struct csi_queue_worker){w->slots, w->leases.count, w->credit, w->ended, w->mean_us};
}
