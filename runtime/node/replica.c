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
#include "node/kept.h"
#include "rundir/fence.h"

enum { idle_ms = 1000, slots_max = 10000 };

void csi_replica_start_no_more(struct csi_replica *r, cfsplit_status status, const struct cfsplit_error *err)
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
    cfsplit_status status = csi_output_add(&r->output, csi_frozen_generation_of(&r->run->frozen, w->index), w->index,
                                           w->attempt, data, length, err);
    if (status == CFSPLIT_OK)
        return status;
    r->output_lost = true; /* what is printed is no proof of anything: the end of the item still is */
    csi_replica_start_no_more(r, status, err);
    return CFSPLIT_OK;
}

/* The command must be there before anything is claimed: nothing is started, nothing counted. */
static cfsplit_status open_command(struct csi_replica *r, const struct cfsplit_run_options *settled,
                                   struct cfsplit_error *err)
{
    const struct csi_spec *spec = &r->run->spec;
    if (spec->command_count == 0)
        return csi_fail(err, CFSPLIT_USAGE, "%s was planned without a command", csi_quote(r->run->path).text);
    r->cwd_fd = open(spec->cwd, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->cwd_fd < 0)
        return csi_fail_errno(err, CFSPLIT_USAGE, errno, "cannot enter %s, the folder that %s was planned in",
                              csi_quote(spec->cwd).text, csi_quote(r->run->path).text);
    cfsplit_status status = cfsplit_command_check(spec->command, spec->command_count, settled, err);
    if (status == CFSPLIT_OK)
        status = (settled->keep ? csi_template_new_kept : csi_template_new)(spec->command, spec->command_count,
                                                                            settled->shell == 1, &r->command, err);
    const char *program = status == CFSPLIT_OK ? csi_template_program(r->command) : NULL;
    if (program)
        status =
            csi_child_find(r->cwd_fd, program, csi_environment_find(r->asked->environment, "PATH"), &r->program, err);
    if (status != CFSPLIT_OK && err)
        strncat(err->message, " (no item was started)", sizeof err->message - strlen(err->message) - 1);
    return status;
}

static cfsplit_status open_exec(struct csi_replica *r, const struct cfsplit_run_options *settled,
                                struct cfsplit_error *err)
{
    struct csi_exec_options options = {.slots = (unsigned)settled->slots,
                                       .output_limit = settled->output_limit,
                                       .timeout_ms = settled->timeout_ms,
                                       .cwd_fd = r->cwd_fd};
    struct csi_exec_sink sink = {r, store_output};
    r->at_work = calloc(settled->slots, sizeof *r->at_work);
    if (!r->at_work)
        return csi_fail_memory(err);
    return csi_exec_new(&options, &sink, &r->exec, err);
}

/* What can be found wanting before anybody knows of this replica. */
static cfsplit_status prepare(struct csi_replica *r, struct cfsplit_run_options *options, struct cfsplit_error *err)
{
    *options = r->asked->run;
    csi_options_settle(options, &r->run->spec.options);
    if (options->slots == 0)
        options->slots = cfsplit_processors();
    if (options->slots > slots_max)
        return csi_fail(err, CFSPLIT_USAGE, "%" PRIu64 " items at a time are too many: %d at most", options->slots,
                        slots_max);
    cfsplit_status status = open_command(r, options, err);
    if (status == CFSPLIT_OK)
        status = open_exec(r, options, err);
    if (status == CFSPLIT_OK)
        status = csi_stops_init(&r->stops, r->run, err);
    return status;
}

