/* The door for programs that link the library: an incarnation whose items are handed to the caller's threads. One lock is around
 * everything; a thread of its own settles the ends that are due while the callers compute. */
#include <cfsplit/worker.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "node/child_env.h"
#include "node/stops.h"
#include "rundir/fence.h"
#include "rundir/output.h"

enum { look_every_ms = 1000, ask_again_ms = 100 };

struct csi_handed {           /* an item in a caller's hands, or a place for one */
    struct cfsplit_work work; /* first: callers know this address */
    struct csi_handed *next, *before;
    const struct cfsplit_worker *owner; /* NULL: not handed out */
    uint64_t started_ms;
};

struct cfsplit_worker {
    unsigned forks; /* of the process that opened it; in any other one all that follows is left alone */
    struct cfsplit_run *run;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* for those who wait for an item, and for the last of them to leave */
    pthread_cond_t due;     /* for the thread that settles */
    pthread_t settler;
    bool settler_idle; /* it waits to be told of an end */
    bool closing;
    unsigned waiting; /* threads in cfsplit_item_next */
    bool listening;   /* one of them waits for the queue, without the lock */
    int nudge;        /* eventfd that wakes it; -1: none is needed */
    struct csi_incarnation life;
    struct csi_stops stops;
    struct cfsplit_error broken;  /* why nothing goes on any more; status CFSPLIT_OK: nothing */
    struct cfsplit_error dry;     /* why no more is handed out */
    struct cfsplit_error failure; /* of the call that has the lock */
    struct csi_handed *handed, *places;
};

static cfsplit_status tell(const struct cfsplit_error *kept, struct cfsplit_error *err)
{
    if (err)
        *err = *kept;
    return kept->status;
}

/* ---- waiting */

