/* cfsplit_replica_run: the loop of one replica. Items come from the feed, run in the slots of exec, and end in the journal;
 * an end is spoken of only when it is on disk and no fence stands against it. */
#include "node/replica.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "node/ended.h"
#include "rundir/fence.h"

enum {
    beat_every_ms = 10000,
    orders_every_ms = 1000,
    idle_ms = 1000,
    first_failures = 20,
    record_bytes = 2048,
    slots_max = 10000
};

static void tell(struct csi_replica *r, const char *sentence)
{
    if (r->asked->say)
        r->asked->say(r->asked->context, sentence);
}

static void say(void *context, const char *sentence)
{
    tell(context, sentence);
}

/* Nothing more is started; what runs may end and is written down, and then the replica ends with this error. */
static void start_no_more(struct csi_replica *r, cfsplit_status status, const struct cfsplit_error *err)
{
    if (r->early.status == CFSPLIT_OK)
        r->early = *err;
    r->early.status = status;
    if (r->order < CFSPLIT_FINISH)
        r->order = CFSPLIT_FINISH;
    r->dry = true;
}

/* ---- beginning */

static cfsplit_status store_output(void *context, uint64_t tag, const void *data, size_t length,
                                   struct cfsplit_error *err)
{
    struct csi_replica *r = context;
    const struct csi_at_work *w = &r->at_work[tag];
    if (r->output_lost)
        return CFSPLIT_OK;
    cfsplit_status status = csi_output_add(&r->output, 0, w->index, w->attempt, data, length, err);
    if (status == CFSPLIT_OK)
        return status;
    r->output_lost = true; /* what is printed is no proof of anything: the end of the item still is */
    start_no_more(r, status, err);
    return CFSPLIT_OK;
}

/* The command must be there before anything is claimed: nothing is started, nothing counted. */
static cfsplit_status open_command(struct csi_replica *r, struct cfsplit_error *err)
{
    const struct csi_spec *spec = &r->run->spec;
    if (spec->command_count == 0)
        return csi_fail(err, CFSPLIT_USAGE, "%s was planned without a command", csi_quote(r->run->path).text);
    r->cwd_fd = open(spec->cwd, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->cwd_fd < 0)
        return csi_fail_errno(err, CFSPLIT_USAGE, errno, "cannot enter %s, the folder that %s was planned in",
                              csi_quote(spec->cwd).text, csi_quote(r->run->path).text);
    cfsplit_status status =
        csi_template_new(spec->command, spec->command_count, r->options.shell == 1, &r->command, err);
    const char *program = status == CFSPLIT_OK ? csi_template_program(r->command) : NULL;
    if (program)
        status =
            csi_child_find(r->cwd_fd, program, csi_environment_find(r->asked->environment, "PATH"), &r->program, err);
    if (status != CFSPLIT_OK && err)
        strncat(err->message, " (no item was started)", sizeof err->message - strlen(err->message) - 1);
    return status;
}

static cfsplit_status open_exec(struct csi_replica *r, struct cfsplit_error *err)
{
    struct csi_exec_options options = {.slots = (unsigned)r->options.slots,
                                       .output_limit = r->options.output_limit,
                                       .timeout_ms = r->options.timeout_ms,
                                       .cwd_fd = r->cwd_fd};
    struct csi_exec_sink sink = {r, store_output};
    r->at_work = calloc(r->options.slots, sizeof *r->at_work);
    if (!r->at_work)
        return csi_fail_memory(err);
    return csi_exec_new(&options, &sink, &r->exec, err);
}

/* Several beats fall into the silence after which a replica is taken for lost. */
static uint64_t beat_interval_ms(const struct csi_replica *r)
{
    uint64_t interval = r->options.stall_after_ms / 6;
    return interval > beat_every_ms ? beat_every_ms : interval > 0 ? interval : 1;
}

static cfsplit_status begin(struct csi_replica *r, struct cfsplit_error *err)
{
    bool now;
    r->options = r->asked->run;
    csi_options_settle(&r->options, &r->run->spec.options);
    if (r->options.slots == 0)
        r->options.slots = cfsplit_processors();
    if (r->options.slots > slots_max)
        return csi_fail(err, CFSPLIT_USAGE, "%" PRIu64 " items at a time are too many: %d at most", r->options.slots,
                        slots_max);
    cfsplit_status status = open_command(r, err);
    if (status == CFSPLIT_OK)
        status = open_exec(r, err);
    if (status == CFSPLIT_OK)
        status = csi_order_last_stop(r->run, 0, &r->last_stop, &now, err);
    if (status == CFSPLIT_OK)
        status = csi_inc_publish(r->run, r->asked->id, r->asked->source ? r->asked->source : "", &r->inc, err);
    if (status != CFSPLIT_OK)
        return status;
    snprintf(r->result->name, sizeof r->result->name, "%s", r->inc.name);
    status = csi_journal_open(&r->journal, r->run, &r->inc, err);
    if (status == CFSPLIT_OK)
        status = csi_output_open(&r->output, r->run, r->inc.name, err);
    if (status == CFSPLIT_OK)
        status = csi_heart_start(&r->heart, r->run, r->inc.name, beat_interval_ms(r), err);
    if (status == CFSPLIT_OK)
        status = csi_child_env_init(&r->env, r->asked->environment, r->asked->id, r->run->spec.replicas, r->inc.name,
                                    r->run->spec.seed, err);
    if (status == CFSPLIT_OK)
        status = csi_feed_init(&r->feed, r->run, &r->inc, &r->options, say, r, err);
    return status;
}

