#include "node/feed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { later_max = 10, later_first_ms = 1000, later_longest_ms = 60000, look_every_ms = 2000 };

/* Often enough to see a silence begin. */
static uint64_t look_interval_ms(const struct csi_feed *feed)
{
    uint64_t interval = feed->options->stall_after_ms / 6;
    return interval < look_every_ms ? interval : look_every_ms;
}

cfsplit_status csi_feed_init(struct csi_feed *feed, struct cfsplit_run *run, const struct csi_inc *self,
                             const struct cfsplit_run_options *options, void (*say)(void *, const char *),
                             void *say_context, struct cfsplit_error *err)
{
    size_t pieces = run->frozen.piece_count;
    *feed = (struct csi_feed){.run = run, .self = self, .options = options};
    feed->highest = calloc(pieces + 1, sizeof *feed->highest);
    feed->settled = calloc(pieces + 1, sizeof *feed->settled);
    feed->reopened = calloc(pieces + 1, sizeof *feed->reopened);
    if (!feed->highest || !feed->settled || !feed->reopened)
        return csi_fail_memory(err);
    cfsplit_status status = csi_others_init(&feed->others, run, self, options, say, say_context, err);
    if (status != CFSPLIT_OK)
        return status;
    return csi_claim_list(run, feed->highest, err);
}

