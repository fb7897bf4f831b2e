/* What a coordinator does by itself: takes stock, takes pieces, and looks around all the time. */
#include "node/leading.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/killpoint.h"
#include "rundir/claim.h"
#include "rundir/order.h"

enum {
    ahead_s = 30, /* so much work is claimed ahead */
    seen_every_ms = 2000,
    relist_every_ms = 2000
};

/* ---- taking stock */

static cfsplit_status make_room(struct csi_leading *l, struct cfsplit_error *err)
{
    size_t pieces = l->run->frozen.piece_count;
    struct csi_led_piece *more = realloc(l->pieces, (pieces + 1) * sizeof *more);
    if (more)
        l->pieces = more;
    uint32_t *highest = realloc(l->highest, (pieces + 1) * sizeof *highest);
    if (highest)
        l->highest = highest;
    uint32_t *released = realloc(l->released, (pieces + 1) * sizeof *released);
    if (released)
        l->released = released;
    if (!more || !highest || !released)
        return csi_fail_memory(err);
    for (; l->piece_count < pieces; l->piece_count++) {
        more[l->piece_count] = (struct csi_led_piece){0};
        highest[l->piece_count] = released[l->piece_count] = 0;
    }
    l->peers.released = released;
    l->peers.released_count = pieces;
    return CFSPLIT_OK;
}

static cfsplit_status list_claims(struct csi_leading *l, struct cfsplit_error *err)
{
    cfsplit_status status = csi_claim_list(l->run, l->highest, err);
    for (size_t p = 0; status == CFSPLIT_OK && p < l->piece_count; p++)
        if (l->pieces[p].highest < l->highest[p])
            l->pieces[p].highest = l->highest[p];
    l->relist_ms = l->now_ms + relist_every_ms;
    return status;
}

static cfsplit_status check_peers(struct csi_leading *l, bool all, struct cfsplit_error *err)
{
    uint64_t patience = l->options.takeover_after_ms / 2;
    cfsplit_status status = CFSPLIT_OK;
    for (size_t i = 0; status == CFSPLIT_OK && i < l->peers.count; i++) {
        struct csi_peer *peer = &l->peers.at[i];
        bool quiet = peer->session == 0 || l->now_ms - peer->heard_ms >= patience;
        bool had_session = peer->session != 0;
        if (had_session &&
            l->now_ms - peer->heard_ms >= 2 * patience) { /* its journal tells, until it says HELLO again */
            peer->session = 0;
            csi_queue_pause(l->queue, peer->worker);
        }
        if (!peer->over && (all || quiet || !csi_peer_is_settled(&l->peers, i)))
            status = csi_peers_check(&l->peers, i, l->now_ms, err);
        l->connected -= had_session && l->peers.at[i].session == 0;
    }
    return status;
}

cfsplit_status csi_leading_take_stock(struct csi_leading *l, struct cfsplit_error *err)
{
    const struct csi_queue_options options = {.crash_limit = l->options.crash_limit, .batch = l->options.batch};
    cfsplit_status status = make_room(l, err);
    if (status == CFSPLIT_OK)
        status = csi_ledger_init(&l->ledger, 0, l->run->frozen.items, err);
    if (status == CFSPLIT_OK)
        status = csi_ledger_take_retries(&l->ledger, l->run, err);
    l->retry_seen = l->ledger.retry_seen;
    if (status == CFSPLIT_OK)
        status = csi_peers_refresh(&l->peers, err);
    if (status == CFSPLIT_OK)
        status = check_peers(l, true, err);
    if (status == CFSPLIT_OK)
        csi_peers_charge(&l->peers);
    if (status == CFSPLIT_OK)
        status = csi_queue_new(&options, &l->ledger, &l->queue, err);
    l->peers.queue = l->queue;
    if (status == CFSPLIT_OK)
        status = list_claims(l, err);
    l->recover_ms = l->now_ms + csi_epoch_unseen_ms(l->run);
    CSI_KILL_POINT("queue.stock-taken");
    return status;
}

/* ---- taking pieces */

static uint64_t open_items(const struct csi_leading *l, const struct csi_piece *piece)
{
    uint64_t open = 0;
    for (uint64_t i = piece->first; i < piece->first + piece->items; i++)
        open += csi_entry_is_open(&l->ledger.at[i]);
    return open;
}

