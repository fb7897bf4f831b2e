#include "node/feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"
#include "node/claiming.h"
#include "node/taking.h"

enum { later_max = 10, later_first_ms = 1000, later_longest_ms = 60000 };

cfsplit_status csi_feed_init(struct csi_feed *feed, struct cfsplit_run *run, const struct csi_inc *self,
                             const struct cfsplit_run_options *options, void (*say)(void *, const char *),
                             void *say_context, struct cfsplit_error *err)
{
    size_t replicas = run->spec.replicas;
    *feed = (struct csi_feed){.run = run, .self = self, .options = options};
    feed->random = XXH3_64bits(self->name, strlen(self->name));
    feed->unclaimed = calloc(replicas + 1, sizeof *feed->unclaimed);
    feed->told_missing = calloc(replicas + 1, sizeof *feed->told_missing);
    if (!feed->unclaimed || !feed->told_missing)
        return csi_fail_memory(err);
    cfsplit_status status = csi_feed_refresh(feed, err);
    if (status == CFSPLIT_OK)
        status = csi_others_init(&feed->others, run, self, options, say, say_context, err);
    if (run->frozen.piece_count > 0)
        feed->probe = (uint32_t)(feed->random % run->frozen.piece_count);
    for (uint32_t p = 0; status == CFSPLIT_OK && p < run->frozen.piece_count; p++)
        if (csi_piece_is_own(feed, p) && !feed->places[p].listed)
            status = csi_piece_list_near(feed, p, err);
    return status;
}

cfsplit_status csi_feed_refresh(struct csi_feed *feed, struct cfsplit_error *err)
{
    cfsplit_status status = csi_run_refresh(feed->run, err);
    size_t pieces = feed->run->frozen.piece_count;
    if (status != CFSPLIT_OK || (feed->places && pieces == feed->piece_room))
        return status;
    uint32_t *highest = realloc(feed->highest, (pieces + 1) * sizeof *highest);
    if (highest)
        feed->highest = highest;
    struct csi_place *places = realloc(feed->places, (pieces + 1) * sizeof *places);
    if (places)
        feed->places = places;
    if (!highest || !places)
        return csi_fail_memory(err);
    memset(highest + feed->piece_room, 0, (pieces + 1 - feed->piece_room) * sizeof *highest);
    memset(places + feed->piece_room, 0, (pieces + 1 - feed->piece_room) * sizeof *places);
    feed->piece_room = pieces;
    return CFSPLIT_OK;
}

void csi_feed_fini(struct csi_feed *feed)
{
    for (size_t i = 0; i < feed->held_count; i++) {
        csi_items_release(&feed->held[i].items);
        csi_ledger_fini(&feed->held[i].ledger);
    }
    free(feed->held);
    free(feed->highest);
    free(feed->places);
    free(feed->unclaimed);
    free(feed->told_missing);
    free(feed->again);
    free(feed->suspects);
    csi_others_fini(&feed->others);
    *feed = (struct csi_feed){0};
}

static struct csi_held *held_of(const struct csi_feed *feed, uint64_t index)
{
    for (size_t i = feed->held_count; i-- > 0;)
        if (csi_ledger_at(&feed->held[i].ledger, index))
            return &feed->held[i];
    return NULL;
}

/* The lease of an item that a coordinator gave; one that is not held is always one. */
static const struct csi_lease *lease_of(const struct csi_feed *feed, uint64_t index)
{
    return csi_leases_find(&feed->queued->leases, index);
}

uint64_t csi_feed_failures(const struct csi_feed *feed, uint64_t index)
{
    const struct csi_held *h = held_of(feed, index);
    return h ? csi_ledger_at(&h->ledger, index)->failures : lease_of(feed, index)->failures;
}

const struct cfsplit_item *csi_feed_item(const struct csi_feed *feed, uint64_t index)
{
    const struct csi_held *h = held_of(feed, index);
    return h ? csi_items_at(&h->items, index) : &lease_of(feed, index)->item;
}

static bool is_put_off(const struct csi_entry *entry)
{
    return entry->laters >= later_max && entry->ended && entry->class == CSI_LATER;
}

uint64_t csi_feed_open_items_of(const struct csi_held *held)
{
    uint64_t open = 0;
    for (uint64_t i = 0; i < held->ledger.count; i++)
        open += csi_entry_is_open(&held->ledger.at[i]);
    return open;
}

uint64_t csi_feed_put_off(const struct csi_feed *feed)
{
    uint64_t put_off = feed->queued ? feed->queued->put_off : 0;
    for (size_t i = 0; i < feed->held_count; i++)
        for (uint64_t k = 0; k < feed->held[i].ledger.count; k++)
            put_off += csi_entry_is_open(&feed->held[i].ledger.at[k]) && is_put_off(&feed->held[i].ledger.at[k]);
    return put_off;
}