/* ---- starting items */

static struct csi_at_work *free_place(struct csi_replica *r, uint64_t *tag)
{
    for (*tag = 0; *tag < r->options.slots; (*tag)++)
        if (!r->at_work[*tag].busy)
            return &r->at_work[*tag];
    return NULL;
}

static cfsplit_status write_start(struct csi_replica *r, const struct cfsplit_item *item, const struct csi_at_work *w,
                                  struct cfsplit_error *err)
{
    struct csi_record record = {.kind = CSI_RECORD_START,
                                .index = w->index,
                                .attempt = w->attempt,
                                .time_ms = csi_clock_wall_ms(),
                                .hash = csi_item_hash(item),
                                .output_from = w->output_from};
    cfsplit_status status = csi_journal_reserve(&r->journal, record_bytes * (r->options.slots + 2), err);
    if (status != CFSPLIT_OK)
        return status;
    csi_journal_add(&r->journal, &record);
    status = csi_journal_write(&r->journal, err);
    return status == CFSPLIT_OK ? csi_feed_note(&r->feed, &record, r->now, err) : status;
}

static cfsplit_status start_item(struct csi_replica *r, const struct cfsplit_item *item, uint64_t index,
                                 uint32_t attempt, struct cfsplit_error *err)
{
    uint64_t tag;
    struct csi_at_work *w = free_place(r, &tag);
    *w = (struct csi_at_work){.busy = true, .index = index, .attempt = attempt, .output_from = r->output.length};
    cfsplit_status status = csi_template_expand(r->command, item->name, index + 1, &r->argv, err);
    if (status == CFSPLIT_OK)
        status = csi_child_env_set(&r->env, item, index + 1, attempt, err);
    if (status == CFSPLIT_OK)
        status = write_start(r, item, w, err);
    if (status != CFSPLIT_OK) {
        w->busy = false;
        return status;
    }
    const char *program = r->program ? r->program : r->argv.argv[0];
    status = csi_exec_start(r->exec, r->argv.argv, program, r->env.envp, tag, r->now, NULL, err);
    if (status == CFSPLIT_OK) {
        r->result->started++;
        return status;
    }
    if (r->options.shell != 1 && strchr(r->run->spec.command[0], ' '))
        strncat(err->message, "; for a shell line: --shell", sizeof err->message - strlen(err->message) - 1);
    csi_ended_unstarted(r, w, err->message);
    return status;
}

/* A replica that was asleep (a stopped process, a hung disk) may have been taken for lost meanwhile. */
static cfsplit_status may_start(struct csi_replica *r, bool *may, struct cfsplit_error *err)
{
    struct cfsplit_error failure;
    uint64_t silent = csi_heart_silent_ms(&r->heart, &failure);
    *may = silent <= r->options.stall_after_ms / 2 && failure.status == CFSPLIT_OK;
    if (*may)
        return CFSPLIT_OK;
    if (failure.status != CFSPLIT_OK) {
        *err = failure;
        return failure.status;
    }
    r->due_ms = r->now + 100;
    return csi_ended_look_for_fence(r, err);
}

static cfsplit_status fill_slots(struct csi_replica *r, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    r->due_ms = UINT64_MAX;
    r->dry = r->order != CFSPLIT_GO_ON;
    while (status == CFSPLIT_OK && !r->dry && csi_exec_free_slots(r->exec) > 0) {
        const struct cfsplit_item *item;
        uint64_t index;
        uint32_t attempt;
        bool may;
        status = may_start(r, &may, err);
        if (status != CFSPLIT_OK || !may)
            return status;
        status = csi_feed_next(&r->feed, r->now, &item, &index, &attempt, &r->due_ms, err);
        if (status == CFSPLIT_END) {
            r->dry = true;
            return CFSPLIT_OK;
        }
        if (status == CFSPLIT_OK)
            status = start_item(r, item, index, attempt, err);
        if (status != CFSPLIT_OK && status != CFSPLIT_FENCED && status != CFSPLIT_DAMAGED && !r->journal.broken) {
            start_no_more(r, status, err);
            return CFSPLIT_OK;
        }
    }
    return status;
}

