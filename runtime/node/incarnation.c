#include "node/incarnation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/killpoint.h"
#include "base/text.h"
#include "rundir/fence.h"

enum { beat_every_ms = 10000, record_bytes = 2048, first_failures = 20 };

void csi_incarnation_say(const struct csi_incarnation *life, const char *sentence)
{
    if (life->voice.say)
        life->voice.say(life->voice.context, sentence);
}

static void say(void *context, const char *sentence)
{
    csi_incarnation_say(context, sentence);
}

/* Several beats fall into the silence after which a replica is taken for lost. */
static uint64_t beat_interval_ms(const struct csi_incarnation *life)
{
    uint64_t interval = life->options.stall_after_ms / 6;
    return interval > beat_every_ms ? beat_every_ms : interval > 0 ? interval : 1;
}

/* The next coordinator, in this process. */
static cfsplit_status stand(void *context, uint64_t K, bool *won, struct cfsplit_error *err)
{
    struct csi_incarnation *life = context;
    const struct csi_coordinator_options options = {.path = life->run->path,
                                                    .host = &life->inc,
                                                    .K = K,
                                                    .options = &life->options,
                                                    .client = &life->queued.keys,
                                                    .bind = life->bind};
    cfsplit_status status = csi_coordinator_start(&options, &life->coordinator, err);
    *won = life->coordinator != NULL;
    if (status != CFSPLIT_UNREACHABLE)
        return status;
    if (life->bind)
        return err->status = CFSPLIT_USAGE;  /* the address that was given is none of this host */
    csi_incarnation_say(life, err->message); /* others may, where this host cannot */
    life->cannot_lead = true;
    return CFSPLIT_OK;
}

static cfsplit_status join_queue(struct csi_incarnation *life, struct cfsplit_error *err)
{
    life->feed.queued = &life->queued;
    cfsplit_status status = csi_queued_init(&life->queued, life->run, &life->inc, &life->options, &life->journal, err);
    life->queued.say = say;
    life->queued.stand = stand;
    life->queued.context = life;
    return status;
}

cfsplit_status csi_incarnation_begin(struct csi_incarnation *life, struct cfsplit_run *run, uint32_t id,
                                     const char *source, const struct cfsplit_run_options *told,
                                     const struct csi_voice *voice, struct cfsplit_error *err)
{
    *life = (struct csi_incarnation){.run = run, .options = *told, .voice = *voice};
    life->journal.fd = life->heart.fd = -1;
    csi_options_settle(&life->options, &run->spec.options);
    cfsplit_status status = csi_inc_publish(run, id, source ? source : "", &life->inc, err);
    if (status != CFSPLIT_OK)
        return status;
    snprintf(life->result.name, sizeof life->result.name, "%s", life->inc.name);
    status = csi_journal_open(&life->journal, run, &life->inc, err);
    if (status == CFSPLIT_OK)
        status = csi_heart_start(&life->heart, run, life->inc.name, beat_interval_ms(life), err);
    if (status == CFSPLIT_OK)
        status = csi_feed_init(&life->feed, run, &life->inc, &life->options, say, life, err);
    if (status == CFSPLIT_OK && run->spec.strategy == CFSPLIT_QUEUE)
        status = join_queue(life, err);
    return status;
}

/* ---- the queue */

cfsplit_status csi_incarnation_tend(struct csi_incarnation *life, uint64_t now_ms, uint64_t idle, bool going_on,
                                    struct cfsplit_error *err)
{
    char sentence[256];
    if (!life->feed.queued)
        return CFSPLIT_OK;
    life->queued.may_stand = going_on && !life->coordinator && !life->cannot_lead;
    while (life->coordinator && csi_coordinator_take_sentence(life->coordinator, sentence))
        csi_incarnation_say(life, sentence);
    cfsplit_status status = CFSPLIT_OK;
    if (life->coordinator && csi_coordinator_has_ended(life->coordinator)) {
        status = csi_coordinator_stop(life->coordinator, err);
        life->coordinator = NULL;
    }
    if (status == CFSPLIT_OK)
        status = csi_queued_step(&life->queued, now_ms, going_on ? idle : 0, life->running, err);
    return status;
}

uint64_t csi_incarnation_due_ms(const struct csi_incarnation *life)
{
    return life->feed.queued ? csi_queued_due_ms(life->feed.queued) : UINT64_MAX;
}

int csi_incarnation_fd(const struct csi_incarnation *life)
{
    return life->feed.queued ? csi_queued_fd(life->feed.queued) : -1;
}

bool csi_incarnation_listen(struct csi_incarnation *life, uint64_t now_ms)
{
    return life->feed.queued && csi_queued_listen(life->feed.queued, now_ms);
}

