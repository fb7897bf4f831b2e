#include "node/feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"

enum { later_max = 10, later_first_ms = 1000, later_longest_ms = 60000, look_first_ms = 20, look_every_ms = 2000 };

cfsplit_status csi_feed_init(struct csi_feed *feed, struct cfsplit_run *run, const struct csi_inc *self,
                             const struct cfsplit_run_options *options, void (*say)(void *, const char *),
                             void *say_context, struct cfsplit_error *err)
{
    size_t pieces = run->frozen.piece_count, replicas = run->spec.replicas;
    *feed = (struct csi_feed){.run = run, .self = self, .options = options};
    feed->random = XXH3_64bits(self->name, strlen(self->name));
    feed->highest = calloc(pieces + 1, sizeof *feed->highest);
    feed->places = calloc(pieces + 1, sizeof *feed->places);
    feed->unclaimed = calloc(replicas + 1, sizeof *feed->unclaimed);
    feed->told_missing = calloc(replicas + 1, sizeof *feed->told_missing);
    if (!feed->highest || !feed->places || !feed->unclaimed || !feed->told_missing)
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
    feed->places[piece].held = true;
    for (uint64_t i = 0; i < h->ledger.count; i++) {
        struct csi_entry *entry = &h->ledger.at[i];
        entry->laters = 0; /* being put off counts within one life: running it again tries again */
        if (entry->attempts > 0 && !entry->ended)
            csi_entry_died(entry); /* nobody has this piece but us */
    }
    feed->held_count++;
    return CFSPLIT_OK;
}

/* Claims a piece if it is free and something is open in it. *mine tells; it is settled if nothing is to be done. */
static cfsplit_status try_piece(struct csi_feed *feed, uint32_t piece, uint64_t now_ms, bool *mine,
                                struct cfsplit_error *err)
{
    const struct csi_piece *p = &feed->run->frozen.pieces[piece];
    struct csi_ledger ledger;
    uint64_t open = 0;
    uint32_t K = feed->highest[piece];
    bool gone = false;
    *mine = false;
    cfsplit_status status = csi_ledger_init(&ledger, p->first, p->items, err);
    if (status == CFSPLIT_OK)
        status = read_owners(feed, piece, K, now_ms, &ledger, &gone, err);
    for (uint64_t i = 0; status == CFSPLIT_OK && i < ledger.count; i++)
        open += is_open(&ledger.at[i]);
    if (status == CFSPLIT_OK && gone && open == 0)
        feed->places[piece].settled = true;
    if (status == CFSPLIT_OK && gone && open > 0) {
        status = csi_claim_take(feed->run, feed->self, piece, K + 1, mine, err);
        feed->highest[piece] = K + 1; /* if it is not ours, somebody was quicker */
    }
    if (status == CFSPLIT_OK && *mine)
        status = hold(feed, piece, K + 1, &ledger, err);
    csi_ledger_fini(&ledger);
    return status;
}

/* Is it as much ours as anybody's? */
static bool is_own(const struct csi_feed *feed, uint32_t piece)
{
    return feed->run->frozen.pieces[piece].share == feed->self->replica;
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
            feed->places[piece].settled = false;
            feed->places[piece].reopened = true;
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
        if (status == CFSPLIT_OK)
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
        if (is_own(feed, p) && !feed->places[p].settled && !feed->places[p].held)
            status = count_unclaimed(feed, p, open, err);
    return status;
}

/* ---- taking over, helping, staying */

/* Where the owner of a claimed piece is, as of the last judgement. */
static cfsplit_status owner_of(struct csi_feed *feed, uint32_t piece, enum csi_whereabouts *where,
                               struct cfsplit_error *err)
{
    struct csi_place *place = &feed->places[piece];
    if (place->owner_K != feed->highest[piece]) {
        struct csi_inc owner;
        size_t at;
        cfsplit_status status = csi_claim_owner(feed->run, piece, feed->highest[piece], &owner, err);
        if (status == CFSPLIT_END)
            return csi_fail(err, CFSPLIT_DAMAGED, "claim %" PRIu32 " of piece %" PRIu32 " is missing",
                            feed->highest[piece], piece);
        if (status == CFSPLIT_OK)
            status = csi_others_add(&feed->others, &owner, &at, err);
        if (status != CFSPLIT_OK)
            return status;
        place->owner = (uint32_t)at;
        place->owner_K = feed->highest[piece];
    }
    *where = feed->others.at[place->owner].where;
    return CFSPLIT_OK;
}