/* Is whoever has claimed it last over, and read? */
static cfsplit_status is_free(struct csi_leading *l, uint32_t piece, bool *free_now, struct cfsplit_error *err)
{
    struct csi_inc owner;
    size_t at;
    *free_now = l->pieces[piece].highest == l->released[piece];
    if (*free_now || !l->recovered)
        return CFSPLIT_OK;
    cfsplit_status status = csi_claim_owner(l->run, piece, l->pieces[piece].highest, &owner, err);
    if (status == CFSPLIT_END)
        return csi_fail(err, CFSPLIT_DAMAGED, "claim %" PRIu32 " of piece %" PRIu32 " is missing",
                        l->pieces[piece].highest, piece);
    if (status != CFSPLIT_OK)
        return status;
    if (owner.coordinator) { /* of an earlier epoch, or there would be no epoch of ours */
        *free_now = true;
        return CFSPLIT_OK;
    }
    status = csi_peers_find(&l->peers, owner.name, strlen(owner.name), &at, err);
    *free_now = status == CFSPLIT_OK && at != SIZE_MAX && l->peers.at[at].over;
    return status;
}

/* Is there a later epoch? Then everything here is over. */
static cfsplit_status look_for_successor(struct csi_leading *l, struct cfsplit_error *err)
{
    struct csi_epoch next;
    cfsplit_status status = csi_epoch_last(l->run, l->epoch.K, &next, err);
    if (status == CFSPLIT_OK)
        l->end = CSI_LEADING_FENCED;
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}

static cfsplit_status open_piece(struct csi_leading *l, uint32_t piece, struct cfsplit_error *err)
{
    const struct csi_piece *p = &l->run->frozen.pieces[piece];
    cfsplit_status status = CFSPLIT_OK;
    if (l->pieces[piece].highest > 1)
        status = csi_peers_hold(&l->peers, p->first, p->items, err);
    return status == CFSPLIT_OK ? csi_queue_open_piece(l->queue, p->first, p->items, l->now_ms, err) : status;
}

/* Brings what was claimed to the disk, and hands it out from then on. */
static cfsplit_status open_linked(struct csi_leading *l, struct cfsplit_error *err)
{
    bool had_owners = false;
    if (l->linked_count == 0)
        return CFSPLIT_OK;
    cfsplit_status status = csi_claim_sync(l->run, l->linked, l->linked_count, err);
    CSI_KILL_POINT("queue.piece-claimed");
    for (size_t i = 0; i < l->linked_count; i++)
        had_owners = had_owners || l->pieces[l->linked[i]].highest > 1;
    /* one that was stopped could take what a successor handed out who is over by now: who looks behind its claim finds him */
    if (status == CFSPLIT_OK && had_owners)
        status = look_for_successor(l, err);
    for (size_t i = 0; status == CFSPLIT_OK && l->end == CSI_LEADS && i < l->linked_count; i++)
        status = open_piece(l, l->linked[i], err);
    l->linked_count = 0;
    return status;
}

/* Claims a piece if it is free and something is open in it; open_linked is to follow. */
static cfsplit_status try_piece(struct csi_leading *l, uint32_t piece, bool *mine, struct cfsplit_error *err)
{
    struct csi_led_piece *led = &l->pieces[piece];
    bool free_now;
    *mine = false;
    if (led->mine || led->settled)
        return CFSPLIT_OK;
    cfsplit_status status = is_free(l, piece, &free_now, err);
    if (status != CFSPLIT_OK || !free_now)
        return status;
    if (led->highest > 0 && open_items(l, &l->run->frozen.pieces[piece]) == 0) {
        led->settled = true;
        return CFSPLIT_OK;
    }
    status = csi_claim_link(l->run, &l->self, piece, led->highest + 1, mine, err);
    if (status != CFSPLIT_OK)
        return status;
    led->highest++;
    led->mine = *mine;
    if (*mine)
        l->linked[l->linked_count++] = piece;
    return l->linked_count == CSI_LED_AT_ONCE ? open_linked(l, err) : CFSPLIT_OK;
}

static uint64_t enough(const struct csi_leading *l, const struct csi_queue_counts *counts)
{
    uint64_t asked = counts->wanted + (uint64_t)4 * CSI_QUEUE_BATCH_MAX + 2 * l->connected;
    double ahead = counts->per_s * ahead_s;
    return ahead > (double)asked ? (uint64_t)ahead : asked;
}