/* ---- being told */

static void raise_order(struct csi_replica *r, enum cfsplit_order order)
{
    if (order <= r->order)
        return;
    if (order == CFSPLIT_DRAIN) {
        csi_exec_signal_all(r->exec, SIGTERM);
        r->kill_at_ms = r->now + r->options.grace_ms;
    }
    if (order == CFSPLIT_ABORT)
        csi_exec_kill_all(r->exec);
    r->order = order;
}

static cfsplit_status look_for_orders(struct csi_replica *r, bool woken, struct cfsplit_error *err)
{
    if (woken && r->asked->wake)
        raise_order(r, r->asked->wake(r->asked->context));
    if (r->order >= CFSPLIT_DRAIN && r->now >= r->kill_at_ms)
        csi_exec_kill_all(r->exec);
    if (r->now < r->next_orders_ms)
        return CFSPLIT_OK;
    uint32_t last;
    bool now = false;
    r->next_orders_ms = r->now + orders_every_ms;
    cfsplit_status status = csi_order_last_stop(r->run, r->last_stop, &last, &now, err);
    if (status == CFSPLIT_OK && last > r->last_stop) {
        r->last_stop = last;
        tell(r, now ? "told to stop at once" : "told to stop: finishing what runs");
        raise_order(r, now ? CFSPLIT_DRAIN : CFSPLIT_FINISH);
    }
    return status;
}

static void reap_orphans(const struct csi_replica *r)
{
    siginfo_t info = {0};
    while (r->asked->reap_orphans && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
        if (csi_exec_owns(r->exec, info.si_pid))
            return; /* exec's turn comes first */
        waitpid(info.si_pid, NULL, 0);
        info.si_pid = 0;
    }
}

static void check_failures(struct csi_replica *r)
{
    uint64_t failed = r->failed_ends, limit = r->options.max_fails;
    bool all_of_first = limit == CFSPLIT_UNSET && failed >= first_failures && failed == r->ends;
    bool too_many = limit != CFSPLIT_UNSET && limit != 0 && failed >= limit;
    if ((!all_of_first && !too_many) || r->order != CFSPLIT_GO_ON)
        return;
    char sentence[96];
    snprintf(sentence, sizeof sentence,
             all_of_first ? "the first %" PRIu64 " items all failed: starting no more"
                          : "%" PRIu64 " failures: starting no more",
             failed);
    tell(r, sentence);
    raise_order(r, CFSPLIT_FINISH);
}

/* ---- the loop */

static int patience(const struct csi_replica *r)
{
    uint64_t until = r->now + idle_ms;
    if (r->due_ms < until)
        until = r->due_ms;
    if (r->pending_count > 0 && r->sync_at_ms < until)
        until = r->sync_at_ms;
    if (r->order >= CFSPLIT_DRAIN && r->kill_at_ms > r->now && r->kill_at_ms < until)
        until = r->kill_at_ms;
    return until > r->now ? (int)(until - r->now) : 0;
}

static bool is_over(const struct csi_replica *r)
{
    return csi_exec_running(r->exec) == 0 && r->pending_count == 0 && r->dry &&
           (r->due_ms == UINT64_MAX || r->order != CFSPLIT_GO_ON);
}

static cfsplit_status turn(struct csi_replica *r, struct cfsplit_error *err)
{
    struct pollfd wake = {.fd = r->asked->wake_fd, .events = POLLIN};
    r->now = csi_clock_mono_ms();
    cfsplit_status status = fill_slots(r, err);
    if (status == CFSPLIT_OK)
        status = csi_journal_write(&r->journal, err);
    if (status == CFSPLIT_OK && csi_exec_running(r->exec) == 0 && r->pending_count > 0 && r->dry)
        status = csi_ended_settle(r, err);
    if (status != CFSPLIT_OK || is_over(r))
        return status;
    status = csi_exec_poll(r->exec, &wake, wake.fd >= 0, patience(r), err);
    r->now = csi_clock_mono_ms();
    struct cfsplit_error second; /* ends are written down whatever poll says */
    cfsplit_status collected = csi_ended_collect(r, status == CFSPLIT_OK ? err : &second);
    if (status == CFSPLIT_OK)
        status = collected;
    if (status == CFSPLIT_OK && r->pending_count > 0 && r->now >= r->sync_at_ms)
        status = csi_ended_settle(r, err);
    check_failures(r);
    if (status == CFSPLIT_OK)
        status = look_for_orders(r, wake.fd >= 0 && wake.revents != 0, err);
    reap_orphans(r);
    return status;
}

/* ---- ending */

