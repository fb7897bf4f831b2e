#include "node/ended.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/killpoint.h"
#include "rundir/fence.h"

enum { timeout_status = 124 };

uint64_t csi_item_hash(const struct cfsplit_item *item)
{
    return XXH3_64bits(item->name, item->length);
}

const char *csi_environment_find(const char *const *environment, const char *name)
{
    size_t length = strlen(name);
    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    return NULL;
}

static enum csi_class classify(const struct csi_replica *r, const struct csi_exec_end *end, uint64_t *exit_status)
{
    bool exited = WIFEXITED(end->wait_status);
    int code = exited ? WEXITSTATUS(end->wait_status) : 128 + WTERMSIG(end->wait_status);
    *exit_status = (uint64_t)code;
    if (code == 0)
        return CSI_DONE;
    if (end->killed_by_us && !end->timed_out)
        return CSI_STOPPED;
    if (end->timed_out)
        *exit_status = timeout_status;
    else if (exited && csi_exit_codes_has(&r->options.reject_exit, code))
        return CSI_REJECTED;
    else if (exited && csi_exit_codes_has(&r->options.later_exit, code))
        return CSI_LATER;
    return csi_feed_failures(&r->feed, r->at_work[end->tag].index) < r->options.retries ? CSI_RETRY : CSI_FAILED;
}

/* The reason in words: a timeout, a signal, or the last line that was printed. */
static void explain(const struct csi_replica *r, const struct csi_exec_end *end, enum csi_class class, char text[208])
{
    text[0] = '\0';
    if (class == CSI_DONE)
        return;
    if (end->timed_out)
        snprintf(text, 208, "took longer than %" PRIu64 " s: %.150s", r->options.timeout_ms / 1000, end->last_line);
    else if (WIFSIGNALED(end->wait_status))
        snprintf(text, 208, "ended by signal %d (%s)%s%.140s", WTERMSIG(end->wait_status),
                 sigabbrev_np(WTERMSIG(end->wait_status)), end->last_line[0] ? ": " : "", end->last_line);
    else
        snprintf(text, 208, "%.207s", end->last_line);
}

static struct csi_pending *add_pending(struct csi_replica *r)
{
    if (r->pending_count == r->pending_room) {
        size_t room = r->pending_room ? 2 * r->pending_room : 64;
        struct csi_pending *more = realloc(r->pending, room * sizeof *more);
        if (!more)
            return NULL;
        r->pending = more;
        r->pending_room = room;
    }
    if (r->pending_count == 0)
        r->sync_at_ms = r->now + r->options.sync_every_ms;
    return &r->pending[r->pending_count++];
}

static void fill_pending(const struct csi_replica *r, struct csi_pending *p, const struct csi_record *record)
{
    p->class = record->class;
    snprintf(p->text, sizeof p->text, "%.*s", (int)record->text_length, record->text);
    p->attempt = (struct cfsplit_attempt){.by = r->inc.name,
                                          .index = record->index,
                                          .replica = r->inc.replica,
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

static cfsplit_status add_end(struct csi_replica *r, struct csi_record *record, struct cfsplit_error *err)
{
    struct csi_pending *p = add_pending(r);
    if (!p)
        return csi_fail_memory(err);
    fill_pending(r, p, record);
    csi_journal_add(&r->journal, record);
    record->text = "";
    record->text_length = 0;
    cfsplit_status status = csi_feed_note(&r->feed, record, r->now, err);
    uint64_t failures = csi_feed_failures(&r->feed, record->index);
    p->attempt.retries_left = record->class == CSI_RETRY ? (uint32_t)(r->options.retries - failures + 1) : 0;
    r->ends += record->class != CSI_STOPPED && record->class != CSI_RETRY;
    r->failed_ends += record->class == CSI_FAILED;
    return status;
}

cfsplit_status csi_ended_collect(struct csi_replica *r, struct cfsplit_error *err)
{
    struct csi_exec_end end;
    cfsplit_status status = CFSPLIT_OK;
    while (status == CFSPLIT_OK && csi_exec_take_end(r->exec, &end)) {
        struct csi_at_work *w = &r->at_work[end.tag];
        char text[208];
        struct csi_record record = {.kind = CSI_RECORD_END,
                                    .index = w->index,
                                    .attempt = w->attempt,
                                    .time_ms = csi_clock_wall_ms(),
                                    .took_ms = end.ended_ms - end.started_ms,
                                    .cpu_ms = end.user_ms + end.system_ms,
                                    .rss_kib = end.max_rss_bytes / 1024,
                                    .output_from = w->output_from,
                                    .output_to = r->output.length};
        record.class = classify(r, &end, &record.exit_status);
        explain(r, &end, record.class, text);
        record.text = text;
        record.text_length = strlen(text);
        w->busy = false;
        status = add_end(r, &record, err);
    }
    return status;
}

void csi_ended_unstarted(struct csi_replica *r, struct csi_at_work *w, const char *why)
{
    struct csi_record record = {.kind = CSI_RECORD_END,
                                .index = w->index,
                                .attempt = w->attempt,
                                .time_ms = csi_clock_wall_ms(),
                                .class = CSI_STOPPED,
                                .output_from = w->output_from,
                                .output_to = w->output_from,
                                .text = why,
                                .text_length = strlen(why)};
    w->busy = false;
    csi_journal_add(&r->journal, &record);
}

cfsplit_status csi_ended_look_for_fence(struct csi_replica *r, struct cfsplit_error *err)
{
    struct csi_seal seal;
    cfsplit_status status = csi_fence_look(r->run, r->inc.name, &seal, err);
    if (status == CFSPLIT_OK && seal.state != CSI_FENCE_NONE)
        status = csi_fail(
            err, CFSPLIT_FENCED,
            "this replica was silent for so long that another one took over; what it did since is not counted");
    return status;
}

static void speak(struct csi_replica *r)
{
    struct cfsplit_replica_result *result = r->result;
    uint64_t retried = 0;
    uint64_t *const counters[] = {&result->done,     &result->failed, &retried,
                                  &result->rejected, &result->later,  &result->stopped};
    for (size_t i = 0; i < r->pending_count; i++) {
        struct csi_pending *p = &r->pending[i];
        ++*counters[p->class];
        p->attempt.text = p->text;
        p->attempt.name = csi_feed_item(&r->feed, p->attempt.index)->name;
        if (r->asked->ended)
            r->asked->ended(r->asked->context, &p->attempt);
    }
    r->pending_count = 0;
}

cfsplit_status csi_ended_settle(struct csi_replica *r, struct cfsplit_error *err)
{
    cfsplit_status status = csi_journal_write(&r->journal, err);
    if (status == CFSPLIT_OK)
        status = csi_journal_sync(&r->journal, err);
    if (status == CFSPLIT_OK)
        status = csi_ended_look_for_fence(r, err);
    if (status != CFSPLIT_OK)
        return status;
    CSI_KILL_POINT("ends.before-word");
    speak(r);
    CSI_KILL_POINT("ends.spoken");
    struct csi_beat beat = {.committed = r->journal.synced,
                            .running = r->exec ? csi_exec_running(r->exec) : 0,
                            .started = r->result->started,
                            .done = r->result->done,
                            .failed = r->result->failed,
                            .rejected = r->result->rejected};
    csi_heart_tell(&r->heart, &beat);
    return CFSPLIT_OK;
}

void csi_ended_release(struct csi_replica *r)
{
    free(r->pending);
}