cfsplit_status csi_incarnation_may_start(struct csi_incarnation *life, bool *may, struct cfsplit_error *err)
{
    struct cfsplit_error failure;
    uint64_t silent = csi_heart_silent_ms(&life->heart, &failure);
    *may = silent <= life->options.stall_after_ms / 2 && failure.status == CFSPLIT_OK;
    if (*may)
        return CFSPLIT_OK;
    if (failure.status != CFSPLIT_OK) {
        *err = failure;
        return failure.status;
    }
    return csi_incarnation_look_for_fence(life, err);
}

/* ---- starts and ends */

static cfsplit_status set_aside(struct csi_incarnation *life, const struct csi_next *next, uint64_t now_ms,
                                struct cfsplit_error *err)
{
    char why[96];
    snprintf(why, sizeof why, "ended its replica or command %" PRIu32 " %s while it ran alone", next->deaths,
             next->deaths == 1 ? "time" : "times");
    struct csi_record end = {.index = next->index,
                             .attempt = next->attempt,
                             .class = CSI_SET_ASIDE,
                             .text = why,
                             .text_length = strlen(why)};
    return csi_incarnation_end(life, &end, now_ms, err);
}

static void release(struct csi_incarnation *life, const struct csi_held *held)
{
    struct csi_record released = {.kind = CSI_RECORD_RELEASED,
                                  .generation = csi_frozen_generation_of_piece(&life->run->frozen, held->piece),
                                  .index = held->piece,
                                  .attempt = held->K};
    csi_journal_add(&life->journal, &released);
}

/* Nothing is left that a replica without the queue may take. What it has is given back first: a coordinator waits for that. */
static cfsplit_status return_to_queue(struct csi_incarnation *life, uint64_t now_ms, struct cfsplit_error *err)
{
    for (size_t i = 0; i < life->feed.held_count; i++)
        release(life, &life->feed.held[i]);
    cfsplit_status status = csi_incarnation_settle(life, err);
    if (status != CFSPLIT_OK)
        return status;
    csi_feed_drop_held(&life->feed);
    csi_queued_return(&life->queued, now_ms);
    return CFSPLIT_OK;
}

cfsplit_status csi_incarnation_next(struct csi_incarnation *life, uint64_t now_ms, struct csi_next *next,
                                    struct cfsplit_error *err)
{
    cfsplit_status status;
    while ((status = csi_feed_next(&life->feed, now_ms, life->running, next, err)) == CFSPLIT_OK && next->aside)
        if ((status = set_aside(life, next, now_ms, err)) != CFSPLIT_OK)
            break;
    bool through = status == CFSPLIT_END && next->due_ms == UINT64_MAX && life->running == 0;
    if (!through || !life->feed.queued || life->queued.state != CSI_QUEUED_ALONE)
        return status;
    next->due_ms = now_ms;
    status = return_to_queue(life, now_ms, err);
    return status == CFSPLIT_OK ? CFSPLIT_END : status;
}

cfsplit_status csi_incarnation_start(struct csi_incarnation *life, const struct csi_next *next, uint64_t output_from,
                                     uint64_t now_ms, struct cfsplit_error *err)
{
    struct csi_record record = {.kind = CSI_RECORD_START,
                                .generation = csi_frozen_generation_of(&life->run->frozen, next->index),
                                .index = next->index,
                                .attempt = next->attempt,
                                .time_ms = csi_clock_wall_ms(),
                                .hash = XXH3_64bits(next->item->name, next->item->length),
                                .alone = next->alone,
                                .output_from = output_from};
    cfsplit_status status = csi_journal_reserve(&life->journal, record_bytes * (life->running + 3), err);
    if (status != CFSPLIT_OK)
        return status;
    csi_journal_add(&life->journal, &record);
    status = csi_journal_write(&life->journal, err);
    if (status != CFSPLIT_OK)
        return status;
    life->running++;
    return csi_feed_note(&life->feed, &record, now_ms, err);
}

static struct csi_pending *add_pending(struct csi_incarnation *life, uint64_t now_ms)
{
    if (life->pending_count == life->pending_room) {
        size_t room = life->pending_room ? 2 * life->pending_room : 64;
        struct csi_pending *more = realloc(life->pending, room * sizeof *more);
        if (!more)
            return NULL;
        life->pending = more;
        life->pending_room = room;
    }
    if (life->pending_count == 0)
        life->sync_at_ms = now_ms + life->options.sync_every_ms;
    return &life->pending[life->pending_count++];
}

