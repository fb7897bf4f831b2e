#include "node/staying.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/killpoint.h"
#include "node/claiming.h"

enum { look_first_ms = 20, look_every_ms = 2000, crowd = 16 };

/* What somebody will do can be relied on if he was seen alive since we have nothing to do any more. Before that he may have died
 * together with those that he was to look after. */
static bool is_surely_alive(const struct csi_feed *feed, size_t at)
{
    return feed->free_since_ms != 0 && feed->others.at[at].alive_ms >= feed->free_since_ms;
}

/* Without adoption there is one thing to wait for: whether an earlier life of ours, on another machine, is lost. */
static cfsplit_status may_be_former_self(struct csi_feed *feed, uint32_t piece, bool *may, struct cfsplit_error *err)
{
    enum csi_whereabouts where;
    size_t owner = 0;
    *may = false;
    cfsplit_status status = csi_piece_owner(feed, piece, &owner, err);
    if (status != CFSPLIT_OK || feed->others.list.at[owner].replica != feed->self->replica)
        return status;
    status = csi_others_where(&feed->others, owner, &where, err);
    *may = where == CSI_AT_WORK && !is_surely_alive(feed, owner);
    return status;
}

cfsplit_status csi_stay_for(struct csi_feed *feed, uint32_t piece, struct cfsplit_error *err)
{
    bool may = csi_may_adopt(feed);
    cfsplit_status status = CFSPLIT_OK;
    if (feed->something || feed->highest[piece] == 0 || feed->places[piece].settled || feed->places[piece].held ||
        csi_piece_was_handed_out(feed, piece))
        return CFSPLIT_OK;
    if (!may)
        status = may_be_former_self(feed, piece, &may, err);
    feed->something = may;
    return status;
}

/* Is there a piece that nobody has, and that may yet come to us? */
static bool has_unclaimed(const struct csi_feed *feed)
{
    for (uint32_t p = 0; csi_may_adopt(feed) && p < feed->run->frozen.piece_count; p++)
        if (feed->highest[p] == 0 && !feed->places[p].settled)
            return true;
    return false;
}

/* Whether somebody stays. *wait: that cannot be told yet. */
static cfsplit_status look_for_caretaker(struct csi_feed *feed, bool *there, bool *wait, struct cfsplit_error *err)
{
    struct csi_inc owner;
    enum csi_whereabouts where = CSI_HAS_LEFT;
    size_t at = 0;
    cfsplit_status status;
    while ((status = csi_claim_peek(feed->run, CSI_CARETAKER, feed->caretaker_K + 1, &owner, err)) == CFSPLIT_OK)
        feed->caretaker_K++;
    *there = false;
    if (status != CFSPLIT_END || feed->caretaker_K == 0)
        return status == CFSPLIT_END ? CFSPLIT_OK : status;
    status = csi_claim_owner(feed->run, CSI_CARETAKER, feed->caretaker_K, &owner, err);
    if (status == CFSPLIT_OK)
        status = csi_others_add(&feed->others, &owner, &at, err);
    if (status == CFSPLIT_OK)
        status = csi_others_where(&feed->others, at, &where, err);
    *there = status == CFSPLIT_OK && where == CSI_AT_WORK && !csi_claim_is_laid_down(feed->run, feed->caretaker_K);
    *wait = *there && !is_surely_alive(feed, at);
    return status;
}

/* Becomes the one that stays, unless somebody is quicker. */
static cfsplit_status stand_for_caretaker(struct csi_feed *feed, bool *wait, struct cfsplit_error *err)
{
    bool there = false;
    cfsplit_status status = CFSPLIT_OK;
    while (status == CFSPLIT_OK && !feed->caretaker && !there) {
        status = csi_claim_take(feed->run, feed->self, CSI_CARETAKER, feed->caretaker_K + 1, &feed->caretaker, err);
        feed->caretaker_K += feed->caretaker;
        if (feed->caretaker)
            CSI_KILL_POINT("claim.caretaker");
        else if (status == CFSPLIT_OK)
            status = look_for_caretaker(feed, &there, wait, err);
    }
    return status;
}

cfsplit_status csi_stay_lay_down(struct csi_feed *feed, struct cfsplit_error *err)
{
    if (!feed->caretaker)
        return CFSPLIT_OK;
    feed->caretaker = false;
    return csi_claim_lay_down(feed->run, feed->self, feed->caretaker_K, err);
}

