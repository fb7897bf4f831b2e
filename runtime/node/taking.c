#include "node/taking.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "node/claiming.h"
#include "node/staying.h"

enum { few = 32 }; /* pieces that others have and that an idle replica keeps an eye on, unless it must know of all */

static void tell_missing(struct csi_feed *feed, uint32_t share)
{
    char sentence[96];
    bool missing = share != 0 && share != feed->self->replica && !csi_others_has_come(&feed->others, share);
    if (!missing || feed->told_missing[share])
        return;
    feed->told_missing[share] = true;
    snprintf(sentence, sizeof sentence, "replica %" PRIu32 " has not come: going on with its items", share);
    feed->others.say(feed->others.say_context, sentence);
}

/* Claims a piece if it is to be had. */
static cfsplit_status try_piece(struct csi_feed *feed, uint32_t piece, uint64_t now_ms, bool *mine,
                                struct cfsplit_error *err)
{
    bool is;
    cfsplit_status status = csi_piece_is_candidate(feed, piece, &is, err);
    if (status == CFSPLIT_OK && is)
        status = csi_piece_try(feed, piece, now_ms, mine, err);
    return status == CFSPLIT_OK && !*mine ? csi_stay_for(feed, piece, err) : status;
}

/* The next piece of the own share, in the order of the list, that nobody has, or somebody who is gone. Blocks that somebody has
 * are nobody's own. */
static cfsplit_status claim_own(struct csi_feed *feed, uint64_t now_ms, bool *mine, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    *mine = false;
    for (uint32_t p = 0; status == CFSPLIT_OK && !*mine && p < feed->run->frozen.piece_count; p++)
        if (csi_piece_is_own(feed, p) && (feed->highest[p] == 0 || feed->run->frozen.pieces[p].share != 0))
            status = try_piece(feed, p, now_ms, mine, err);
    return status;
}

static uint64_t next_random(struct csi_feed *feed, uint64_t below)
{
    feed->random = feed->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (feed->random >> 33) % below;
}

static bool is_free_block(const struct csi_feed *feed, uint32_t piece)
{
    return feed->run->frozen.pieces[piece].share == 0 && feed->highest[piece] == 0 && !feed->places[piece].settled;
}

/* Strategy blocks: the block of our number first, then one of the foremost, which are the largest, that nobody has: a random
 * one of as many as a quarter of the replicas, so that few come to the same, and no large one is left for the end. */
static cfsplit_status claim_block(struct csi_feed *feed, uint64_t now_ms, bool *mine, struct cfsplit_error *err)
{
    const struct csi_frozen *f = &feed->run->frozen;
    uint32_t window = 1 + feed->run->spec.replicas / 4, own = feed->self->replica - 1;
    cfsplit_status status = CFSPLIT_OK;
    if (feed->held_count == 0 && feed->self->replica && own < f->piece_count && is_free_block(feed, own))
        status = csi_piece_try(feed, own, now_ms, mine, err);
    while (status == CFSPLIT_OK && !*mine) {
        uint32_t chosen = UINT32_MAX, seen = 0;
        for (uint32_t p = 0; status == CFSPLIT_OK && p < f->piece_count && seen < window; p++) {
            if (f->pieces[p].share == 0 && !feed->places[p].listed)
                status = csi_piece_list_near(feed, p, err);
            if (is_free_block(feed, p) && next_random(feed, ++seen) == 0)
                chosen = p;
        }
        if (status != CFSPLIT_OK || chosen == UINT32_MAX)
            break;
        status = csi_piece_try(feed, chosen, now_ms, mine, err);
    }
    return status;
}

/* What nobody has of the shares of those that are gone or did not come: from the back of the list, since owners work from the
 * front. */
static cfsplit_status claim_unclaimed(struct csi_feed *feed, uint64_t now_ms, bool *mine, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    while (status == CFSPLIT_OK && !*mine && feed->scan > 0) {
        uint32_t piece = --feed->scan;
        if (feed->highest[piece] == 0)
            status = try_piece(feed, piece, now_ms, mine, err);
        if (*mine)
            tell_missing(feed, feed->run->frozen.pieces[piece].share);
    }
    return status;
}

