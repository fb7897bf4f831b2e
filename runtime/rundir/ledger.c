#include "rundir/ledger.h"

#include <stdlib.h>

#include "base/error.h"
#include "rundir/beat.h"

cfsplit_status csi_ledger_init(struct csi_ledger *ledger, uint64_t first, uint64_t count, struct cfsplit_error *err)
{
    *ledger = (struct csi_ledger){.first = first, .count = count};
    ledger->at = calloc(count ? count : 1, sizeof *ledger->at);
    return ledger->at ? CFSPLIT_OK : csi_fail_memory(err);
}

void csi_ledger_fini(struct csi_ledger *ledger)
{
    free(ledger->at);
    *ledger = (struct csi_ledger){0};
}

void csi_entry_reopen(struct csi_entry *entry, uint32_t attempts)
{
    if (entry->reopened < attempts)
        entry->reopened = attempts;
    if (entry->attempts > attempts)
        return;
    entry->failures = 0;
    entry->deaths = 0;
    entry->suspect = 0;
}

cfsplit_status csi_ledger_take_retries(struct csi_ledger *ledger, const struct cfsplit_run *run,
                                       struct cfsplit_error *err)
{
    for (;;) {
        struct csi_reopened *items;
        size_t count;
        cfsplit_status status = csi_order_read_retry(run, ledger->retry_seen + 1, &items, &count, err);
        if (status != CFSPLIT_OK)
            return status == CFSPLIT_END ? CFSPLIT_OK : status;
        for (size_t i = 0; i < count; i++) {
            struct csi_entry *entry = csi_ledger_at(ledger, items[i].index);
            if (entry)
                csi_entry_reopen(entry, items[i].attempts);
        }
        free(items);
        ledger->retry_seen++;
    }
}

static uint16_t one_more(uint16_t count)
{
    return count < UINT16_MAX ? (uint16_t)(count + 1) : count;
}

void csi_entry_died(struct csi_entry *entry)
{
    entry->ended = 1;
    entry->class = CSI_CRASHED;
    if (entry->attempts <= entry->reopened)
        return;
    entry->suspect = 1;
    if (entry->alone)
        entry->deaths = one_more(entry->deaths);
}

static void take_end(struct csi_entry *entry, uint32_t owner, const struct csi_record *record)
{
    if (record->class == CSI_DONE)
        entry->done = entry->done ? 2 : 1;
    if (record->class == CSI_REJECTED)
        entry->rejected = 1;
    if ((record->class == CSI_FAILED || record->class == CSI_RETRY) && record->attempt > entry->reopened)
        entry->failures = one_more(entry->failures);
    if (record->class == CSI_LATER)
        entry->laters = one_more(entry->laters);
    if (record->attempt < entry->attempts)
        return;
    if (record->class == CSI_CRASHED)
        csi_entry_died(entry);
    else if (record->class != CSI_STOPPED)
        entry->suspect = 0; /* it has run to an end */
    entry->attempts = (uint32_t)record->attempt;
    entry->owner = owner;
    entry->class = (uint8_t)record->class;
    entry->ended = 1;
    entry->end_at = record->at;
    entry->end_ms = record->time_ms;
}

void csi_ledger_take(struct csi_ledger *ledger, uint32_t owner, const struct csi_record *record, bool accepted)
{
    struct csi_entry *entry = csi_ledger_at(ledger, record->index);
    if (!entry || (record->kind != CSI_RECORD_START && record->kind != CSI_RECORD_END) || record->attempt > UINT32_MAX)
        return;
    if (record->kind == CSI_RECORD_END && accepted) {
        take_end(entry, owner, record);
    } else if (record->kind == CSI_RECORD_START && record->attempt > entry->attempts) {
        if (entry->attempts > 0 && !entry->ended)
            csi_entry_died(entry);
        entry->alone = record->alone != 0;
        entry->attempts = (uint32_t)record->attempt;
        entry->owner = owner;
        entry->ended = 0;
        entry->end_at = 0;
    }
}

enum cfsplit_state csi_entry_state(const struct csi_entry *entry, bool open)
{
    if (entry->done)
        return CFSPLIT_DONE;
    if (entry->rejected)
        return CFSPLIT_REJECTED;
    if (entry->attempts > 0 && !entry->ended)
        return open ? CFSPLIT_RUNNING : CFSPLIT_PENDING;
    if (entry->ended && entry->class == CSI_FAILED && entry->attempts > entry->reopened)
        return CFSPLIT_FAILED;
    if (entry->ended && entry->class == CSI_SET_ASIDE && entry->attempts > entry->reopened)
        return CFSPLIT_SET_ASIDE;
    return CFSPLIT_PENDING;
}

struct taking {
    struct csi_ledger *ledger; /* NULL: only looking */
    uint32_t piece, K;
    bool accepted, given_back;
};

static cfsplit_status take(void *context, const struct csi_record *record, struct cfsplit_error *err)
{
    struct taking *t = context;
    (void)err;
    if (t->ledger)
        csi_ledger_take(t->ledger, t->K, record, t->accepted);
    t->given_back |= record->kind == CSI_RECORD_CLOSED ||
                     (record->kind == CSI_RECORD_RELEASED && record->index == t->piece && record->attempt == t->K);
    return CFSPLIT_OK;
}

/* All whole groups of a journal that may still grow. */
static cfsplit_status look_through(const struct cfsplit_run *run, const struct csi_inc *inc, struct taking *t,
                                   uint64_t *length, struct cfsplit_error *err)
{
    struct csi_journal_reader reader = {0};
    struct csi_beat beat;
    cfsplit_status status = csi_beat_read(run, inc->name, &beat, err);
    if (status == CFSPLIT_OK || status == CFSPLIT_END)
        status = csi_journal_read(run, inc, &reader, beat.committed, UINT64_MAX, true, take, t, err);
    *length = reader.length;
    return status;
}

cfsplit_status csi_holding_look(const struct cfsplit_run *run, const struct csi_inc *inc, uint32_t piece, uint32_t K,
                                struct csi_holding *holding, struct cfsplit_error *err)
{
    struct taking t = {.piece = piece, .K = K};
    *holding = (struct csi_holding){.given_back = false};
    cfsplit_status status = csi_fence_look(run, inc->name, &holding->seal, err);
    if (status == CFSPLIT_OK && holding->seal.state != CSI_FENCE_SEALED)
        status = look_through(run, inc, &t, &holding->length, err);
    if (status == CFSPLIT_OK && holding->seal.state != CSI_FENCE_SEALED)
        status = csi_fence_look(run, inc->name, &holding->seal, err); /* the journal first, the fence second */
    holding->given_back =
        holding->seal.state == CSI_FENCE_SEALED || (holding->seal.state == CSI_FENCE_NONE && t.given_back);
    if (holding->seal.state == CSI_FENCE_SEALED)
        holding->length = holding->seal.length;
    return status;
}

cfsplit_status csi_ledger_read(struct csi_ledger *ledger, const struct cfsplit_run *run, const struct csi_inc *inc,
                               uint32_t piece, uint32_t K, struct csi_holding *holding, struct cfsplit_error *err)
{
    struct csi_journal_reader reader = {0};
    cfsplit_status status = csi_holding_look(run, inc, piece, K, holding, err);
    struct taking t = {ledger, piece, K, holding->seal.state != CSI_FENCE_UNSEALED, false};
    if (status == CFSPLIT_OK)
        status = csi_journal_read(run, inc, &reader, holding->length, holding->length, true, take, &t, err);
    return status;
}