static void fill_pending(const struct csi_incarnation *life, struct csi_pending *p, const struct csi_record *record)
{
    p->class = record->class;
    memcpy(p->text, record->text, record->text_length);
    p->text[record->text_length] = '\0';
    p->attempt = (struct cfsplit_attempt){.by = life->inc.name,
                                          .index = record->index,
                                          .replica = life->inc.replica,
                                          .number = (uint32_t)record->attempt,
                                          .started_ms = record->time_ms - record->took_ms,
                                          .ended_ms = record->time_ms,
                                          .class_word = csi_class_word(record->class),
                                          .exit_status = record->exit_status,
                                          .cpu_ms = record->cpu_ms,
                                          .rss_kib = record->rss_kib,
                                          .output_from = record->output_from,
                                          .output_to = record->output_to};
}

cfsplit_status csi_incarnation_end(struct csi_incarnation *life, struct csi_record *end, uint64_t now_ms,
                                   struct cfsplit_error *err)
{
    struct csi_pending *p = add_pending(life, now_ms);
    if (!p)
        return csi_fail_memory(err);
    end->kind = CSI_RECORD_END;
    end->generation = csi_frozen_generation_of(&life->run->frozen, end->index);
    end->time_ms = csi_clock_wall_ms();
    end->text_length = csi_text_cut(end->text, end->text_length, sizeof p->text - 1);
    fill_pending(life, p, end);
    csi_journal_add(&life->journal, end);
    life->running -= end->class != CSI_SET_ASIDE;
    cfsplit_status status = csi_feed_note(&life->feed, end, now_ms, err);
    uint64_t failures = csi_feed_failures(&life->feed, end->index);
    p->attempt.retries_left = end->class == CSI_RETRY ? (uint32_t)(life->options.retries - failures + 1) : 0;
    life->ends += end->class == CSI_DONE || end->class == CSI_FAILED || end->class == CSI_REJECTED;
    life->failed_ends += end->class == CSI_FAILED;
    return status;
}

enum csi_class csi_incarnation_failure(const struct csi_incarnation *life, uint64_t index)
{
    return csi_feed_failures(&life->feed, index) < life->options.retries ? CSI_RETRY : CSI_FAILED;
}

bool csi_incarnation_fails_too_often(const struct csi_incarnation *life, char why[96])
{
    uint64_t failed = life->failed_ends, limit = life->options.max_fails;
    bool all_of_first = limit == CFSPLIT_UNSET && failed >= first_failures && failed == life->ends;
    bool too_many = limit != CFSPLIT_UNSET && limit != 0 && failed >= limit;
    if (!all_of_first && !too_many)
        return false;
    snprintf(why, 96,
             all_of_first ? "the first %" PRIu64 " items all failed: starting no more"
                          : "%" PRIu64 " failures: starting no more",
             failed);
    return true;
}

void csi_incarnation_unstarted(struct csi_incarnation *life, const struct csi_next *next, uint64_t output_from,
                               const char *why)
{
    struct csi_record record = {.kind = CSI_RECORD_END,
                                .generation = csi_frozen_generation_of(&life->run->frozen, next->index),
                                .index = next->index,
                                .attempt = next->attempt,
                                .time_ms = csi_clock_wall_ms(),
                                .class = CSI_STOPPED,
                                .output_from = output_from,
                                .output_to = output_from,
                                .text = why,
                                .text_length = strlen(why)};
    life->running--;
    csi_journal_add(&life->journal, &record);
}

cfsplit_status csi_incarnation_look_for_fence(struct csi_incarnation *life, struct cfsplit_error *err)
{
    struct csi_seal seal;
    cfsplit_status status = csi_fence_look(life->run, life->inc.name, &seal, err);
    if (status == CFSPLIT_OK && seal.state != CSI_FENCE_NONE)
        status = csi_fail(
            err, CFSPLIT_FENCED,
            "this replica was silent for so long that another one took over; what it did since is not counted");
    return status;
}

static void speak(struct csi_incarnation *life)
{
    struct cfsplit_replica_result *result = &life->result;
    uint64_t others = 0;
    uint64_t *const counters[CSI_CLASS_COUNT] = {
        [CSI_DONE] = &result->done,   [CSI_FAILED] = &result->failed,      [CSI_RETRY] = &others,
        [CSI_LATER] = &result->later, [CSI_STOPPED] = &result->stopped,    [CSI_REJECTED] = &result->rejected,
        [CSI_CRASHED] = &others,      [CSI_SET_ASIDE] = &result->set_aside};
    for (size_t i = 0; i < life->pending_count; i++) {
        struct csi_pending *p = &life->pending[i];
        ++*counters[p->class];
        p->attempt.text = p->text;
        p->attempt.name = csi_feed_item(&life->feed, p->attempt.index)->name;
        if (life->voice.ended)
            life->voice.ended(life->voice.context, &p->attempt);
        if (life->feed.queued)
            csi_queued_spoken(&life->queued, p->attempt.index, p->attempt.number, p->class,
                              p->attempt.ended_ms - p->attempt.started_ms);
    }
    life->pending_count = 0;
    if (life->feed.queued)
        csi_queued_tell(&life->queued);
}