/* What those have left who had it and are gone: looks at `most` pieces, and with `until_something` no longer than until it is
 * known that something may yet come. */
static cfsplit_status claim_left(struct csi_feed *feed, uint64_t now_ms, size_t most, bool until_something, bool *mine,
                                 struct cfsplit_error *err)
{
    uint32_t pieces = (uint32_t)feed->run->frozen.piece_count;
    cfsplit_status status = CFSPLIT_OK;
    while (status == CFSPLIT_OK && !*mine && feed->unprobed > 0 && most > 0 && !(until_something && feed->something)) {
        uint32_t piece = (feed->probe + pieces - feed->unprobed--) % pieces;
        const struct csi_place *place = &feed->places[piece];
        bool looked = csi_piece_is_own(feed, piece) && feed->run->frozen.pieces[piece].share != 0; /* by claim_own */
        if (looked || feed->highest[piece] == 0 || place->settled || place->held)
            continue;
        most--;
        status = try_piece(feed, piece, now_ms, mine, err);
    }
    return status;
}

/* The share of somebody at work with the most pieces that nobody has yet; 0: there is none. Of equals a random one, so that
 * helpers do not all come to the same. */
static cfsplit_status most_unclaimed(struct csi_feed *feed, uint32_t *best, struct cfsplit_error *err)
{
    uint32_t equals = 0, replicas = feed->run->spec.replicas;
    cfsplit_status status = CFSPLIT_OK;
    *best = 0;
    memset(feed->unclaimed, 0, (replicas + 1) * sizeof *feed->unclaimed);
    for (uint32_t p = 0; p < feed->run->frozen.piece_count; p++)
        feed->unclaimed[feed->run->frozen.pieces[p].share] += feed->highest[p] == 0 && !feed->places[p].settled;
    for (uint32_t id = 1; status == CFSPLIT_OK && id <= replicas; id++) {
        enum csi_presence presence;
        if (feed->unclaimed[id] == 0 || (*best && feed->unclaimed[id] < feed->unclaimed[*best]))
            continue;
        status = csi_others_presence(&feed->others, id, &presence, err);
        if (status != CFSPLIT_OK || presence != CSI_PRESENT)
            continue;
        equals = *best && feed->unclaimed[id] == feed->unclaimed[*best] ? equals + 1 : 1;
        if (equals == 1 || next_random(feed, equals) == 0)
            *best = id;
    }
    return status;
}

/* Takes a piece from the back of the share of somebody who is at work. */
static cfsplit_status help(struct csi_feed *feed, uint64_t now_ms, bool *mine, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    uint32_t share;
    while (status == CFSPLIT_OK && !*mine && csi_may_adopt(feed)) {
        uint32_t piece = (uint32_t)feed->run->frozen.piece_count;
        status = most_unclaimed(feed, &share, err);
        if (status != CFSPLIT_OK || share == 0)
            break;
        do
            piece--;
        while (feed->run->frozen.pieces[piece].share != share || feed->highest[piece] != 0 ||
               feed->places[piece].settled);
        status = csi_piece_try(feed, piece, now_ms, mine, err);
    }
    return status;
}

/* Who stays looks at all that others have, and so does who waits for its own earlier life alone. Who still has something to do
 * looks at all of it now and then: an item can run for hours beside a free slot. Who has nothing to do leaves it to the caretaker. */
static size_t how_many(struct csi_feed *feed, uint64_t now_ms, uint64_t running)
{
    if (feed->caretaker || !csi_may_adopt(feed))
        return SIZE_MAX;
    bool due = now_ms >= feed->look_at_all_ms && feed->idle_since_ms != 0;
    if (due || feed->idle_since_ms == 0) /* often enough to tell who is silent */
        feed->look_at_all_ms = now_ms + feed->options->stall_after_ms / 6;
    return due && csi_stay_is_busy(feed, running) ? SIZE_MAX : few;
}