void csi_feed_fini(struct csi_feed *feed)
{
    for (size_t i = 0; i < feed->held_count; i++) {
        csi_items_release(&feed->held[i].items);
        csi_ledger_fini(&feed->held[i].ledger);
    }
    free(feed->held);
    free(feed->highest);
    free(feed->settled);
    free(feed->reopened);
    free(feed->again);
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

uint64_t csi_feed_failures(const struct csi_feed *feed, uint64_t index)
{
    return csi_ledger_at(&held_of(feed, index)->ledger, index)->failures;
}

const struct cfsplit_item *csi_feed_item(const struct csi_feed *feed, uint64_t index)
{
    return csi_items_at(&held_of(feed, index)->items, index);
}

static bool is_put_off(const struct csi_entry *entry)
{
    return entry->laters >= later_max && entry->ended && entry->class == CSI_LATER;
}

/* Is there something to do in an item of a piece that nobody else has? */
static bool is_open(const struct csi_entry *entry)
{
    return csi_entry_state(entry, false) == CFSPLIT_PENDING;
}

uint64_t csi_feed_open_items_of(const struct csi_held *held)
{
    uint64_t open = 0;
    for (uint64_t i = 0; i < held->ledger.count; i++)
        open += is_open(&held->ledger.at[i]);
    return open;
}

uint64_t csi_feed_put_off(const struct csi_feed *feed)
{
    uint64_t put_off = 0;
    for (size_t i = 0; i < feed->held_count; i++)
        for (uint64_t k = 0; k < feed->held[i].ledger.count; k++)
            put_off += is_open(&feed->held[i].ledger.at[k]) && is_put_off(&feed->held[i].ledger.at[k]);
    return put_off;
}

/* ---- claiming */

/* Reads the journals of all owners a piece had. *gone: the last one has given it back or is ended. */
static cfsplit_status read_owners(struct csi_feed *feed, uint32_t piece, uint32_t K, uint64_t now_ms,
                                  struct csi_ledger *ledger, bool *gone, struct cfsplit_error *err)
{
    cfsplit_status status = csi_ledger_take_retries(ledger, feed->run, err);
    *gone = true;
    for (uint32_t k = 1; status == CFSPLIT_OK && *gone && k <= K; k++) {
        struct csi_inc owner;
        struct csi_holding holding = {.given_back = false};
        status = csi_claim_owner(feed->run, piece, k, &owner, err);
        if (status == CFSPLIT_END)
            return csi_fail(err, CFSPLIT_DAMAGED, "claim %" PRIu32 " of piece %" PRIu32 " is missing", k, piece);
        if (status == CFSPLIT_OK && strcmp(owner.name, feed->self->name) == 0)
            *gone = false;
        if (status == CFSPLIT_OK && *gone)
            status = csi_holding_look(feed->run, &owner, piece, k, &holding, err);
        if (status == CFSPLIT_OK && *gone && !holding.given_back)
            status = csi_others_end_if_lost(&feed->others, &owner, holding.seal, now_ms, gone, err);
        if (status == CFSPLIT_OK && *gone)
            status = csi_ledger_read(ledger, feed->run, &owner, piece, k, &holding, err);
    }
    return status;
}

static cfsplit_status hold(struct csi_feed *feed, uint32_t piece, uint32_t K, struct csi_ledger *ledger,
                           struct cfsplit_error *err)
{
    const struct csi_piece *p = &feed->run->frozen.pieces[piece];
    struct csi_held *more = realloc(feed->held, (feed->held_count + 1) * sizeof *more);
    if (!more)
        return csi_fail_memory(err);
    feed->held = more;
    struct csi_held *h = &more[feed->held_count];
    *h = (struct csi_held){.piece = piece, .K = K, .cursor = p->first};
    cfsplit_status status = csi_frozen_load(&feed->run->frozen, p->first, p->items, &h->items, err);
    if (status != CFSPLIT_OK) {
        csi_items_release(&h->items);
        return status;
    }
    h->ledger = *ledger;
    *ledger = (struct csi_ledger){0};
    for (uint64_t i = 0; i < h->ledger.count; i++)
        h->ledger.at[i].laters = 0; /* being put off counts within one life: running it again tries again */
    feed->held_count++;
    return CFSPLIT_OK;
}

/* Claims a piece if it is free and something is open in it. *mine tells; it is settled if nothing is to be done. */
static cfsplit_status try_piece(struct csi_feed *feed, uint32_t piece, uint64_t now_ms, bool *mine,
                                struct cfsplit_error *err)
{
    const struct csi_piece *p = &feed->run->frozen.pieces[piece];
    cfsplit_status status = CFSPLIT_OK;
    bool again = true;
    *mine = false;
    while (status == CFSPLIT_OK && again && !*mine) {
        struct csi_ledger ledger;
        uint64_t open = 0;
        uint32_t K = feed->highest[piece];
        bool gone = false;
        again = false;
        status = csi_ledger_init(&ledger, p->first, p->items, err);
        if (status == CFSPLIT_OK)
            status = read_owners(feed, piece, K, now_ms, &ledger, &gone, err);
        for (uint64_t i = 0; status == CFSPLIT_OK && i < ledger.count; i++)
            open += is_open(&ledger.at[i]);
        if (status == CFSPLIT_OK && gone && open == 0)
            feed->settled[piece] = true;
        if (status == CFSPLIT_OK && gone && open > 0) {
            status = csi_claim_take(feed->run, feed->self, piece, K + 1, mine, err);
            feed->highest[piece] = status == CFSPLIT_OK ? K + 1 : K;
            again = !*mine; /* somebody was quicker: see who */
        }
        if (status == CFSPLIT_OK && *mine)
            status = hold(feed, piece, K + 1, &ledger, err);
        csi_ledger_fini(&ledger);
    }
    return status;
}

static bool is_held(const struct csi_feed *feed, uint32_t piece)
{
    for (size_t i = 0; i < feed->held_count; i++)
        if (feed->held[i].piece == piece)
            return true;
    return false;
}

static cfsplit_status claim_own(struct csi_feed *feed, uint64_t now_ms, bool *mine, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    *mine = false;
    for (uint32_t p = 0; status == CFSPLIT_OK && !*mine && p < feed->run->frozen.piece_count; p++)
        if (feed->run->frozen.pieces[p].share == feed->self->replica && !feed->settled[p] && !is_held(feed, p))
            status = try_piece(feed, p, now_ms, mine, err);
    return status;
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

/* Pieces whose items `retry` has opened again are looked at again; items in held ones are queued. */
static cfsplit_status take_retries(struct csi_feed *feed, uint64_t now_ms, struct cfsplit_error *err)
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
            feed->settled[piece] = false;
            feed->reopened[piece] = true;
            if (!entry || !entry->ended || is_open(entry))
                continue;
            csi_entry_reopen(entry, items[i].attempts);
            if (is_open(entry))
                status = queue_again(feed, items[i].index, now_ms, err);
        }
        free(items);
        if (status != CFSPLIT_OK)
            return status;
    }
}

