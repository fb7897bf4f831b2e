#include "queue/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { later_max = 10 };

static const uint64_t delays_ms[CSI_DELAYS] = {1000, 2000, 4000, 8000, 16000, 32000, 60000};

cfsplit_status csi_waiting_grow(struct csi_waiting *w, struct cfsplit_error *err)
{
    uint64_t count = w->ledger->count;
    if (count <= w->count)
        return CFSPLIT_OK;
    if (count > UINT32_MAX)
        return csi_fail(err, CFSPLIT_MEMORY, "more than %u items are too many for a queue", (unsigned)UINT32_MAX);
    struct csi_place *at = realloc(w->at, count * sizeof *at);
    if (!at)
        return csi_fail_memory(err);
    memset(at + w->count, 0, (count - w->count) * sizeof *at);
    w->at = at;
    cfsplit_status status = csi_set_grow(&w->returned, count, err);
    if (status == CFSPLIT_OK)
        status = csi_set_grow(&w->fresh, count, err);
    if (status == CFSPLIT_OK)
        w->count = count;
    return status;
}

void csi_waiting_fini(struct csi_waiting *w)
{
    free(w->at);
    csi_set_fini(&w->returned);
    csi_set_fini(&w->fresh);
    *w = (struct csi_waiting){0};
}

/* ---- chains: the outer neighbours of the first and the last mean nothing */

void csi_chain_add(struct csi_place *at, struct csi_chain *chain, uint32_t index)
{
    if (chain->count++ == 0)
        chain->first = index;
    else
        at[chain->last].behind = index;
    at[index].before = chain->last;
    chain->last = index;
}

void csi_chain_remove(struct csi_place *at, struct csi_chain *chain, uint32_t index)
{
    if (index == chain->first)
        chain->first = at[index].behind;
    else
        at[at[index].before].behind = at[index].behind;
    if (index == chain->last)
        chain->last = at[index].before;
    else
        at[at[index].behind].before = at[index].before;
    chain->count--;
}

static void add_front(struct csi_place *at, struct csi_chain *chain, uint32_t index)
{
    if (chain->count++ == 0)
        chain->last = index;
    else
        at[chain->first].before = index;
    at[index].behind = chain->first;
    chain->first = index;
}

/* ---- putting */

static uint64_t due_ms(const struct csi_place *place)
{
    return (uint64_t)place->due_high << 32 | place->due_low;
}

static unsigned delay_of(const struct csi_entry *entry)
{
    return entry->laters <= CSI_DELAYS ? entry->laters - 1U : CSI_DELAYS - 1U;
}

/* Where an open item belongs. */
static enum csi_where belongs(const struct csi_waiting *w, const struct csi_entry *entry, enum csi_where as)
{
    bool later = entry->ended && entry->class == CSI_LATER && entry->laters > 0;
    if (later && entry->laters >= later_max)
        return CSI_PUT_OFF;
    if (entry->suspect)
        return w->crash_limit > 0 && entry->deaths >= w->crash_limit ? CSI_ASIDE : CSI_SUSPECT;
    return as == CSI_AGAIN && later ? CSI_DELAYED + delay_of(entry) : as;
}

void csi_waiting_put(struct csi_waiting *w, uint64_t index, enum csi_where as, uint64_t now_ms)
{
    struct csi_entry *entry = csi_ledger_at(w->ledger, index);
    struct csi_place *place = &w->at[index];
    if (!place->opened || !csi_entry_is_open(entry))
        return;
    if (entry->attempts > 0 && !entry->ended)
        csi_entry_died(entry); /* nobody holds it any more */
    enum csi_where where = belongs(w, entry, as);
    place->where = (uint8_t)where;
    if (where == CSI_RETURNED || where == CSI_FRESH) {
        csi_set_add(where == CSI_FRESH ? &w->fresh : &w->returned, index);
    } else if (where == CSI_SUSPECT && as == CSI_RETURNED) {
        add_front(w->at, &w->chains[where], (uint32_t)index);
    } else {
        csi_chain_add(w->at, &w->chains[where], (uint32_t)index);
    }
    if (where >= CSI_DELAYED) {
        uint64_t due = now_ms + delays_ms[where - CSI_DELAYED];
        place->due_low = (uint32_t)due;
        place->due_high = (uint16_t)(due >> 32);
        w->delayed++;
    }
}

void csi_waiting_remove(struct csi_waiting *w, uint64_t index)
{
    struct csi_place *place = &w->at[index];
    if (place->where == CSI_RETURNED)
        csi_set_remove(&w->returned, index);
    else if (place->where == CSI_FRESH)
        csi_set_remove(&w->fresh, index);
    else if (place->where != CSI_AT_REST)
        csi_chain_remove(w->at, &w->chains[place->where], (uint32_t)index);
    w->delayed -= place->where >= CSI_DELAYED;
    place->where = CSI_AT_REST;
}

/* ---- taking */

/* The chain whose first one is due first; NULL: none is delayed. */
static const struct csi_chain *due_first(const struct csi_waiting *w)
{
    const struct csi_chain *best = NULL;
    for (unsigned d = 0; w->delayed > 0 && d < CSI_DELAYS; d++) {
        const struct csi_chain *chain = &w->chains[CSI_DELAYED + d];
        if (chain->count > 0 && (!best || due_ms(&w->at[chain->first]) < due_ms(&w->at[best->first])))
            best = chain;
    }
    return best;
}

uint64_t csi_waiting_due_ms(const struct csi_waiting *w)
{
    const struct csi_chain *chain = due_first(w);
    return chain ? due_ms(&w->at[chain->first]) : UINT64_MAX;
}

void csi_waiting_tick(struct csi_waiting *w, uint64_t now_ms)
{
    for (const struct csi_chain *chain; (chain = due_first(w)) && due_ms(&w->at[chain->first]) <= now_ms;) {
        uint32_t index = chain->first;
        csi_waiting_remove(w, index);
        w->at[index].where = CSI_AGAIN;
        csi_chain_add(w->at, &w->chains[CSI_AGAIN], index);
    }
}

uint64_t csi_waiting_take(struct csi_waiting *w)
{
    uint64_t index = w->returned.count > 0 ? csi_set_first(&w->returned)
                     : w->fresh.count > 0  ? csi_set_first(&w->fresh)
                                           : w->chains[CSI_AGAIN].first;
    csi_waiting_remove(w, index);
    return index;
}