/* Gives back what is still open, so that others need not wait; the journal ends with a closed line. */
static cfsplit_status give_back(struct csi_replica *r, const char *why, struct cfsplit_error *err)
{
    for (size_t i = 0; i < r->feed.held_count; i++) {
        const struct csi_held *h = &r->feed.held[i];
        struct csi_record released = {.kind = CSI_RECORD_RELEASED, .index = h->piece, .attempt = h->K};
        if (csi_feed_open_items_of(h) > 0)
            csi_journal_add(&r->journal, &released);
    }
    struct csi_record closed = {.kind = CSI_RECORD_CLOSED, .text = why, .text_length = strlen(why)};
    csi_journal_add(&r->journal, &closed);
    cfsplit_status status = csi_journal_write(&r->journal, err);
    return status == CFSPLIT_OK ? csi_ended_settle(r, err) : status;
}

static cfsplit_status finish(struct csi_replica *r, cfsplit_status status, struct cfsplit_error *err)
{
    struct cfsplit_error second;
    bool opened = r->journal.fd >= 0;
    csi_exec_free(r->exec);
    r->exec = NULL;
    if (r->feed.run && csi_feed_open_items(&r->feed, &r->result->not_started, &second) != CFSPLIT_OK)
        tell(r, second.message);
    /* What has not failed in storage, or been fenced, can still say how it ended. */
    if (opened && !r->journal.broken && status != CFSPLIT_FENCED) {
        cfsplit_status closing = give_back(r, status == CFSPLIT_OK ? "finished" : cfsplit_status_text(status), &second);
        if (status == CFSPLIT_OK && closing != CFSPLIT_OK) {
            status = closing;
            if (err)
                *err = second;
        }
    }
    cfsplit_status closed = csi_journal_close(&r->journal, &second);
    if (status == CFSPLIT_OK && closed != CFSPLIT_OK) {
        status = closed;
        if (err)
            *err = second;
    }
    closed = csi_output_close(&r->output, &second); /* no proof of anything, but a person should know */
    if (closed != CFSPLIT_OK)
        tell(r, second.message);
    csi_heart_stop(&r->heart, status == CFSPLIT_FENCED || r->journal.broken ? CSI_BEAT_WORKING
                              : r->result->not_started                      ? CSI_BEAT_LEFT
                                                                            : CSI_BEAT_FINISHED);
    return status;
}

static void release(struct csi_replica *r)
{
    csi_feed_fini(&r->feed);
    csi_child_env_fini(&r->env);
    csi_argv_release(&r->argv);
    csi_template_free(r->command);
    csi_ended_release(r);
    free(r->program);
    free(r->at_work);
    if (r->cwd_fd >= 0)
        close(r->cwd_fd);
}

/* What the whole run of this replica comes to, when nothing went wrong with the replica itself. */
static cfsplit_status verdict(const struct csi_replica *r, uint64_t put_off, struct cfsplit_error *err)
{
    const struct cfsplit_replica_result *result = r->result;
    if (result->failed)
        return csi_fail(err, CFSPLIT_INCOMPLETE, "%" PRIu64 " %s failed", result->failed,
                        result->failed == 1 ? "item" : "items");
    if (r->order != CFSPLIT_GO_ON && result->not_started)
        return csi_fail(err, CFSPLIT_STOPPED, "told to stop before the end; to go on, run it again");
    if (put_off)
        return csi_fail(err, CFSPLIT_STOPPED,
                        "%" PRIu64 " items put themselves off too often; to try again, run it again", put_off);
    return CFSPLIT_OK;
}

cfsplit_status cfsplit_replica_run(struct cfsplit_run *run, const struct cfsplit_replica_options *options,
                                   struct cfsplit_replica_result *result, struct cfsplit_error *err)
{
    struct csi_replica r = {.run = run, .asked = options, .result = result, .cwd_fd = -1};
    struct cfsplit_error local;
    r.journal.fd = r.output.fd = r.heart.fd = -1;
    *result = (struct cfsplit_replica_result){0};
    if (options->size != sizeof *options)
        return csi_fail(err, CFSPLIT_USAGE, "cfsplit_replica_options of another version of the library");
    if (!err)
        err = &local;
    cfsplit_status status = begin(&r, err);
    if (status == CFSPLIT_OK)
        do
            status = turn(&r, err);
        while (status == CFSPLIT_OK && !is_over(&r));
    if (status == CFSPLIT_OK && r.early.status != CFSPLIT_OK) {
        status = r.early.status;
        *err = r.early;
    }
    uint64_t put_off = r.feed.run ? csi_feed_put_off(&r.feed) : 0;
    status = finish(&r, status, err);
    if (status == CFSPLIT_OK)
        status = verdict(&r, put_off, err);
    release(&r);
    return status;
}
