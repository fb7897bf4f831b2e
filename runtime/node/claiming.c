#include "node/claiming.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

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

cfsplit_status csi_piece_list_near(struct csi_feed *feed, uint32_t piece, struct cfsplit_error *err)
{
    uint32_t from, end;
    cfsplit_status status = csi_claim_list_near(feed->run, piece, feed->highest, &from, &end, err);
    for (; status == CFSPLIT_OK && from < end; from++)
        feed->places[from].listed = true;
    return status;
}

cfsplit_status csi_piece_try(struct csi_feed *feed, uint32_t piece, uint64_t now_ms, bool *mine,
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
        open += csi_entry_is_open(&ledger.at[i]);
    if (status == CFSPLIT_OK && gone && open == 0)
        feed->places[piece].settled = true;
    if (status == CFSPLIT_OK && gone && open > 0) {
        status = csi_claim_take(feed->run, feed->self, piece, K + 1, mine, err);
        if (status == CFSPLIT_OK)
            feed->highest[piece] = K + 1;
        if (status == CFSPLIT_OK && !*mine) /* somebody was quicker, here and perhaps beside it */
            status = csi_piece_list_near(feed, piece, err);
    }
    if (status == CFSPLIT_OK && *mine)
        status = hold(feed, piece, K + 1, &ledger, err);
    csi_ledger_fini(&ledger);
    return status;
}

bool csi_piece_is_own(const struct csi_feed *feed, uint32_t piece)
{
    return feed->run->frozen.pieces[piece].share == feed->self->replica;
}

cfsplit_status csi_piece_owner(struct csi_feed *feed, uint32_t piece, size_t *owner_at, struct cfsplit_error *err)
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
    *owner_at = place->owner;
    return CFSPLIT_OK;
}

bool csi_piece_was_handed_out(const struct csi_feed *feed, uint32_t piece)
{
    const struct csi_place *place = &feed->places[piece];
    return place->owner_K > 0 && feed->others.list.at[place->owner].coordinator;
}

bool csi_may_adopt(const struct csi_feed *feed)
{
    return feed->options->no_adopt != 1 || feed->self->replica == 0;
}

/* Nobody ever had a piece: may we, though it is not of our share? */
static cfsplit_status is_nobodys(struct csi_feed *feed, uint32_t share, bool *is, struct cfsplit_error *err)
{
    enum csi_presence presence;
    *is = share == 0 || feed->self->replica == 0;
    if (*is || !csi_may_adopt(feed))
        return CFSPLIT_OK;
    cfsplit_status status = csi_others_presence(&feed->others, share, &presence, err);
    *is = presence == CSI_GONE || (presence == CSI_NEVER_CAME && feed->others.age_ms >= feed->options->adopt_after_ms);
    return status;
}

cfsplit_status csi_piece_is_candidate(struct csi_feed *feed, uint32_t piece, bool *is, struct cfsplit_error *err)
{
    struct csi_place *place = &feed->places[piece];
    enum csi_whereabouts where = CSI_AT_WORK;
    bool own = csi_piece_is_own(feed, piece);
    size_t owner = 0;
    *is = own && feed->highest[piece] == 0 && !place->settled && !place->held;
    if (place->settled || place->held || *is)
        return CFSPLIT_OK;
    if (feed->highest[piece] == 0)
        return is_nobodys(feed, feed->run->frozen.pieces[piece].share, is, err);
    cfsplit_status status = csi_piece_owner(feed, piece, &owner, err);
    if (status != CFSPLIT_OK || csi_piece_was_handed_out(feed, piece))
        return status;
    own = own || feed->others.list.at[owner].replica == feed->self->replica; /* an earlier life of ours had it */
    if (!own && !csi_may_adopt(feed))
        return CFSPLIT_OK; /* wherever it is */
    status = csi_others_where(&feed->others, owner, &where, err);
    if (where == CSI_HAS_FINISHED && !place->reopened)
        place->settled = true;
    else
        *is = where != CSI_AT_WORK;
    return status;
}