static cfsplit_status look_around(struct csi_feed *feed, uint64_t now_ms, uint64_t running, struct cfsplit_error *err)
{
    cfsplit_status status = csi_others_look(&feed->others, now_ms, err);
    if (status == CFSPLIT_OK && feed->caretaker)
        status = csi_others_judge(&feed->others, err);
    feed->look_at_most = how_many(feed, now_ms, running);
    feed->scan = (uint32_t)feed->run->frozen.piece_count;
    feed->unprobed = feed->scan;
    feed->something = false;
    return status == CFSPLIT_OK ? csi_claim_list(feed->run, feed->highest, err) : status;
}

/* Did somebody have a piece of our share before us? */
static bool has_former_owner(const struct csi_feed *feed)
{
    for (uint32_t p = 0; p < feed->run->frozen.piece_count; p++)
        if (csi_piece_is_own(feed, p) && feed->highest[p] > 0 && !feed->places[p].held)
            return true;
    return false;
}

/* Claims one more piece, as of the last look. */
static cfsplit_status take_seen(struct csi_feed *feed, uint64_t now_ms, bool *mine, struct cfsplit_error *err)
{
    cfsplit_status status = claim_own(feed, now_ms, mine, err);
    if (status == CFSPLIT_OK && !*mine)
        status = claim_block(feed, now_ms, mine, err);
    if (status == CFSPLIT_OK && !*mine)
        status = claim_unclaimed(feed, now_ms, mine, err);
    if (status == CFSPLIT_OK && !*mine)
        status = help(feed, now_ms, mine, err);
    if (status == CFSPLIT_OK && !*mine)
        status = claim_left(feed, now_ms, feed->look_at_most, false, mine, err);
    return status;
}

/* Nothing that was seen is to be had: stays or leaves, and looks on as long as neither can be decided. */
static cfsplit_status decide(struct csi_feed *feed, uint64_t now_ms, uint64_t running, bool *mine,
                             struct cfsplit_error *err)
{
    bool look_on;
    cfsplit_status status = csi_stay_decide(feed, now_ms, running, &look_on, err);
    if (status == CFSPLIT_OK && look_on)
        status = claim_left(feed, now_ms, SIZE_MAX, true, mine, err);
    if (status == CFSPLIT_OK && look_on && !*mine)
        status = csi_stay_decide(feed, now_ms, running, &look_on, err);
    return status;
}

cfsplit_status csi_take_more(struct csi_feed *feed, uint64_t now_ms, uint64_t running, bool *mine,
                             struct cfsplit_error *err)
{
    bool looked = feed->held_count == 0 && has_former_owner(feed);
    *mine = false;
    feed->waiting = false;
    csi_stay_note_busy(feed, now_ms, running);
    cfsplit_status status = csi_feed_refresh(feed, err);
    if (status == CFSPLIT_OK)
        status = csi_feed_take_retries(feed, now_ms, err);
    if (status == CFSPLIT_OK && csi_stay_is_busy(feed, running)) /* something was opened again that we have */
        status = csi_stay_lay_down(feed, err);
    if (status == CFSPLIT_OK && looked)
        status = look_around(feed, now_ms, running, err);
    if (status == CFSPLIT_OK)
        status = take_seen(feed, now_ms, mine, err);
    if (status == CFSPLIT_OK && !*mine && !looked) { /* an old look is no reason to leave */
        status = look_around(feed, now_ms, running, err);
        if (status == CFSPLIT_OK)
            status = take_seen(feed, now_ms, mine, err);
    }
    if (status == CFSPLIT_OK && !*mine)
        status = decide(feed, now_ms, running, mine, err);
    if (status != CFSPLIT_OK || !*mine)
        return status;
    feed->idle_since_ms = feed->free_since_ms = 0;
    return csi_stay_lay_down(feed, err);
}