static cfsplit_status queue_again(struct csi_feed *feed, uint64_t index, uint64_t due_ms, struct cfsplit_error *err)
{
    struct csi_again *more = realloc(feed->again, (feed->again_count + 1) * sizeof *more);
    if (!more)
        return csi_fail_memory(err);
    feed->again = more;
    more[feed->again_count++] = (struct csi_again){index, due_ms};
    return CFSPLIT_OK;
}

cfsplit_status csi_feed_take_retries(struct csi_feed *feed, uint64_t now_ms, struct cfsplit_error *err)
{
    for (;;) {
        struct csi_reopened *items;
        size_t count;
        cfsplit_status status = csi_order_read_retry(feed->run, feed->retry_seen + 1, &items, &count, err);
        if (status != CFSPLIT_OK)
            return status == CFSPLIT_END ? CFSPLIT_OK : status;
        feed->retry_seen++;
        for (size_t i = 0; status == CFSPLIT_OK && i < count; i++) {
            uint32_t piece = csi_frozen_piece_of(&feed->run->frozen, items[i].index);
            struct csi_held *h = held_of(feed, items[i].index);
            struct csi_entry *entry = h ? csi_ledger_at(&h->ledger, items[i].index) : NULL;
            feed->places[piece].settled = false;
            feed->places[piece].reopened = true;
            if (!entry || !entry->ended || csi_entry_is_open(entry))
                continue;
            csi_entry_reopen(entry, items[i].attempts);
            if (csi_entry_is_open(entry))
                status = queue_again(feed, items[i].index, now_ms, err);
        }
        free(items);
        if (status != CFSPLIT_OK)
            return status;
    }
}

cfsplit_status csi_feed_open_items(struct csi_feed *feed, uint64_t *open, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    bool listed = false;
    *open = feed->queued ? feed->queued->leases.waiting : 0;
    for (size_t i = 0; i < feed->held_count; i++)
        *open += csi_feed_open_items_of(&feed->held[i]);
    for (uint32_t p = 0; status == CFSPLIT_OK && p < feed->run->frozen.piece_count; p++) {
        bool ours = csi_piece_is_own(feed, p) || feed->run->frozen.pieces[p].share == 0;
        bool free = ours && feed->highest[p] == 0;
        if (free && !listed) { /* somebody may have taken it since we looked */
            status = csi_claim_list(feed->run, feed->highest, err);
            listed = true;
        }
        if (status == CFSPLIT_OK && free && feed->highest[p] == 0)
            *open += feed->run->frozen.pieces[p].items;
    }
    return status;
}

/* ---- handing out */

static struct csi_entry *entry_of(const struct csi_feed *feed, uint64_t index)
{
    const struct csi_held *h = held_of(feed, index);
    return h ? csi_ledger_at(&h->ledger, index) : NULL;
}

static cfsplit_status queue_suspect(struct csi_feed *feed, uint64_t index, struct cfsplit_error *err)
{
    uint64_t *more = realloc(feed->suspects, (feed->suspect_count + 1) * sizeof *more);
    if (!more)
        return csi_fail_memory(err);
    feed->suspects = more;
    more[feed->suspect_count++] = index;
    return CFSPLIT_OK;
}

/* The next item of a held piece that was not looked at; suspects are put behind everything else. */
static cfsplit_status next_fresh(struct csi_feed *feed, uint64_t *index, bool *found, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    *found = false;
    for (size_t i = feed->fresh; i < feed->held_count; i++) {
        struct csi_held *h = &feed->held[i];
        while (status == CFSPLIT_OK && !*found && h->cursor < h->ledger.first + h->ledger.count) {
            *index = h->cursor++;
            const struct csi_entry *entry = csi_ledger_at(&h->ledger, *index);
            if (csi_entry_is_open(entry) && entry->suspect)
                status = queue_suspect(feed, *index, err);
            else
                *found = csi_entry_is_open(entry) && !is_put_off(entry);
        }
        if (status != CFSPLIT_OK || *found)
            return status;
        feed->fresh = i + 1;
    }
    return status;
}

static bool next_again(struct csi_feed *feed, uint64_t now_ms, uint64_t *index, uint64_t *due_ms)
{
    for (size_t i = 0; i < feed->again_count; i++) {
        if (feed->again[i].due_ms <= now_ms) {
            *index = feed->again[i].index;
            memmove(&feed->again[i], &feed->again[i + 1], (feed->again_count - i - 1) * sizeof *feed->again);
            feed->again_count--;
            return true;
        }
        if (*due_ms > feed->again[i].due_ms)
            *due_ms = feed->again[i].due_ms;
    }
    return false;
}