static cfsplit_status begin(struct csi_replica *r, struct cfsplit_error *err)
{
    const struct csi_voice voice = {r->asked->ended, r->asked->say, r->asked->context};
    struct cfsplit_run_options options;
    cfsplit_status status = prepare(r, &options, err);
    if (status == CFSPLIT_OK)
        status = csi_incarnation_begin(&r->life, r->run, r->asked->id, r->asked->source, &options, &voice, err);
    r->life.bind = r->asked->bind;
    if (status == CFSPLIT_OK)
        status = csi_output_open(&r->output, r->run, r->life.inc.name, err);
    if (status == CFSPLIT_OK)
        status = csi_child_env_init(&r->env, r->asked->environment, r->asked->id, r->run->spec.replicas,
                                    r->life.inc.name, r->run->spec.seed, err);
    if (status == CFSPLIT_OK && options.keep)
        status = csi_kept_begin(r, err);
    return status;
}

/* ---- starting items */

static struct csi_at_work *free_place(struct csi_replica *r, uint64_t *tag)
{
    for (*tag = 0; *tag < r->life.options.slots; (*tag)++)
        if (!r->at_work[*tag].busy)
            return &r->at_work[*tag];
    return NULL;
}

/* What a command of its own takes. */
static cfsplit_status prepare_start(struct csi_replica *r, const struct csi_next *next, struct cfsplit_error *err)
{
    cfsplit_status status = csi_template_expand(r->command, next->item->name, next->index + 1, &r->argv, err);
    if (status == CFSPLIT_OK)
        status = csi_child_env_set(&r->env, next->item, next->index + 1, next->attempt, err);
    return status;
}

static cfsplit_status exec_item(struct csi_replica *r, uint64_t tag, struct cfsplit_error *err)
{
    const char *program = r->program ? r->program : r->argv.argv[0];
    return csi_exec_start(r->exec, r->argv.argv, program, r->env.envp, tag, r->now, NULL, err);
}

static cfsplit_status start_item(struct csi_replica *r, const struct csi_next *next, struct cfsplit_error *err)
{
    uint64_t tag;
    struct csi_at_work *w = free_place(r, &tag);
    *w = (struct csi_at_work){
        .busy = true, .index = next->index, .attempt = next->attempt, .output_from = r->output.length};
    bool kept = r->life.options.keep != CFSPLIT_KEEP_NOT;
    cfsplit_status status = kept ? CFSPLIT_OK : prepare_start(r, next, err);
    if (status == CFSPLIT_OK)
        status = csi_incarnation_start(&r->life, next, w->output_from, r->now, err);
    if (status != CFSPLIT_OK) {
        w->busy = false;
        return status;
    }
    status = kept ? csi_kept_start(r, next, tag, err) : exec_item(r, tag, err);
    if (status == CFSPLIT_OK) {
        r->life.result.started++;
        return status;
    }
    if (r->life.options.shell != 1 && strchr(r->run->spec.command[0], ' '))
        strncat(err->message, "; for a shell line: --shell", sizeof err->message - strlen(err->message) - 1);
    w->busy = false;
    csi_incarnation_unstarted(&r->life, next, w->output_from, err->message);
    return status;
}