static bool may_adopt(const struct csi_feed *feed)
{
    return feed->options->no_adopt != 1 || feed->self->replica == 0;
}

/* Nobody ever had a piece: may we, though it is not of our share? */
static bool is_nobodys(const struct csi_feed *feed, uint32_t share)
{
    if (feed->self->replica == 0)
        return true;
    enum csi_presence presence = feed->others.presence[share];
    return may_adopt(feed) && (presence == CSI_GONE ||
                               (presence == CSI_NEVER_CAME && feed->others.age_ms >= feed->options->adopt_after_ms));
}

/* Is there anything to be had in a piece? */
static cfsplit_status is_candidate(struct csi_feed *feed, uint32_t piece, bool *is, struct cfsplit_error *err)
{
    struct csi_place *place = &feed->places[piece];
    enum csi_whereabouts where;
    bool own = is_own(feed, piece);
    *is = false;
    if (place->settled || place->held)
        return CFSPLIT_OK;
    if (feed->highest[piece] == 0) {
        *is = own || is_nobodys(feed, feed->run->frozen.pieces[piece].share);
        return CFSPLIT_OK;
    }
    cfsplit_status status = owner_of(feed, piece, &where, err);
    if (status != CFSPLIT_OK)
        return status;
    if (where == CSI_HAS_FINISHED && !place->reopened)
        place->settled = true;
    else
        *is = where != CSI_AT_WORK && (own || may_adopt(feed));
    return CFSPLIT_OK;
}

/* The next piece of the own share, in the order of the list, that nobody has. */
static cfsplit_status claim_own(struct csi_feed *feed, uint64_t now_ms, bool *mine, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    *mine = false;
    for (uint32_t p = 0; status == CFSPLIT_OK && !*mine && p < feed->run->frozen.piece_count; p++) {
        bool is = false;
        if (is_own(feed, p))
            status = is_candidate(feed, p, &is, err);
        if (status == CFSPLIT_OK && is)
            status = try_piece(feed, p, now_ms, mine, err);
    }
    return status;
}

static void tell_missing(struct csi_feed *feed, uint32_t share)
{
    char sentence[96];
    if (feed->others.presence[share] != CSI_NEVER_CAME || share == feed->self->replica || feed->told_missing[share])
        return;
    feed->told_missing[share] = true;
    snprintf(sentence, sizeof sentence, "replica %" PRIu32 " has not come: going on with its items", share);
    feed->others.say(feed->others.say_context, sentence);
}

/* What is left by those that are gone, and the shares of those that did not come: from the back of the list, since owners
 * work from the front. */
static cfsplit_status claim_left(struct csi_feed *feed, uint64_t now_ms, bool *mine, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    while (status == CFSPLIT_OK && !*mine && feed->scan > 0) {
        uint32_t piece = --feed->scan;
        bool is;
        status = is_candidate(feed, piece, &is, err);
        if (status == CFSPLIT_OK && is)
            status = try_piece(feed, piece, now_ms, mine, err);
        if (*mine && feed->highest[piece] == 1)
            tell_missing(feed, feed->run->frozen.pieces[piece].share);
    }
    return status;
}

static uint64_t next_random(struct csi_feed *feed, uint64_t below)
{
    feed->random = feed->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (feed->random >> 33) % below;
}

/* The share of somebody at work with the most pieces that nobody has yet; 0: there is none. Of equals a random one, so that
 * helpers do not all come to the same. */
static uint32_t most_unclaimed(struct csi_feed *feed)
{
    uint32_t best = 0, equals = 0, replicas = feed->run->spec.replicas;
    memset(feed->unclaimed, 0, (replicas + 1) * sizeof *feed->unclaimed);
    for (uint32_t p = 0; p < feed->run->frozen.piece_count; p++)
        feed->unclaimed[feed->run->frozen.pieces[p].share] += feed->highest[p] == 0 && !feed->places[p].settled;
    for (uint32_t id = 1; id <= replicas; id++) {
        if (feed->unclaimed[id] == 0 || feed->others.presence[id] != CSI_PRESENT)
            continue;
        if (best && feed->unclaimed[id] < feed->unclaimed[best])
            continue;
        equals = best && feed->unclaimed[id] == feed->unclaimed[best] ? equals + 1 : 1;
        if (equals == 1 || next_random(feed, equals) == 0)
            best = id;
    }
    return best;
}