cfsplit_status csi_incarnation_settle(struct csi_incarnation *life, struct cfsplit_error *err)
{
    cfsplit_status status = csi_journal_write(&life->journal, err);
    if (status == CFSPLIT_OK)
        status = csi_journal_sync(&life->journal, err);
    if (status == CFSPLIT_OK)
        status = csi_incarnation_look_for_fence(life, err);
    if (status != CFSPLIT_OK)
        return status;
    CSI_KILL_POINT("ends.before-word");
    speak(life);
    CSI_KILL_POINT("ends.spoken");
    struct csi_beat beat = {.committed = life->journal.synced,
                            .running = life->running,
                            .started = life->result.started,
                            .done = life->result.done,
                            .failed = life->result.failed,
                            .rejected = life->result.rejected};
    csi_heart_tell(&life->heart, &beat);
    return CFSPLIT_OK;
}

/* ---- ending */

/* Gives back what is still open, so that others need not wait; the journal ends with a closed line. */
static cfsplit_status give_back(struct csi_incarnation *life, const char *why, struct cfsplit_error *err)
{
    for (size_t i = 0; i < life->feed.held_count; i++)
        if (csi_feed_open_items_of(&life->feed.held[i]) > 0)
            release(life, &life->feed.held[i]);
    struct csi_record closed = {.kind = CSI_RECORD_CLOSED, .text = why, .text_length = strlen(why)};
    csi_journal_add(&life->journal, &closed);
    cfsplit_status status = csi_journal_write(&life->journal, err);
    return status == CFSPLIT_OK ? csi_incarnation_settle(life, err) : status;
}

/* The first failure is the one that is told. */
static void keep_first(cfsplit_status *status, struct cfsplit_error *err, cfsplit_status second,
                       const struct cfsplit_error *failure)
{
    if (*status != CFSPLIT_OK || second == CFSPLIT_OK)
        return;
    *status = second;
    if (err)
        *err = *failure;
}

/* What is closed may be read; a coordinator beside us hands over, unless all is accounted for. */
static void leave_queue(struct csi_incarnation *life, cfsplit_status *status, struct cfsplit_error *err)
{
    struct cfsplit_error second;
    char sentence[256];
    if (!life->feed.queued)
        return;
    csi_queued_leave(&life->queued, life->journal.length);
    while (life->coordinator && csi_coordinator_take_sentence(life->coordinator, sentence))
        csi_incarnation_say(life, sentence);
    cfsplit_status stopped = csi_coordinator_stop(life->coordinator, &second);
    keep_first(status, err, stopped, &second);
    life->coordinator = NULL;
    csi_queued_fini(&life->queued);
    life->feed.queued = NULL;
}

cfsplit_status csi_incarnation_finish(struct csi_incarnation *life, cfsplit_status status, struct cfsplit_error *err)
{
    struct cfsplit_error second;
    life->left_queue = life->feed.queued && life->queued.state != CSI_QUEUED_HOME;
    if (life->feed.run) {
        cfsplit_status counted = csi_feed_open_items(&life->feed, &life->result.not_started, &second);
        keep_first(&status, err, counted, &second);
    }
    /* What has not failed in storage, or been fenced, can still say how it ended. */
    if (life->journal.fd >= 0 && !life->journal.broken && status != CFSPLIT_FENCED) {
        const char *why = status != CFSPLIT_OK                               ? cfsplit_status_text(status)
                          : life->result.not_started > 0 || life->left_queue ? "left"
                                                                             : CSI_CLOSED_FINISHED;
        cfsplit_status closing = give_back(life, why, &second);
        keep_first(&status, err, closing, &second);
    }
    cfsplit_status closed = csi_journal_close(&life->journal, &second);
    keep_first(&status, err, closed, &second);
    /* Finished is a promise that nobody looks behind: a piece may be ours by a claim that failed half way. */
    csi_heart_stop(&life->heart, status == CFSPLIT_FENCED || life->journal.broken ? CSI_BEAT_WORKING
                                 : status != CFSPLIT_OK || life->result.not_started || life->left_queue
                                     ? CSI_BEAT_LEFT
                                     : CSI_BEAT_FINISHED);
    leave_queue(life, &status, err);
    csi_feed_fini(&life->feed);
    free(life->pending);
    life->pending = NULL;
    return status;
}
