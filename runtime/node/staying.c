#include "node/staying.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/killpoint.h"
#include "node/claiming.h"

enum { look_first_ms = 20, look_every_ms = 2000 };

/* Without adoption there is one thing to wait for: whether an earlier life of ours, on another machine, is lost. */
static bool may_be_former_self(const struct csi_feed *feed, uint32_t piece)
{
    uint32_t owner = feed->places[piece].owner;
    return feed->highest[piece] > 0 && feed->others.list.at[owner].replica == feed->self->replica &&
           !feed->others.list.at[owner].coordinator && feed->others.at[owner].where == CSI_AT_WORK &&
           !feed->others.at[owner].seen_alive;
}

/* Counts what is not ours and may yet come to us: pieces that nobody has, or somebody who may be lost. */
static cfsplit_status count_waiting(struct csi_feed *feed, uint32_t *pieces, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    *pieces = 0;
    for (uint32_t p = 0; status == CFSPLIT_OK && p < feed->run->frozen.piece_count; p++) {
        const struct csi_place *place = &feed->places[p];
        enum csi_whereabouts where = CSI_AT_WORK;
        if (place->settled || place->held)
            continue;
        if (feed->highest[p] > 0)
            status = csi_piece_owner(feed, p, &where, err);
        if (status == CFSPLIT_OK)
            *pieces += csi_may_adopt(feed) ? where != CSI_HAS_FINISHED : may_be_former_self(feed, p);
    }
    return status;
}

/* Becomes the one that stays, if nobody is. *wait: that cannot be told yet. */
static cfsplit_status stand_for_caretaker(struct csi_feed *feed, bool *wait, struct cfsplit_error *err)
{
    for (;;) {
        struct csi_inc owner;
        size_t at = 0;
        cfsplit_status status = csi_claim_peek(feed->run, CSI_CARETAKER, feed->caretaker_K + 1, &owner, err);
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
            if (other->where == CSI_AT_WORK && !csi_claim_is_laid_down(feed->run, feed->caretaker_K))
                return CFSPLIT_OK;
            *wait = false;
        } else if (status != CFSPLIT_END) {
            return status;
        }
        status = csi_claim_take(feed->run, feed->self, CSI_CARETAKER, feed->caretaker_K + 1, &feed->caretaker, err);
        if (feed->caretaker)
            CSI_KILL_POINT("claim.caretaker");
        feed->caretaker_K += feed->caretaker;
        if (status != CFSPLIT_OK || feed->caretaker)
            return status;
    }
}

cfsplit_status csi_stay_lay_down(struct csi_feed *feed, struct cfsplit_error *err)
{
    if (!feed->caretaker)
        return CFSPLIT_OK;
    feed->caretaker = false;
    return csi_claim_lay_down(feed->run, feed->self, feed->caretaker_K, err);
}

/* "replica 3 on node7 and 2 more" */
static uint32_t name_those_at_work(const struct csi_feed *feed, char names[128])
{
    uint32_t at_work = 0;
    for (size_t i = 0; i < feed->others.count; i++) {
        const struct csi_inc *inc = &feed->others.list.at[i];
        if (feed->others.at[i].where != CSI_AT_WORK || inc->coordinator || strcmp(inc->name, feed->self->name) == 0)
            continue;
        if (at_work++ == 0 && inc->replica)
            snprintf(names, 128, "replica %" PRIu32 " on %s", inc->replica, inc->host);
        else if (at_work == 1)
            snprintf(names, 128, "a spare on %s", inc->host);
    }
    size_t length = at_work ? strlen(names) : 0;
    if (at_work > 1)
        snprintf(names + length, 128 - length, " and %" PRIu32 " more", at_work - 1);
    return at_work;
}

static void tell_waiting(struct csi_feed *feed, uint64_t now_ms)
{
    enum { patience_ms = 5000 };
    char sentence[256], names[128] = "";
    uint32_t missing = 0;
    if (feed->told_waiting || !feed->caretaker || now_ms - feed->idle_since_ms < patience_ms)
        return;
    for (uint32_t id = 1; id <= feed->run->spec.replicas; id++)
        missing += feed->others.presence[id] == CSI_NEVER_CAME;
    uint32_t at_work = name_those_at_work(feed, names);
    int n = snprintf(sentence, sizeof sentence, "nothing left to take: staying until the others have ended");
    if (at_work)
        n += snprintf(sentence + n, sizeof sentence - (size_t)n, "; at work: %s", names);
    if (missing)
        snprintf(sentence + n, sizeof sentence - (size_t)n, "; not come yet: %" PRIu32, missing);
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
cfsplit_status csi_stay_decide(struct csi_feed *feed, uint64_t now_ms, uint64_t running, struct cfsplit_error *err)
{
    uint32_t pieces;
    bool wait = running > 0 || feed->suspect_count > 0 || feed->again_count > 0; /* we have something to do yet */
    if (feed->idle_since_ms == 0)
        feed->idle_since_ms = now_ms;
    cfsplit_status status = count_waiting(feed, &pieces, err);
    wait = wait || !csi_may_adopt(feed); /* who takes nothing from others is no caretaker, and waits for itself */
    if (status == CFSPLIT_OK && pieces > 0 && !feed->caretaker && !wait)
        status = stand_for_caretaker(feed, &wait, err);
    feed->waiting = pieces > 0 && (feed->caretaker || wait);
    feed->next_look_ms = now_ms + look_interval_ms(feed, now_ms);
    if (status == CFSPLIT_OK && feed->waiting)
        tell_waiting(feed, now_ms);
    return status;
}