/* Takes a piece from the back of the share of somebody who is at work. */
static cfsplit_status help(struct csi_feed *feed, uint64_t now_ms, bool *mine, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    uint32_t share;
    while (status == CFSPLIT_OK && !*mine && may_adopt(feed) && (share = most_unclaimed(feed)) != 0) {
        uint32_t piece = (uint32_t)feed->run->frozen.piece_count;
        do
            piece--;
        while (feed->run->frozen.pieces[piece].share != share || feed->highest[piece] != 0 ||
               feed->places[piece].settled);
        status = try_piece(feed, piece, now_ms, mine, err);
    }
    return status;
}

/* Counts what is not ours and may yet come to us: pieces that nobody has, or somebody who may be lost. */
static cfsplit_status count_waiting(struct csi_feed *feed, uint32_t *pieces, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    *pieces = 0;
    for (uint32_t p = 0; status == CFSPLIT_OK && p < feed->run->frozen.piece_count; p++) {
        const struct csi_place *place = &feed->places[p];
        enum csi_whereabouts where = CSI_AT_WORK;
        if (place->settled || place->held || !(is_own(feed, p) || may_adopt(feed)))
            continue;
        if (feed->highest[p] > 0)
            status = owner_of(feed, p, &where, err);
        if (status == CFSPLIT_OK && !may_adopt(feed) &&
            (feed->highest[p] == 0 || feed->others.at[place->owner].seen_alive))
            continue; /* not to be had, whatever becomes of its owner */
        *pieces += where != CSI_HAS_FINISHED;
    }
    return status;
}

/* Becomes the one that stays, if nobody is. *wait: that cannot be told yet. */
static cfsplit_status stand_for_caretaker(struct csi_feed *feed, bool *wait, struct cfsplit_error *err)
{
    for (;;) {
        struct csi_inc owner;
        size_t at = 0;
        cfsplit_status status = csi_claim_owner(feed->run, CSI_CARETAKER, feed->caretaker_K + 1, &owner, err);
        if (status == CFSPLIT_OK) {
            feed->caretaker_K++;
            continue;
        }
        if (status == CFSPLIT_END && feed->caretaker_K > 0) {
            status = csi_claim_owner(feed->run, CSI_CARETAKER, feed->caretaker_K, &owner, err);
            if (status == CFSPLIT_OK)
                status = csi_others_add(&feed->others, &owner, &at, err);
            if (status != CFSPLIT_OK)
                return status;
            const struct csi_other *other = &feed->others.at[at];
            *wait = !other->seen_alive;
            if (other->where == CSI_AT_WORK)
                return CFSPLIT_OK;
        } else if (status != CFSPLIT_END) {
            return status;
        }
        status = csi_claim_take(feed->run, feed->self, CSI_CARETAKER, feed->caretaker_K + 1, &feed->caretaker, err);
        if (status != CFSPLIT_OK || feed->caretaker)
            return status;
    }
}

static void tell_waiting(struct csi_feed *feed, uint64_t now_ms)
{
    enum { patience_ms = 5000 };
    char sentence[160];
    uint32_t missing = 0, at_work = 0;
    if (feed->told_waiting || !feed->caretaker || now_ms - feed->idle_since_ms < patience_ms)
        return;
    for (uint32_t id = 1; id <= feed->run->spec.replicas; id++)
        missing += feed->others.presence[id] == CSI_NEVER_CAME;
    for (size_t i = 0; i < feed->others.count; i++)
        at_work +=
            feed->others.at[i].where == CSI_AT_WORK && strcmp(feed->others.list.at[i].name, feed->self->name) != 0;
    snprintf(sentence, sizeof sentence,
             "nothing left to take: waiting for %" PRIu32 " at work and %" PRIu32
             " that have not come; --no-adopt leaves at once",
             at_work, missing);
    feed->others.say(feed->others.say_context, sentence);
    feed->told_waiting = true;
}

/* When the others are looked at again: soon after we fell idle, then less often. */
static uint64_t look_interval_ms(const struct csi_feed *feed, uint64_t now_ms)
{
    uint64_t longest =
        feed->options->stall_after_ms / 6 < look_every_ms ? feed->options->stall_after_ms / 6 : look_every_ms;
    uint64_t interval = (now_ms - feed->idle_since_ms) / 8;
    interval = interval < look_first_ms ? look_first_ms : interval;
    return interval < longest ? interval : longest;
}