cfsplit_status csi_leading_take_pieces(struct csi_leading *l, struct cfsplit_error *err)
{
    struct csi_queue_counts counts;
    cfsplit_status status = CFSPLIT_OK;
    bool mine;
    int taken = 0;
    if (l->connected == 0 || l->complete)
        return status;
    csi_queue_count(l->queue, &counts);
    uint64_t aim = enough(l, &counts);
    for (; status == CFSPLIT_OK && counts.waiting < aim && taken < CSI_LED_AT_ONCE && l->fresh < l->piece_count;
         l->fresh++) {
        if (l->pieces[l->fresh].highest > 0)
            continue;
        status = try_piece(l, l->fresh, &mine, err);
        taken += mine;
        counts.waiting += mine ? l->run->frozen.pieces[l->fresh].items : 0;
    }
    return status == CFSPLIT_OK ? open_linked(l, err) : status;
}

/* Pieces that somebody had: all that are free now. */
static cfsplit_status recover(struct csi_leading *l, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    bool mine;
    if (!l->recovered && (l->now_ms < l->recover_ms || !csi_peers_are_settled(&l->peers)))
        return status;
    if (!l->recovered) { /* who came before the wait was over may not have been seen then */
        status = csi_peers_refresh(&l->peers, err);
        l->recovered = status == CFSPLIT_OK && csi_peers_are_settled(&l->peers);
    }
    if (status == CFSPLIT_OK && l->now_ms >= l->relist_ms)
        status = list_claims(l, err);
    if (status == CFSPLIT_OK && l->recovered)
        status = look_for_successor(l, err);
    for (uint32_t p = 0; status == CFSPLIT_OK && l->recovered && l->end == CSI_LEADS && p < l->piece_count; p++)
        if (l->pieces[p].highest > 0)
            status = try_piece(l, p, &mine, err);
    return status == CFSPLIT_OK ? open_linked(l, err) : status;
}

/* ---- every interval_ms */

static cfsplit_status look_at_self(struct csi_leading *l, struct cfsplit_error *err)
{
    struct cfsplit_error failure;
    struct csi_seal seal;
    (void)csi_heart_silent_ms(&l->heart, &failure);
    if (failure.status != CFSPLIT_OK) {
        *err = failure;
        return failure.status;
    }
    cfsplit_status status = csi_fence_look(l->run, l->self.name, &seal, err);
    if (status != CFSPLIT_OK)
        return status;
    if (seal.state != CSI_FENCE_NONE)
        l->end = CSI_LEADING_FENCED;
    return look_for_successor(l, err);
}

static cfsplit_status take_orders(struct csi_leading *l, struct cfsplit_error *err)
{
    for (;;) {
        struct csi_reopened *items;
        size_t count;
        cfsplit_status status = csi_order_read_retry(l->run, l->retry_seen + 1, &items, &count, err);
        if (status != CFSPLIT_OK)
            return status == CFSPLIT_END ? CFSPLIT_OK : status;
        l->retry_seen++;
        for (size_t i = 0; status == CFSPLIT_OK && i < count; i++) {
            l->pieces[csi_frozen_piece_of(&l->run->frozen, items[i].index)].settled = false;
            status = csi_queue_reopen(l->queue, items[i].index, items[i].attempts, l->now_ms, err);
        }
        l->complete = false;
        free(items);
        if (status != CFSPLIT_OK)
            return status;
    }
}

static cfsplit_status take_extension(struct csi_leading *l, struct cfsplit_error *err)
{
    cfsplit_status status = csi_run_refresh(l->run, err);
    uint64_t items = l->run->frozen.items;
    if (status != CFSPLIT_OK || items == l->ledger.count)
        return status;
    struct csi_entry *more = realloc(l->ledger.at, (size_t)items * sizeof *more);
    if (!more)
        return csi_fail_memory(err);
    memset(more + l->ledger.count, 0, (size_t)(items - l->ledger.count) * sizeof *more);
    l->ledger.at = more;
    l->ledger.count = items;
    l->complete = false;
    status = make_room(l, err);
    return status == CFSPLIT_OK ? csi_queue_grow(l->queue, err) : status;
}

static bool has_all_pieces(const struct csi_leading *l)
{
    bool all = l->fresh == l->piece_count && l->recovered;
    for (size_t p = 0; all && p < l->piece_count; p++)
        all = l->pieces[p].mine || l->pieces[p].settled;
    return all;
}