/* A suspect is started when nothing else is left and nothing runs. */
static bool next_suspect(struct csi_feed *feed, uint64_t running, struct csi_next *next)
{
    if (feed->suspect_count == 0)
        return false;
    next->index = feed->suspects[0];
    const struct csi_entry *entry = entry_of(feed, next->index);
    uint64_t limit = feed->options->crash_limit;
    next->aside = limit > 0 && entry->deaths >= limit;
    next->deaths = entry->deaths;
    next->alone = !next->aside;
    if (next->alone && (running > 0 || feed->again_count > 0))
        return false;
    feed->alone = next->alone;
    memmove(feed->suspects, feed->suspects + 1, --feed->suspect_count * sizeof *feed->suspects);
    return true;
}

/* An item that is not suspect, of the held pieces or of one that is claimed for it. */
static cfsplit_status next_plain(struct csi_feed *feed, uint64_t now_ms, uint64_t running, struct csi_next *next,
                                 bool *found, struct cfsplit_error *err)
{
    cfsplit_status status = next_fresh(feed, &next->index, found, err);
    /* with nothing left to do an old look is not good enough */
    while (status == CFSPLIT_OK && !*found && (now_ms >= feed->next_look_ms || (running == 0 && feed->worked))) {
        bool mine;
        feed->worked = false;
        status = csi_take_more(feed, now_ms, running, &mine, err);
        if (status == CFSPLIT_OK && mine)
            status = next_fresh(feed, &next->index, found, err);
        else
            break;
    }
    if (status == CFSPLIT_OK && !*found && feed->waiting)
        next->due_ms = feed->next_look_ms;
    if (status == CFSPLIT_OK && !*found)
        *found = next_again(feed, now_ms, &next->index, &next->due_ms);
    return status;
}

/* What a coordinator gave. */
static cfsplit_status next_given(struct csi_feed *feed, uint64_t running, struct csi_next *next)
{
    const struct csi_lease *lease = csi_queued_take(feed->queued, running);
    if (!lease) {
        next->due_ms = csi_queued_due_ms(feed->queued);
        return CFSPLIT_END;
    }
    next->item = &lease->item;
    next->index = lease->index;
    next->attempt = lease->attempt;
    next->alone = feed->alone = lease->alone;
    next->aside = lease->aside;
    next->deaths = lease->deaths;
    return CFSPLIT_OK;
}

static cfsplit_status next_of_pieces(struct csi_feed *feed, uint64_t now_ms, uint64_t running, struct csi_next *next,
                                     struct cfsplit_error *err)
{
    bool found;
    cfsplit_status status = next_plain(feed, now_ms, running, next, &found, err);
    if (status != CFSPLIT_OK)
        return status;
    if (!found && !next_suspect(feed, running, next))
        return CFSPLIT_END;
    next->item = csi_feed_item(feed, next->index);
    next->attempt = entry_of(feed, next->index)->attempts + !next->aside;
    return CFSPLIT_OK;
}

cfsplit_status csi_feed_next(struct csi_feed *feed, uint64_t now_ms, uint64_t running, struct csi_next *next,
                             struct cfsplit_error *err)
{
    *next = (struct csi_next){.due_ms = UINT64_MAX};
    if (feed->alone)
        return CFSPLIT_END;
    if (feed->queued && feed->queued->state != CSI_QUEUED_ALONE)
        return next_given(feed, running, next);
    return next_of_pieces(feed, now_ms, running, next, err);
}

void csi_feed_drop_held(struct csi_feed *feed)
{
    feed->queued->put_off = csi_feed_put_off(feed);
    for (size_t i = 0; i < feed->held_count; i++) {
        struct csi_held *h = &feed->held[i];
        feed->places[h->piece].settled = csi_feed_open_items_of(h) == 0;
        feed->places[h->piece].held = false;
        csi_items_release(&h->items);
        csi_ledger_fini(&h->ledger);
    }
    feed->held_count = feed->fresh = 0;
}

cfsplit_status csi_feed_note(struct csi_feed *feed, const struct csi_record *record, uint64_t now_ms,
                             struct cfsplit_error *err)
{
    struct csi_held *h = held_of(feed, record->index);
    if (!h) { /* the coordinator decides what becomes of it */
        feed->alone = feed->alone && record->kind != CSI_RECORD_END;
        return CFSPLIT_OK;
    }
    struct csi_entry *entry = csi_ledger_at(&h->ledger, record->index);
    csi_ledger_take(&h->ledger, h->K, record, true);
    feed->free_since_ms = 0;
    if (record->kind != CSI_RECORD_END)
        return CFSPLIT_OK;
    feed->worked = true;
    feed->alone = false; /* what runs alone is all that runs */
    if (!csi_entry_is_open(entry) || is_put_off(entry) || record->class == CSI_STOPPED)
        return CFSPLIT_OK;
    if (entry->suspect)
        return queue_suspect(feed, record->index, err);
    uint64_t wait = 0;
    if (record->class == CSI_LATER) {
        wait = (uint64_t)later_first_ms << (entry->laters - 1);
        wait = wait < later_longest_ms ? wait : later_longest_ms;
    }
    return queue_again(feed, record->index, now_ms + wait, err);
}