/* Nothing is to be had now. One replica stays for what the others may yet leave; the rest leave. */
static cfsplit_status decide_to_stay(struct csi_feed *feed, uint64_t now_ms, uint64_t running,
                                     struct cfsplit_error *err)
{
    uint32_t pieces;
    bool wait = running > 0 || feed->suspect_count > 0 || feed->again_count > 0; /* we have something to do yet */
    if (feed->idle_since_ms == 0)
        feed->idle_since_ms = now_ms;
    cfsplit_status status = count_waiting(feed, &pieces, err);
    if (status == CFSPLIT_OK && pieces > 0 && !feed->caretaker && !wait)
        status = stand_for_caretaker(feed, &wait, err);
    feed->waiting = pieces > 0 && (feed->caretaker || wait);
    feed->next_look_ms = now_ms + look_interval_ms(feed, now_ms);
    if (status == CFSPLIT_OK && feed->waiting)
        tell_waiting(feed, now_ms);
    return status;
}

static cfsplit_status look_around(struct csi_feed *feed, uint64_t now_ms, struct cfsplit_error *err)
{
    cfsplit_status status = csi_others_judge(&feed->others, now_ms, err);
    feed->scan = (uint32_t)feed->run->frozen.piece_count;
    return status == CFSPLIT_OK ? csi_claim_list(feed->run, feed->highest, err) : status;
}

/* Did somebody have a piece of our share before us? */
static bool has_former_owner(const struct csi_feed *feed)
{
    for (uint32_t p = 0; p < feed->run->frozen.piece_count; p++)
        if (is_own(feed, p) && feed->highest[p] > 0 && !feed->places[p].held)
            return true;
    return false;
}

/* Claims one more piece, if there is one to be had. */
static cfsplit_status claim_more(struct csi_feed *feed, uint64_t now_ms, uint64_t running, bool *mine,
                                 struct cfsplit_error *err)
{
    bool judged = feed->held_count == 0 && has_former_owner(feed);
    feed->waiting = false;
    cfsplit_status status = take_retries(feed, now_ms, err);
    if (status == CFSPLIT_OK && judged)
        status = look_around(feed, now_ms, err);
    if (status == CFSPLIT_OK)
        status = claim_own(feed, now_ms, mine, err);
    while (status == CFSPLIT_OK && !*mine) {
        status = claim_left(feed, now_ms, mine, err);
        if (status == CFSPLIT_OK && !*mine)
            status = help(feed, now_ms, mine, err);
        if (status != CFSPLIT_OK || *mine || judged)
            break;
        judged = true; /* an old judgement is no reason to leave */
        status = look_around(feed, now_ms, err);
    }
    if (status != CFSPLIT_OK)
        return status;
    if (!*mine)
        return decide_to_stay(feed, now_ms, running, err);
    feed->idle_since_ms = 0;
    return CFSPLIT_OK;
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
            if (is_open(entry) && entry->suspect)
                status = queue_suspect(feed, *index, err);
            else
                *found = is_open(entry) && !is_put_off(entry);
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
        status = claim_more(feed, now_ms, running, &mine, err);
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

cfsplit_status csi_feed_next(struct csi_feed *feed, uint64_t now_ms, uint64_t running, struct csi_next *next,
                             struct cfsplit_error *err)
{
    bool found;
    *next = (struct csi_next){.due_ms = UINT64_MAX};
    if (feed->alone)
        return CFSPLIT_END;
    cfsplit_status status = next_plain(feed, now_ms, running, next, &found, err);
    if (status != CFSPLIT_OK)
        return status;
    if (!found && !next_suspect(feed, running, next))
        return CFSPLIT_END;
    next->item = csi_feed_item(feed, next->index);
    next->attempt = entry_of(feed, next->index)->attempts + !next->aside;
    return CFSPLIT_OK;
}

cfsplit_status csi_feed_note(struct csi_feed *feed, const struct csi_record *record, uint64_t now_ms,
                             struct cfsplit_error *err)
{
    struct csi_held *h = held_of(feed, record->index);
    struct csi_entry *entry = csi_ledger_at(&h->ledger, record->index);
    csi_ledger_take(&h->ledger, h->K, record, true);
    if (record->kind != CSI_RECORD_END)
        return CFSPLIT_OK;
    feed->worked = true;
    feed->alone = false; /* what runs alone is all that runs */
    if (!is_open(entry) || is_put_off(entry) || record->class == CSI_STOPPED)
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