/* "replica 3 on node7 and 2 more" */
static cfsplit_status name_those_at_work(struct csi_feed *feed, char names[128], uint32_t *at_work,
                                         struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    *at_work = 0;
    for (size_t i = 0; status == CFSPLIT_OK && i < feed->others.count; i++) {
        enum csi_whereabouts where;
        status = csi_others_where(&feed->others, i, &where, err);
        const struct csi_inc *inc = &feed->others.list.at[i];
        if (status != CFSPLIT_OK || where != CSI_AT_WORK || inc->coordinator ||
            strcmp(inc->name, feed->self->name) == 0)
            continue;
        if ((*at_work)++ == 0 && inc->replica)
            snprintf(names, 128, "replica %" PRIu32 " on %s", inc->replica, inc->host);
        else if (*at_work == 1)
            snprintf(names, 128, "a spare on %s", inc->host);
    }
    size_t length = *at_work ? strlen(names) : 0;
    if (*at_work > 1)
        snprintf(names + length, 128 - length, " and %" PRIu32 " more", *at_work - 1);
    return status;
}

static cfsplit_status tell_waiting(struct csi_feed *feed, uint64_t now_ms, struct cfsplit_error *err)
{
    enum { patience_ms = 5000 };
    char sentence[256], names[128] = "";
    uint32_t missing = 0, at_work;
    if (feed->told_waiting || !feed->caretaker || now_ms - feed->idle_since_ms < patience_ms)
        return CFSPLIT_OK;
    for (uint32_t id = 1; id <= feed->run->spec.replicas; id++)
        missing += !csi_others_has_come(&feed->others, id);
    cfsplit_status status = name_those_at_work(feed, names, &at_work, err);
    if (status != CFSPLIT_OK)
        return status;
    int n = snprintf(sentence, sizeof sentence, "nothing left to take: staying until the others have ended");
    if (at_work)
        n += snprintf(sentence + n, sizeof sentence - (size_t)n, "; at work: %s", names);
    if (missing)
        snprintf(sentence + n, sizeof sentence - (size_t)n, "; not come yet: %" PRIu32, missing);
    feed->others.say(feed->others.say_context, sentence);
    feed->told_waiting = true;
    return CFSPLIT_OK;
}

bool csi_stay_is_busy(const struct csi_feed *feed, uint64_t running)
{
    return running > 0 || feed->suspect_count > 0 || feed->again_count > 0;
}

void csi_stay_note_busy(struct csi_feed *feed, uint64_t now_ms, uint64_t running)
{
    if (csi_stay_is_busy(feed, running))
        feed->free_since_ms = 0;
    else if (feed->free_since_ms == 0)
        feed->free_since_ms = now_ms;
}

/* When the others are looked at again: soon after we fell idle, then less often. Of many replicas each looks less often, so that
 * all of them ask storage for about as much as a few do; the caretaker does not. */
static uint64_t look_interval_ms(const struct csi_feed *feed, uint64_t now_ms)
{
    uint64_t share = feed->caretaker ? 1 : 1 + feed->run->spec.replicas / crowd;
    uint64_t shortest = look_first_ms * share, longest = look_every_ms * share;
    if (longest > feed->options->stall_after_ms / 6)
        longest = feed->options->stall_after_ms / 6;
    uint64_t interval = (now_ms - feed->idle_since_ms) / 8;
    interval = interval < shortest ? shortest : interval;
    return interval < longest ? interval : longest;
}

/* Nothing is to be had now. One replica stays for what the others may yet leave; the rest leave. */
cfsplit_status csi_stay_decide(struct csi_feed *feed, uint64_t now_ms, uint64_t running, bool *look_on,
                               struct cfsplit_error *err)
{
    bool wait = csi_stay_is_busy(feed, running);
    bool something = feed->something || has_unclaimed(feed), there = false;
    cfsplit_status status = CFSPLIT_OK;
    wait = wait || !csi_may_adopt(feed); /* who takes nothing from others is no caretaker, and waits for itself */
    if (feed->idle_since_ms == 0)
        feed->idle_since_ms = now_ms;
    if (!feed->caretaker && !wait && (something || feed->unprobed > 0))
        status = look_for_caretaker(feed, &there, &wait, err);
    *look_on = status == CFSPLIT_OK && !feed->caretaker && !wait && !there && !something && feed->unprobed > 0;
    if (status != CFSPLIT_OK || *look_on)
        return status;
    if (something && !feed->caretaker && !wait && !there)
        status = stand_for_caretaker(feed, &wait, err);
    feed->waiting = (something || feed->unprobed > 0) && (feed->caretaker || wait);
    feed->next_look_ms = now_ms + look_interval_ms(feed, now_ms);
    return status == CFSPLIT_OK && feed->waiting ? tell_waiting(feed, now_ms, err) : status;
}