/* Wakes those who wait for an item. */
static void nudge_all(struct cfsplit_worker *worker)
{
    uint64_t one = 1;
    pthread_cond_broadcast(&worker->changed);
    while (worker->listening && write(worker->nudge, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* Of those who wait one listens to the queue, without the lock; the others wait for him. */
static void wait_for_more(struct cfsplit_worker *worker, uint64_t until_ms)
{
    uint64_t now_ms = csi_clock_mono_ms(), told;
    if (csi_incarnation_listen(&worker->life, now_ms))
        return;
    int fd = csi_incarnation_fd(&worker->life);
    if (fd < 0 || worker->listening) {
        csi_thread_wait(&worker->changed, &worker->lock, until_ms);
        return;
    }
    struct pollfd polls[2] = {{.fd = fd, .events = POLLIN}, {.fd = worker->nudge, .events = POLLIN}};
    uint64_t wait = until_ms > now_ms ? until_ms - now_ms : 0;
    worker->listening = true;
    pthread_mutex_unlock(&worker->lock);
    (void)poll(polls, 2, wait < INT_MAX ? (int)wait : INT_MAX);
    pthread_mutex_lock(&worker->lock);
    worker->listening = false;
    while (read(worker->nudge, &told, sizeof told) < 0 && errno == EINTR)
        ;
    pthread_cond_broadcast(&worker->changed);
}

/* ---- settling */

/* A failure of the journal is the end of everything; it is told by this call and all that follow. */
static cfsplit_status keep_broken(struct cfsplit_worker *worker, cfsplit_status status, struct cfsplit_error *err)
{
    if (worker->broken.status == CFSPLIT_OK)
        worker->broken = *err;
    worker->broken.status = status;
    nudge_all(worker);
    pthread_cond_signal(&worker->due);
    return status;
}

static cfsplit_status settle(struct cfsplit_worker *worker, struct cfsplit_error *err)
{
    cfsplit_status status = csi_incarnation_settle(&worker->life, err);
    if (worker->listening && csi_incarnation_listen(&worker->life, csi_clock_mono_ms()))
        nudge_all(worker); /* what came while ends were told is not told again to who listens */
    return status == CFSPLIT_OK ? status : keep_broken(worker, status, err);
}

/* Callers settle what is overdue, too: with many short items the settler would hardly get its turn. */
static cfsplit_status settle_if_due(struct cfsplit_worker *worker, uint64_t now_ms, struct cfsplit_error *err)
{
    if (worker->life.pending_count == 0 || now_ms < worker->life.sync_at_ms)
        return CFSPLIT_OK;
    return settle(worker, err);
}

static cfsplit_status tend(struct cfsplit_worker *worker, uint64_t now_ms, struct cfsplit_error *err)
{
    cfsplit_status status =
        csi_incarnation_tend(&worker->life, now_ms, worker->waiting, worker->dry.status == CFSPLIT_OK, err);
    return status == CFSPLIT_OK ? status : keep_broken(worker, status, err);
}

/* The queue wants to hear of us even while all threads compute. */
static cfsplit_status tend_if_due(struct cfsplit_worker *worker, uint64_t now_ms, struct cfsplit_error *err)
{
    int fd = csi_incarnation_fd(&worker->life);
    if (now_ms < csi_incarnation_due_ms(&worker->life))
        return CFSPLIT_OK;
    cfsplit_status status = tend(worker, now_ms, err);
    if (csi_incarnation_fd(&worker->life) != fd || csi_incarnation_listen(&worker->life, now_ms))
        nudge_all(worker);
    return status;
}

static void *settle_while_others_work(void *argument)
{
    struct cfsplit_worker *worker = argument;
    struct cfsplit_error failure;
    pthread_mutex_lock(&worker->lock);
    while (!worker->closing && worker->broken.status == CFSPLIT_OK) {
        uint64_t now_ms = csi_clock_mono_ms();
        if (settle_if_due(worker, now_ms, &failure) != CFSPLIT_OK ||
            tend_if_due(worker, now_ms, &failure) != CFSPLIT_OK)
            break;
        uint64_t due_ms = csi_incarnation_due_ms(&worker->life);
        worker->settler_idle = worker->life.pending_count == 0;
        if (!worker->settler_idle && worker->life.sync_at_ms < due_ms)
            due_ms = worker->life.sync_at_ms;
        csi_thread_wait(&worker->due, &worker->lock, due_ms);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

/* ---- every call */

static bool is_ours(const struct cfsplit_worker *worker)
{
    return csi_thread_forks() == worker->forks;
}

static cfsplit_status after_fork(struct cfsplit_error *err)
{
    return csi_fail(err, CFSPLIT_USAGE, "after fork: only the process that joined the run may go on with it");
}

/* Takes the lock, unless nothing goes on any more. */
static cfsplit_status enter(struct cfsplit_worker *worker, struct cfsplit_error *err)
{
    if (!is_ours(worker))
        return after_fork(err);
    pthread_mutex_lock(&worker->lock);
    if (worker->broken.status == CFSPLIT_OK)
        return CFSPLIT_OK;
    cfsplit_status status = tell(&worker->broken, err);
    pthread_mutex_unlock(&worker->lock);
    return status;
}

/* The other end of a call: *err is told what worker->failure says. */
static cfsplit_status leave(struct cfsplit_worker *worker, cfsplit_status status, struct cfsplit_error *err)
{
    if (status != CFSPLIT_OK && status != CFSPLIT_END)
        (void)tell(&worker->failure, err);
    pthread_mutex_unlock(&worker->lock);
    return status;
}

/* ---- opening */

static cfsplit_status check_options(const struct cfsplit_worker_options *options, struct cfsplit_error *err)
{
    bool of_ours = options->size == sizeof *options;
    for (size_t i = 0; of_ours && i < sizeof options->reserved_ / sizeof options->reserved_[0]; i++)
        of_ours = options->reserved_[i] == 0;
    if (!of_ours)
        return csi_fail(err, CFSPLIT_USAGE, "cfsplit_worker_options of another version of the library");
    return options->run ? csi_options_check(options->run, err) : CFSPLIT_OK;
}

static cfsplit_status identify(const struct cfsplit_run *run, const struct cfsplit_worker_options *options,
                               struct cfsplit_identity *me, struct cfsplit_error *err)
{
    struct cfsplit_identity_options asked = {.size = sizeof asked, .id = options->id};
    *me = (struct cfsplit_identity){.source = "the program: a spare"};
    if (options->spare)
        return CFSPLIT_OK;
    cfsplit_status status = cfsplit_run_identity(run, &asked, getenv, me, err);
    if (status == CFSPLIT_OK && me->note[0] && options->say)
        options->say(options->context, me->note);
    return status;
}

/* What the items of a program print is its own; but a life without an output file would look as if it were lost. */
static cfsplit_status put_empty_output(const struct csi_incarnation *life, struct cfsplit_error *err)
{
    struct csi_output output;
    cfsplit_status status = csi_output_open(&output, life->run, life->inc.name, err);
    return status == CFSPLIT_OK ? csi_output_close(&output, err) : status;
}

static cfsplit_status join(struct cfsplit_worker *worker, const struct cfsplit_worker_options *options,
                           struct cfsplit_error *err)
{
    static const struct cfsplit_run_options as_planned = CFSPLIT_RUN_OPTIONS_INIT;
    const struct csi_voice voice = {.say = options->say, .context = options->context};
    struct cfsplit_identity me;
    cfsplit_status status = identify(worker->run, options, &me, err);
    if (status == CFSPLIT_OK)
        status = csi_stops_init(&worker->stops, worker->run, err);
    if (status == CFSPLIT_OK)
        status = csi_incarnation_begin(&worker->life, worker->run, me.id, me.source,
                                       options->run ? options->run : &as_planned, &voice, err);
    worker->life.bind = options->bind;
    if (status == CFSPLIT_OK)
        status = put_empty_output(&worker->life, err);
    if (status == CFSPLIT_OK)
        status = csi_thread_start(&worker->settler, settle_while_others_work, worker, err);
    return status;
}

static void release(struct cfsplit_worker *worker)
{
    for (struct csi_handed *h = worker->places, *next; h; h = next) {
        next = h->next;
        free(h);
    }
    pthread_cond_destroy(&worker->changed);
    pthread_cond_destroy(&worker->due);
    pthread_mutex_destroy(&worker->lock);
    if (worker->nudge >= 0)
        close(worker->nudge);
    cfsplit_run_close(worker->run);
    free(worker);
}

cfsplit_status cfsplit_worker_open(const char *path, const struct cfsplit_worker_options *options,
                                   struct cfsplit_worker **out, struct cfsplit_error *err)
{
    static const struct cfsplit_worker_options usual = {.size = sizeof usual};
    struct cfsplit_error local;
    *out = NULL;
    if (!err)
        err = &local;
    if (!options)
        options = &usual;
    cfsplit_status status = check_options(options, err);
    if (status == CFSPLIT_OK)
        status = csi_thread_count_forks(err);
    if (status != CFSPLIT_OK)
        return status;
    struct cfsplit_worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return csi_fail_memory(err);
    worker->forks = csi_thread_forks();
    worker->life.journal.fd = worker->life.heart.fd = -1;
    pthread_mutex_init(&worker->lock, NULL);
    csi_thread_condition(&worker->changed);
    csi_thread_condition(&worker->due);
    worker->nudge = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    status = worker->nudge < 0 ? csi_fail_errno(err, CFSPLIT_MEMORY, errno, "cannot join a run")
                               : cfsplit_run_open(path, &worker->run, err);
    if (status == CFSPLIT_OK) {
        status = join(worker, options, err);
        if (status != CFSPLIT_OK)
            status = csi_incarnation_finish(&worker->life, status, err);
    }
    if (status == CFSPLIT_OK)
        *out = worker;
    else
        release(worker);
    return status;
}

const char *cfsplit_worker_cwd(const struct cfsplit_worker *worker)
{
    return worker->run->spec.cwd;
}

/* ---- handing out */

/* A place for an item; it stays where it is until the worker is closed. */
static struct csi_handed *take_place(struct cfsplit_worker *worker)
{
    struct csi_handed *h = worker->places;
    if (h)
        worker->places = h->next;
    else
        h = malloc(sizeof *h);
    return h;
}

static void put_place(struct cfsplit_worker *worker, struct csi_handed *h)
{
    h->owner = NULL;
    h->next = worker->places;
    worker->places = h;
}

static void link_handed(struct cfsplit_worker *worker, struct csi_handed *h)
{
    h->before = NULL;
    h->next = worker->handed;
    if (h->next)
        h->next->before = h;
    worker->handed = h;
}

static void unlink_handed(struct cfsplit_worker *worker, struct csi_handed *h)
{
    if (h->before)
        h->before->next = h->next;
    else
        worker->handed = h->next;
    if (h->next)
        h->next->before = h->before;
}

static cfsplit_status hand_out(struct cfsplit_worker *worker, const struct csi_next *next, uint64_t now_ms,
                               struct csi_handed **out, struct cfsplit_error *err)
{
    struct csi_handed *h = take_place(worker);
    if (!h)
        return csi_fail_memory(err);
    *h = (struct csi_handed){.owner = worker, .started_ms = now_ms};
    h->work = (struct cfsplit_work){.name = next->item->name,
                                    .length = next->item->length,
                                    .weight = next->item->weight,
                                    .index = next->index,
                                    .attempt = next->attempt,
                                    .seed = csi_child_env_seed(next->item, worker->run->spec.seed)};
    cfsplit_status status = csi_incarnation_start(&worker->life, next, 0, now_ms, err);
    if (status != CFSPLIT_OK) {
        put_place(worker, h);
        return status;
    }
    worker->life.result.started++;
    link_handed(worker, h);
    *out = h;
    return CFSPLIT_OK;
}

/* Whether items may be handed out at all, for reasons that do not lie in the list. */
static cfsplit_status look_around(struct cfsplit_worker *worker, uint64_t now_ms, bool *may, struct cfsplit_error *err)
{
    enum cfsplit_order order;
    char why[96];
    cfsplit_status status = csi_stops_look(&worker->stops, &worker->life, now_ms, &order, err);
    if (status == CFSPLIT_OK && order != CFSPLIT_GO_ON)
        return csi_fail(err, CFSPLIT_STOPPED, "told to stop before the end; to go on, run it again");
    if (status == CFSPLIT_OK && csi_incarnation_fails_too_often(&worker->life, why))
        return csi_fail(err, CFSPLIT_INCOMPLETE, "%s", why);
    return status == CFSPLIT_OK ? csi_incarnation_may_start(&worker->life, may, err) : status;
}

/* One try at an item. CFSPLIT_END: none now; *again_ms is when to try again, UINT64_MAX: nothing will come. */
static cfsplit_status try_next(struct cfsplit_worker *worker, struct csi_handed **out, uint64_t *again_ms,
                               struct cfsplit_error *err)
{
    struct csi_next next = {.due_ms = UINT64_MAX};
    uint64_t now = csi_clock_mono_ms();
    bool may = false;
    if (worker->broken.status != CFSPLIT_OK)
        return tell(&worker->broken, err);
    if (worker->closing)
        return csi_fail(err, CFSPLIT_STOPPED, "the worker is being closed");
    if (worker->dry.status != CFSPLIT_OK)
        return tell(&worker->dry, err);
    cfsplit_status status = settle_if_due(worker, now, err);
    if (status == CFSPLIT_OK)
        status = look_around(worker, now, &may, err);
    *again_ms = now + ask_again_ms;
    if (status == CFSPLIT_OK && !may)
        return CFSPLIT_END;
    if (status == CFSPLIT_OK)
        status = tend(worker, now, err);
    if (status == CFSPLIT_OK)
        status = csi_incarnation_next(&worker->life, now, &next, err);
    if (status == CFSPLIT_OK)
        return hand_out(worker, &next, now, out, err);
    if (status == CFSPLIT_END && next.due_ms == UINT64_MAX && worker->life.running == 0)
        *again_ms = UINT64_MAX;
    else if (status == CFSPLIT_END)
        *again_ms = next.due_ms < now + look_every_ms ? next.due_ms : now + look_every_ms;
    return status;
}

/* What failed on the way to an item fails again: what the list holds from there on is not known. */
static cfsplit_status keep_dry(struct cfsplit_worker *worker, cfsplit_status status, struct cfsplit_error *err)
{
    if (status == CFSPLIT_OK || status == CFSPLIT_END)
        return status;
    if (status == CFSPLIT_FENCED || worker->life.journal.broken)
        return keep_broken(worker, status, err);
    worker->dry = *err;
    nudge_all(worker);
    return status;
}

cfsplit_status cfsplit_item_next(struct cfsplit_worker *worker, struct cfsplit_work **out, struct cfsplit_error *err)
{
    struct csi_handed *h = NULL;
    uint64_t again_ms = 0;
    *out = NULL;
    cfsplit_status status = enter(worker, err);
    if (status != CFSPLIT_OK)
        return status;
    worker->waiting++;
    for (;;) {
        status = try_next(worker, &h, &again_ms, &worker->failure);
        status = keep_dry(worker, status, &worker->failure);
        if (status != CFSPLIT_END || again_ms == UINT64_MAX)
            break;
        wait_for_more(worker, again_ms);
    }
    if (--worker->waiting == 0 && worker->closing)
        pthread_cond_broadcast(&worker->changed);
    if (status == CFSPLIT_OK)
        *out = &h->work;
    return leave(worker, status, err);
}

/* ---- ends */

static cfsplit_status note(struct cfsplit_worker *worker, struct csi_handed *h, enum csi_class class, const char *text,
                           struct cfsplit_error *err)
{
    uint64_t now = csi_clock_mono_ms();
    struct csi_record end = {.index = h->work.index,
                             .attempt = h->work.attempt,
                             .class = class,
                             .exit_status = class == CSI_FAILED || class == CSI_RETRY,
                             .took_ms = now - h->started_ms,
                             .text = text ? text : "",
                             .text_length = text ? strcspn(text, "\n") : 0};
    cfsplit_status status = csi_incarnation_end(&worker->life, &end, now, err);
    if (status != CFSPLIT_OK)
        return keep_broken(worker, status, err);
    unlink_handed(worker, h);
    put_place(worker, h);
    if (worker->settler_idle) /* else it looks in time by itself */
        pthread_cond_signal(&worker->due);
    worker->settler_idle = false;
    if (worker->waiting > 0)
        nudge_all(worker);
    return settle_if_due(worker, now, err);
}

static cfsplit_status end_item(struct cfsplit_worker *worker, struct cfsplit_work *work, enum csi_class class,
                               const char *text, struct cfsplit_error *err)
{
    struct csi_handed *h = (struct csi_handed *)work;
    cfsplit_status status = enter(worker, err);
    if (status != CFSPLIT_OK)
        return status;
    if (!h || h->owner != worker)
        status = csi_fail(&worker->failure, CFSPLIT_USAGE, "this item has ended already");
    else
        status = note(worker, h, class == CSI_FAILED ? csi_incarnation_failure(&worker->life, work->index) : class,
                      text, &worker->failure);
    return leave(worker, status, err);
}

cfsplit_status cfsplit_item_done(struct cfsplit_worker *worker, struct cfsplit_work *work, struct cfsplit_error *err)
{
    return end_item(worker, work, CSI_DONE, NULL, err);
}

cfsplit_status cfsplit_item_failed(struct cfsplit_worker *worker, struct cfsplit_work *work, const char *text,
                                   struct cfsplit_error *err)
{
    return end_item(worker, work, CSI_FAILED, text, err);
}

cfsplit_status cfsplit_item_rejected(struct cfsplit_worker *worker, struct cfsplit_work *work, const char *text,
                                     struct cfsplit_error *err)
{
    return end_item(worker, work, CSI_REJECTED, text, err);
}

cfsplit_status cfsplit_item_later(struct cfsplit_worker *worker, struct cfsplit_work *work, const char *text,
                                  struct cfsplit_error *err)
{
    return end_item(worker, work, CSI_LATER, text, err);
}

cfsplit_status cfsplit_worker_sync(struct cfsplit_worker *worker, struct cfsplit_error *err)
{
    cfsplit_status status = enter(worker, err);
    return status == CFSPLIT_OK ? leave(worker, settle(worker, &worker->failure), err) : status;
}

/* ---- closing */

/* Nobody is in a call any more, and the settler has ended. */
static void send_all_home(struct cfsplit_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->closing = true;
    nudge_all(worker);
    pthread_cond_signal(&worker->due);
    while (worker->waiting > 0)
        csi_thread_wait(&worker->changed, &worker->lock, UINT64_MAX);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->settler, NULL);
}

static void fill_result(const struct cfsplit_replica_result *from, struct cfsplit_worker_result *result)
{
    *result = (struct cfsplit_worker_result){.started = from->started,
                                             .done = from->done,
                                             .failed = from->failed,
                                             .rejected = from->rejected,
                                             .later = from->later,
                                             .stopped = from->stopped,
                                             .set_aside = from->set_aside,
                                             .not_started = from->not_started};
    memcpy(result->name, from->name, sizeof from->name);
}

/* A journal that failed cannot say that it is closed, and this process may live on for days, to be taken for one at work. If this
 * fails, too, others wait for the end of the process. */
static void seal_own(struct cfsplit_worker *worker)
{
    struct csi_seal seal;
    struct cfsplit_error failure;
    if (csi_fence_end(worker->run, &worker->life.inc, &worker->life.inc, &seal, &failure) != CFSPLIT_OK)
        csi_incarnation_say(&worker->life, failure.message);
}

cfsplit_status cfsplit_worker_close(struct cfsplit_worker *worker, struct cfsplit_worker_result *result,
                                    struct cfsplit_error *err)
{
    struct cfsplit_error local;
    if (!err)
        err = &local;
    if (result)
        *result = (struct cfsplit_worker_result){0};
    if (!worker)
        return CFSPLIT_OK;
    if (!is_ours(worker))
        return after_fork(err);
    send_all_home(worker);
    while (worker->handed && worker->broken.status == CFSPLIT_OK)
        if (note(worker, worker->handed, CSI_STOPPED, "its program closed the run", err) != CFSPLIT_OK)
            break;
    cfsplit_status status = worker->broken.status == CFSPLIT_OK ? CFSPLIT_OK : tell(&worker->broken, err);
    status = csi_incarnation_finish(&worker->life, status, err);
    if (worker->life.journal.broken)
        seal_own(worker);
    if (result)
        fill_result(&worker->life.result, result);
    for (struct csi_handed *h; (h = worker->handed);) {
        worker->handed = h->next;
        put_place(worker, h);
    }
    release(worker);
    return status;
}