static cfsplit_status fill_slots(struct csi_replica *r, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    r->due_ms = UINT64_MAX;
    r->dry = r->order != CFSPLIT_GO_ON;
    while (status == CFSPLIT_OK && !r->dry && csi_exec_free_slots(r->exec) > 0) {
        struct csi_next next;
        bool may;
        status = csi_incarnation_may_start(&r->life, &may, err);
        if (status == CFSPLIT_OK && !may)
            r->due_ms = r->now + 100;
        if (status != CFSPLIT_OK || !may)
            return status;
        status = csi_incarnation_next(&r->life, r->now, &next, err);
        r->due_ms = next.due_ms;
        if (status == CFSPLIT_END) {
            r->dry = true;
            return CFSPLIT_OK;
        }
        if (status == CFSPLIT_OK)
            status = start_item(r, &next, err);
        if (status != CFSPLIT_OK && status != CFSPLIT_FENCED && status != CFSPLIT_DAMAGED && !r->life.journal.broken) {
            csi_replica_start_no_more(r, status, err);
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
        r->kill_at_ms = r->now + r->life.options.grace_ms;
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
    enum cfsplit_order order;
    cfsplit_status status = csi_stops_look(&r->stops, &r->life, r->now, &order, err);
    raise_order(r, order);
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
    char why[96];
    if (r->order != CFSPLIT_GO_ON || !csi_incarnation_fails_too_often(&r->life, why))
        return;
    csi_incarnation_say(&r->life, why);
    raise_order(r, CFSPLIT_FINISH);
}

/* ---- the loop */

static int patience(const struct csi_replica *r)
{
    uint64_t until = r->now + idle_ms;
    if (r->due_ms < until)
        until = r->due_ms;
    if (r->life.pending_count > 0 && r->life.sync_at_ms < until)
        until = r->life.sync_at_ms;
    if (r->order >= CFSPLIT_DRAIN && r->kill_at_ms > r->now && r->kill_at_ms < until)
        until = r->kill_at_ms;
    if (csi_incarnation_due_ms(&r->life) < until)
        until = csi_incarnation_due_ms(&r->life);
    return until > r->now ? (int)(until - r->now) : 0;
}

static bool is_over(const struct csi_replica *r)
{
    return csi_exec_running(r->exec) == 0 && r->life.pending_count == 0 && r->dry &&
           (r->due_ms == UINT64_MAX || r->order != CFSPLIT_GO_ON);
}

static cfsplit_status turn(struct csi_replica *r, struct cfsplit_error *err)
{
    struct pollfd wake[2] = {{.fd = r->asked->wake_fd, .events = POLLIN}, {.events = POLLIN}};
    bool going_on = r->order == CFSPLIT_GO_ON;
    r->now = csi_clock_mono_ms();
    cfsplit_status status = csi_incarnation_tend(&r->life, r->now, csi_exec_free_slots(r->exec), going_on, err);
    if (status == CFSPLIT_OK)
        status = fill_slots(r, err);
    if (status == CFSPLIT_OK)
        status = csi_journal_write(&r->life.journal, err);
    if (status == CFSPLIT_OK && csi_exec_running(r->exec) == 0 && r->life.pending_count > 0 && r->dry)
        status = csi_incarnation_settle(&r->life, err);
    if (status != CFSPLIT_OK || is_over(r))
        return status;
    bool more = csi_incarnation_listen(&r->life, r->now);
    wake[1].fd = csi_incarnation_fd(&r->life);
    status = csi_exec_poll(r->exec, wake, 2, more ? 0 : patience(r), err);
    r->now = csi_clock_mono_ms();
    struct cfsplit_error second; /* ends are written down whatever poll says */
    cfsplit_status collected = csi_ended_collect(r, status == CFSPLIT_OK ? err : &second);
    if (status == CFSPLIT_OK)
        status = collected;
    if (status == CFSPLIT_OK && r->life.pending_count > 0 && r->now >= r->life.sync_at_ms)
        status = csi_incarnation_settle(&r->life, err);
    check_failures(r);
    if (status == CFSPLIT_OK)
        status = look_for_orders(r, wake[0].fd >= 0 && wake[0].revents != 0, err);
    reap_orphans(r);
    return status;
}

/* ---- ending */

/* Commands that are kept have no item any more: they may end by themselves, for as long as --grace. */
static void let_kept_end(struct csi_replica *r)
{
    struct pollfd wake = {.fd = r->asked->wake_fd, .events = POLLIN};
    struct cfsplit_error err;
    cfsplit_status status = CFSPLIT_OK;
    csi_exec_close_kept(r->exec, r->life.options.grace_ms, csi_clock_mono_ms());
    while (status == CFSPLIT_OK && csi_exec_living(r->exec) > 0) {
        status = csi_exec_poll(r->exec, &wake, wake.fd >= 0, idle_ms, &err);
        r->now = csi_clock_mono_ms();
        if (status == CFSPLIT_OK)
            status = look_for_orders(r, wake.fd >= 0 && wake.revents != 0, &err);
        csi_kept_tell_losses(r);
    }
    if (status != CFSPLIT_OK)
        csi_incarnation_say(&r->life, err.message);
}

static cfsplit_status finish(struct csi_replica *r, cfsplit_status status, struct cfsplit_error *err)
{
    struct cfsplit_error second;
    if (r->exec && csi_exec_running(r->exec) == 0)
        let_kept_end(r);
    csi_exec_free(r->exec);
    r->exec = NULL;
    if (csi_output_close(&r->output, &second) != CFSPLIT_OK) /* no proof of anything, but a person should know */
        csi_incarnation_say(&r->life, second.message);
    return csi_incarnation_finish(&r->life, status, err);
}

static void release(struct csi_replica *r)
{
    csi_child_env_fini(&r->env);
    csi_argv_release(&r->argv);
    csi_template_free(r->command);
    free(r->program);
    free(r->at_work);
    if (r->cwd_fd >= 0)
        close(r->cwd_fd);
}

/* What the whole run of this replica comes to, when nothing went wrong with the replica itself. */
static cfsplit_status verdict(const struct csi_replica *r, uint64_t put_off, struct cfsplit_error *err)
{
    const struct cfsplit_replica_result *result = &r->life.result;
    const char *items = result->failed == 1 ? "item" : "items", *were = result->set_aside == 1 ? "was" : "were";
    if (result->failed && result->set_aside)
        return csi_fail(err, CFSPLIT_INCOMPLETE, "%" PRIu64 " %s failed, %" PRIu64 " %s set aside", result->failed,
                        items, result->set_aside, were);
    if (result->failed)
        return csi_fail(err, CFSPLIT_INCOMPLETE, "%" PRIu64 " %s failed", result->failed, items);
    if (result->set_aside)
        return csi_fail(err, CFSPLIT_INCOMPLETE, "%" PRIu64 " item%s %s set aside", result->set_aside,
                        result->set_aside == 1 ? "" : "s", were);
    if (r->order != CFSPLIT_GO_ON && (result->not_started || r->life.left_queue))
        return csi_fail(err, CFSPLIT_STOPPED, "told to stop before the end; to go on, run it again");
    if (put_off)
        return csi_fail(err, CFSPLIT_STOPPED,
                        "%" PRIu64 " items put themselves off too often; to try again, run it again", put_off);
    return CFSPLIT_OK;
}

static cfsplit_status check_options(const struct cfsplit_replica_options *options, struct cfsplit_error *err)
{
    if (options->size != sizeof *options || options->reserved_ != 0)
        return csi_fail(err, CFSPLIT_USAGE, "cfsplit_replica_options of another version of the library");
    return csi_options_check(&options->run, err);
}

cfsplit_status cfsplit_replica_run(struct cfsplit_run *run, const struct cfsplit_replica_options *options,
                                   struct cfsplit_replica_result *result, struct cfsplit_error *err)
{
    struct csi_replica r = {.run = run, .asked = options, .cwd_fd = -1};
    struct cfsplit_error local;
    r.life.journal.fd = r.output.fd = r.life.heart.fd = -1;
    *result = (struct cfsplit_replica_result){0};
    if (!err)
        err = &local;
    cfsplit_status status = check_options(options, err);
    if (status != CFSPLIT_OK)
        return status;
    status = begin(&r, err);
    if (status == CFSPLIT_OK)
        do
            status = turn(&r, err);
        while (status == CFSPLIT_OK && !is_over(&r));
    if (status == CFSPLIT_OK && r.early.status != CFSPLIT_OK) {
        status = r.early.status;
        *err = r.early;
    }
    uint64_t put_off = r.life.feed.run ? csi_feed_put_off(&r.life.feed) : 0;
    status = finish(&r, status, err);
    *result = r.life.result;
    if (status == CFSPLIT_OK)
        status = verdict(&r, put_off, err);
    release(&r);
    return status;
}