static bool is_complete(const struct csi_leading *l)
{
    struct csi_queue_counts counts;
    csi_queue_count(l->queue, &counts);
    return counts.waiting == 0 && counts.held == 0 && has_all_pieces(l);
}

cfsplit_status csi_leading_look_for_the_end(struct csi_leading *l, struct cfsplit_error *err)
{
    bool complete = is_complete(l);
    cfsplit_status status = CFSPLIT_OK;
    if (complete && !l->complete) { /* what was ordered before the end is done before it */
        status = take_extension(l, err);
        if (status == CFSPLIT_OK)
            status = take_orders(l, err);
        complete = status == CFSPLIT_OK && is_complete(l);
    }
    if (complete && !l->complete) {
        l->home_ms = l->now_ms;
        csi_leading_tell_all(l, CSI_MESSAGE_HOME);
    }
    l->complete = complete;
    csi_queue_complete(l->queue, has_all_pieces(l));
    return status;
}

/* What `status` shows. It is no proof of anything: a failure is not one. */
void csi_leading_tell_seen(struct csi_leading *l)
{
    struct csi_server_counts server;
    struct csi_queue_counts counts;
    struct cfsplit_error err;
    struct csi_buf text = CSI_BUF_INIT;
    csi_server_count(l->server, &server);
    csi_queue_count(l->queue, &counts);
    csi_buf_addf(&text, "cfsplit-seen\t1\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n",
                 l->self.name, l->connected, server.refused, l->strange + server.oversized + server.malformed,
                 counts.waiting, counts.held);
    for (size_t i = 0; i < l->peers.count; i++) {
        const struct csi_peer *peer = &l->peers.at[i];
        struct csi_queue_worker worker;
        if (peer->session == 0 || peer->worker == CSI_QUEUE_NOBODY)
            continue;
        csi_queue_look(l->queue, peer->worker, &worker);
        csi_buf_addf(&text, "worker\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%.0f\t%" PRIu64 "\n",
                     l->peers.list.at[i].name, peer->slots, worker.held, worker.ended, worker.mean_us,
                     l->now_ms - peer->heard_ms);
    }
    if (csi_buf_check(&text, &err) == CFSPLIT_OK)
        (void)!csi_epoch_tell_seen(l->run, &l->epoch, text.data, text.length, &err);
    csi_buf_release(&text);
    l->seen_ms = l->now_ms;
    l->seen_connected = l->connected;
}

/* Who is dead, silent, over or settled by now; soon after a connection ended, for its process may be gone, and often while pieces wait
 * for that. */
static cfsplit_status sweep(struct csi_leading *l, bool whole, struct cfsplit_error *err)
{
    struct csi_server_counts server;
    csi_server_count(l->server, &server);
    bool lost_one = server.disconnected != l->disconnected;
    if (!whole && ((!lost_one && l->recovered) || l->now_ms - l->sweep_ms < l->interval_ms / 10))
        return CFSPLIT_OK;
    l->disconnected = server.disconnected;
    l->sweep_ms = l->now_ms;
    cfsplit_status status = csi_peers_refresh(&l->peers, err); /* who never called may have had pieces, too */
    if (status == CFSPLIT_OK)
        status = check_peers(l, lost_one, err);
    if (status == CFSPLIT_OK && l->peers.misled) /* a successor takes stock anew */
        l->end = CSI_LEADING_LEFT;
    return status == CFSPLIT_OK && l->end == CSI_LEADS ? recover(l, err) : status;
}

cfsplit_status csi_leading_tick(struct csi_leading *l, struct cfsplit_error *err)
{
    bool whole = l->now_ms - l->tick_ms >= l->interval_ms;
    cfsplit_status status = sweep(l, whole, err);
    if (status != CFSPLIT_OK || !whole)
        return status;
    l->tick_ms = l->now_ms;
    status = look_at_self(l, err);
    if (status == CFSPLIT_OK)
        status = take_extension(l, err);
    if (status == CFSPLIT_OK)
        status = take_orders(l, err);
    if (status == CFSPLIT_OK && (l->now_ms - l->seen_ms >= seen_every_ms || l->connected != l->seen_connected))
        csi_leading_tell_seen(l);
    return status;
}