/* Is a piece of somebody else's share worth a closer look? */
static cfsplit_status is_candidate(struct csi_feed *feed, uint32_t piece, bool *is, struct cfsplit_error *err)
{
    struct csi_inc owner;
    bool spare = feed->self->replica == 0;
    *is = false;
    if (feed->settled[piece] || is_held(feed, piece) || feed->run->frozen.pieces[piece].share == feed->self->replica)
        return CFSPLIT_OK;
    bool nobodys = feed->highest[piece] == 0;
    *is =
        feed->reopened[piece] || (nobodys && (spare || feed->others.abandoned[feed->run->frozen.pieces[piece].share]));
    if (*is || feed->highest[piece] == 0)
        return CFSPLIT_OK;
    cfsplit_status status = csi_claim_owner(feed->run, piece, feed->highest[piece], &owner, err);
    *is = status == CFSPLIT_OK && csi_others_has_left(&feed->others, owner.name);
    return status;
}

/* Takes what others left: pieces that somebody had who is gone, and the rest of that replica's share; for a spare also what
 * nobody ever had. Others are judged once a scan, which goes on where it took the last piece. */
static cfsplit_status claim_others(struct csi_feed *feed, uint64_t now_ms, bool *mine, struct cfsplit_error *err)
{
    bool any = false, spare = feed->self->replica == 0, resumed = feed->scan > 0;
    cfsplit_status status = CFSPLIT_OK;
    *mine = false;
    if (feed->options->no_adopt == 1 && !spare)
        return CFSPLIT_OK;
    if (feed->scan == 0) {
        status = csi_others_judge(&feed->others, now_ms, &any, err);
        if (status != CFSPLIT_OK || !(any || spare || feed->retry_seen))
            return status;
        status = csi_claim_list(feed->run, feed->highest, err);
        feed->scan = (uint32_t)feed->run->frozen.piece_count;
    }
    while (status == CFSPLIT_OK && !*mine && feed->scan > 0) {
        uint32_t piece = --feed->scan; /* from the back: owners work from the front */
        bool is;
        status = is_candidate(feed, piece, &is, err);
        if (status == CFSPLIT_OK && is)
            status = try_piece(feed, piece, now_ms, mine, err);
    }
    /* an old judgement is no reason to leave: somebody may have been lost since */
    return status == CFSPLIT_OK && !*mine && resumed ? claim_others(feed, now_ms, mine, err) : status;
}

/* Claims one more piece, if there is one. */
static cfsplit_status claim_more(struct csi_feed *feed, uint64_t now_ms, bool *mine, struct cfsplit_error *err)
{
    feed->others.waiting = false;
    cfsplit_status status = take_retries(feed, now_ms, err);
    if (status == CFSPLIT_OK)
        status = claim_own(feed, now_ms, mine, err);
    bool wait_for_own = feed->others.waiting;
    if (status == CFSPLIT_OK && !*mine)
        status = claim_others(feed, now_ms, mine, err);
    feed->others.waiting = feed->self->replica ? wait_for_own : feed->others.waiting;
    return status;
}

/* What is open in a piece that nobody of this life has claimed: its owners' journals are read, nobody is ended. */
static cfsplit_status count_unclaimed(const struct csi_feed *feed, uint32_t piece, uint64_t *open,
                                      struct cfsplit_error *err)
{
    const struct csi_piece *p = &feed->run->frozen.pieces[piece];
    struct csi_ledger ledger;
    cfsplit_status status = csi_ledger_init(&ledger, p->first, p->items, err);
    if (status == CFSPLIT_OK)
        status = csi_ledger_take_retries(&ledger, feed->run, err);
    for (uint32_t k = 1; status == CFSPLIT_OK && k <= feed->highest[piece]; k++) {
        struct csi_inc owner;
        struct csi_holding holding;
        status = csi_claim_owner(feed->run, piece, k, &owner, err);
        if (status == CFSPLIT_OK &&
            strcmp(owner.name, feed->self->name) != 0) /* it has written nothing of what it lacks */
            status = csi_ledger_read(&ledger, feed->run, &owner, piece, k, &holding, err);
    }
    for (uint64_t i = 0; status == CFSPLIT_OK && i < ledger.count; i++)
        *open += is_open(&ledger.at[i]);
    csi_ledger_fini(&ledger);
    return status;
}

cfsplit_status csi_feed_open_items(struct csi_feed *feed, uint64_t *open, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    *open = 0;
    for (size_t i = 0; i < feed->held_count; i++)
        *open += csi_feed_open_items_of(&feed->held[i]);
    for (uint32_t p = 0; status == CFSPLIT_OK && p < feed->run->frozen.piece_count; p++)
        if (feed->run->frozen.pieces[p].share == feed->self->replica && !feed->settled[p] && !is_held(feed, p))
            status = count_unclaimed(feed, p, open, err);
    return status;
}

/* ---- handing out */

static struct csi_entry *entry_of(const struct csi_feed *feed, uint64_t index)
{
    const struct csi_held *h = held_of(feed, index);
    return h ? csi_ledger_at(&h->ledger, index) : NULL;
}

static bool next_fresh(struct csi_feed *feed, uint64_t *index)
{
    for (size_t i = 0; i < feed->held_count; i++) {
        struct csi_held *h = &feed->held[i];
        while (h->cursor < h->ledger.first + h->ledger.count) {
            *index = h->cursor++;
            const struct csi_entry *entry = csi_ledger_at(&h->ledger, *index);
            if (is_open(entry) && !is_put_off(entry))
                return true;
        }
    }
    return false;
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

cfsplit_status csi_feed_next(struct csi_feed *feed, uint64_t now_ms, const struct cfsplit_item **item, uint64_t *index,
                             uint32_t *attempt, uint64_t *due_ms, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    *due_ms = UINT64_MAX;
    bool found = next_fresh(feed, index);
    while (status == CFSPLIT_OK && !found && now_ms >= feed->next_look_ms) {
        bool mine;
        status = claim_more(feed, now_ms, &mine, err);
        if (status == CFSPLIT_OK && mine)
            found = next_fresh(feed, index);
        else
            feed->next_look_ms = now_ms + look_interval_ms(feed);
    }
    if (status != CFSPLIT_OK)
        return status;
    if (!found && feed->others.waiting)
        *due_ms = feed->next_look_ms;
    if (!found && !next_again(feed, now_ms, index, due_ms))
        return CFSPLIT_END;
    *item = csi_feed_item(feed, *index);
    *attempt = entry_of(feed, *index)->attempts + 1;
    return CFSPLIT_OK;
}

cfsplit_status csi_feed_note(struct csi_feed *feed, const struct csi_record *record, uint64_t now_ms,
                             struct cfsplit_error *err)
{
    struct csi_held *h = held_of(feed, record->index);
    struct csi_entry *entry = csi_ledger_at(&h->ledger, record->index);
    csi_ledger_take(&h->ledger, h->K, record, true);
    if (record->kind != CSI_RECORD_END || !is_open(entry) || is_put_off(entry) || record->class == CSI_STOPPED)
        return CFSPLIT_OK;
    uint64_t wait = 0;
    if (record->class == CSI_LATER) {
        wait = (uint64_t)later_first_ms << (entry->laters - 1);
        wait = wait < later_longest_ms ? wait : later_longest_ms;
    }
    return queue_again(feed, record->index, now_ms + wait, err);
}
