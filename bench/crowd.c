#include "crowd.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "node/coordinator.h"
#include "node/queued.h"
#include "rundir/journal.h"

enum { events_at_once = 256, look_ms = 20, tell_ms = 100 };

static struct cfsplit_error err;

struct held {
    uint64_t index, attempt;
};

struct worker {
    struct csi_inc inc;
    struct csi_journal journal;
    struct csi_queued q;
    uint64_t called_ms; /* the call whose connection is watched */
    uint64_t slots, held_count;
    struct held *held;
    double taken_us;  /* the item that it holds, where items take time */
    uint64_t told_ms; /* its ends, there, as one tells them that brings them to the disk in groups */
};

struct crowd {
    struct cfsplit_run *run;
    struct cfsplit_run_options options;
    struct worker *at;
    size_t count, live, welcome, home; /* the first `live` take part yet */
    uint64_t items;
    int epoll;
    bool go;   /* they take items */
    bool hold; /* and do not end them */
    uint64_t item_ms;
    double busy_us, last_us; /* what items have taken, all together; when the last one of all ended */
};

double bench_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- the coordinator */

static void print_peak(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("peak_kib\t%ld\n", usage.ru_maxrss);
}

/* The replica beside it is over before anything begins. */
static cfsplit_status publish_host(struct cfsplit_run *run, struct csi_inc *host)
{
    struct csi_journal journal = {.fd = -1};
    struct csi_record closed = {.kind = CSI_RECORD_CLOSED, .text = "left", .text_length = 4};
    cfsplit_status status = csi_inc_publish(run, 0, "bench_queue", host, &err);
    if (status == CFSPLIT_OK)
        status = csi_journal_open(&journal, run, host, &err);
    if (status != CFSPLIT_OK)
        return status;
    csi_journal_add(&journal, &closed);
    status = csi_journal_write(&journal, &err);
    return status == CFSPLIT_OK ? csi_journal_close(&journal, &err) : status;
}

static cfsplit_status find_keys(struct cfsplit_run *run, struct csi_net_keys *keys)
{
    cfsplit_status status = csi_net_new_keys(keys, &err);
    if (status == CFSPLIT_OK)
        status = csi_epoch_put_keys(run, keys->open, keys->secret, &err);
    return status == CFSPLIT_OK ? csi_epoch_read_keys(run, keys->open, keys->secret, &err) : status;
}

static cfsplit_status lead(struct cfsplit_run *run, const char *path)
{
    struct cfsplit_run_options options = CFSPLIT_RUN_OPTIONS_INIT;
    struct csi_coordinator *coordinator = NULL;
    struct csi_net_keys keys;
    struct csi_inc host;
    char sentence[256];
    csi_options_settle(&options, &run->spec.options);
    const struct csi_coordinator_options asked = {
        .path = path, .host = &host, .K = 1, .options = &options, .client = &keys, .bind = "none"};
    cfsplit_status status = publish_host(run, &host);
    if (status == CFSPLIT_OK)
        status = find_keys(run, &keys);
    if (status == CFSPLIT_OK)
        status = csi_coordinator_start(&asked, &coordinator, &err);
    while (coordinator && !csi_coordinator_has_ended(coordinator)) {
        poll(NULL, 0, look_ms * 5);
        while (csi_coordinator_take_sentence(coordinator, sentence))
            ; /* at the end, that workers are gone: they write no last beat */
    }
    return status == CFSPLIT_OK ? csi_coordinator_stop(coordinator, &err) : status;
}

static int finish(struct cfsplit_run *run, cfsplit_status status)
{
    if (status != CFSPLIT_OK)
        fprintf(stderr, "bench_queue: %s\n", err.message);
    cfsplit_run_close(run);
    return status == CFSPLIT_OK ? 0 : 1;
}

int bench_lead(const char *path)
{
    struct cfsplit_run *run = NULL;
    cfsplit_status status = cfsplit_run_open(path, &run, &err);
    if (status == CFSPLIT_OK)
        status = lead(run, path);
    print_peak();
    return finish(run, status);
}

/* ---- what processes used */

static double cpu_us(pid_t pid)
{
    struct timespec t = {0};
    clockid_t clock;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        perror("bench_queue: the processor time of the coordinator");
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- the crowd */

static cfsplit_status begin(struct crowd *c, struct worker *w, uint64_t slots)
{
    w->journal.fd = -1;
    w->slots = slots;
    w->held = calloc(slots, sizeof *w->held);
    if (!w->held)
        return csi_fail_memory(&err);
    cfsplit_status status = csi_inc_publish(c->run, (uint32_t)(w - c->at) + 1, "bench_queue", &w->inc, &err);
    if (status == CFSPLIT_OK)
        status = csi_journal_open(&w->journal, c->run, &w->inc, &err);
    return status == CFSPLIT_OK ? csi_queued_init(&w->q, c->run, &w->inc, &c->options, &w->journal, &err) : status;
}

static bool is_due(const struct crowd *c, const struct worker *w)
{
    return w->held_count > 0 && !c->hold &&
           (c->item_ms == 0 || bench_now_us() - w->taken_us >= (double)c->item_ms * 1e3);
}

static void end_held(struct crowd *c, struct worker *w)
{
    while (is_due(c, w)) {
        const struct held *h = &w->held[--w->held_count];
        csi_queued_spoken(&w->q, h->index, h->attempt, CSI_DONE, c->item_ms);
        c->items++;
        if (c->item_ms == 0)
            continue;
        c->last_us = bench_now_us();
        c->busy_us += c->last_us - w->taken_us;
    }
}

static bool may_tell(const struct crowd *c, const struct worker *w)
{
    return w->q.ends_count > 0 && (c->item_ms == 0 || csi_clock_mono_ms() - w->told_ms >= tell_ms);
}

/* Takes what has come, and ends it unless it is to be held. */
static void take_and_end(struct crowd *c, struct worker *w)
{
    const struct csi_lease *lease;
    end_held(c, w);
    while (w->held_count < w->slots && (lease = csi_queued_take(&w->q, 0)) != NULL) {
        w->held[w->held_count++] = (struct held){lease->index, lease->attempt};
        w->taken_us = c->item_ms ? bench_now_us() : 0;
        end_held(c, w);
    }
    if (!may_tell(c, w))
        return;
    w->told_ms = csi_clock_mono_ms();
    csi_queued_tell(&w->q);
}

/* libzmq's descriptor tells of changes only: what there is was taken before it is waited for again. */
static cfsplit_status watch(struct crowd *c, struct worker *w)
{
    int fd = csi_queued_fd(&w->q);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)(w - c->at)};
    if (fd < 0 || w->called_ms == w->q.called_ms)
        return CFSPLIT_OK;
    w->called_ms = w->q.called_ms; /* a new connection, perhaps of the same number */
    if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event) == 0 || errno == EEXIST)
        return CFSPLIT_OK;
    perror("epoll_ctl");
    return CFSPLIT_MEMORY;
}

static bool can_take(const struct crowd *c, const struct worker *w)
{
    return c->go && w->held_count < w->slots && w->q.leases.waiting > 0 && w->q.state != CSI_QUEUED_HOME;
}

static cfsplit_status step_once(struct crowd *c, struct worker *w, uint64_t now_ms)
{
    bool was_welcome = w->q.state == CSI_QUEUED_AT_WORK;
    if (c->go)
        take_and_end(c, w);
    cfsplit_status status = csi_queued_step(&w->q, now_ms, c->go ? w->slots - w->held_count : 0, w->held_count, &err);
    c->welcome += !was_welcome && w->q.state == CSI_QUEUED_AT_WORK;
    c->welcome -= was_welcome && w->q.state != CSI_QUEUED_AT_WORK;
    return status == CFSPLIT_OK ? watch(c, w) : status;
}

/* Until nothing more has come. */
static cfsplit_status step(struct crowd *c, struct worker *w, uint64_t now_ms)
{
    cfsplit_status status = CFSPLIT_OK;
    if (w->q.state == CSI_QUEUED_HOME)
        return status;
    do
        status = step_once(c, w, now_ms);
    while (status == CFSPLIT_OK && w->q.state != CSI_QUEUED_HOME &&
           (can_take(c, w) || csi_queued_listen(&w->q, now_ms)));
    c->home += w->q.state == CSI_QUEUED_HOME;
    return status;
}

static cfsplit_status step_all(struct crowd *c, uint64_t now_ms, bool due_only)
{
    cfsplit_status status = CFSPLIT_OK;
    for (size_t i = 0; status == CFSPLIT_OK && i < c->live; i++)
        if (!due_only || now_ms >= csi_queued_due_ms(&c->at[i].q))
            status = step(c, &c->at[i], now_ms);
    return status;
}

/* One round: who has heard something, and now and then who has something to do by the clock. */
static cfsplit_status turn(struct crowd *c, uint64_t *looked_ms)
{
    struct epoll_event events[events_at_once];
    int ready = epoll_wait(c->epoll, events, events_at_once, c->item_ms ? 1 : look_ms);
    uint64_t now_ms = csi_clock_mono_ms();
    cfsplit_status status = CFSPLIT_OK;
    for (int i = 0; status == CFSPLIT_OK && i < ready; i++)
        status = step(c, &c->at[events[i].data.u64], now_ms);
    for (size_t i = 0; status == CFSPLIT_OK && c->item_ms && i < c->live; i++)
        if (is_due(c, &c->at[i]) || may_tell(c, &c->at[i]))
            status = step(c, &c->at[i], now_ms);
    if (status != CFSPLIT_OK || now_ms - *looked_ms < look_ms)
        return status;
    *looked_ms = now_ms;
    return step_all(c, now_ms, true);
}

static cfsplit_status go_home(struct crowd *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct csi_record closed = {.kind = CSI_RECORD_CLOSED, .text = "left", .text_length = 4};
        csi_journal_add(&c->at[i].journal, &closed);
        cfsplit_status status = csi_journal_write(&c->at[i].journal, &err);
        if (status != CFSPLIT_OK)
            return status;
        csi_queued_leave(&c->at[i].q, c->at[i].journal.length);
        status = csi_journal_close(&c->at[i].journal, &err);
        if (status != CFSPLIT_OK)
            return status;
    }
    return CFSPLIT_OK;
}

/* Turns until as many are welcome, or sent home, or hold so many items, or so much time has passed. */
struct until {
    size_t welcome, home;
    uint64_t held, time_ms;
};

static cfsplit_status go_on(struct crowd *c, struct until until)
{
    uint64_t looked_ms = 0, from_ms = csi_clock_mono_ms();
    cfsplit_status status = step_all(c, from_ms, false);
    while (status == CFSPLIT_OK && (c->welcome < until.welcome || c->home < until.home ||
                                    c->at[0].held_count < until.held || csi_clock_mono_ms() - from_ms < until.time_ms))
        status = turn(c, &looked_ms);
    return status;
}

struct used {
    double at_us, lead_us, own_us;
};

static struct used look_at_clocks(pid_t lead_pid)
{
    return (struct used){bench_now_us(), cpu_us(lead_pid), cpu_us(getpid())};
}

static void print_used(const struct crowd *c, const struct used *from, pid_t lead_pid)
{
    struct used to = look_at_clocks(lead_pid);
    printf("items\t%" PRIu64 "\ntook_us\t%.0f\nlead_cpu_us\t%.0f\nown_cpu_us\t%.0f\n", c->items, to.at_us - from->at_us,
           to.lead_us - from->lead_us, to.own_us - from->own_us);
}

/* All are connected first, and then take items. */
static cfsplit_status run_busy(struct crowd *c, pid_t lead_pid)
{
    c->live = c->count;
    cfsplit_status status = go_on(c, (struct until){.welcome = c->count});
    struct used from = look_at_clocks(lead_pid);
    c->go = true;
    if (status == CFSPLIT_OK)
        status = go_on(c, (struct until){.home = c->count});
    print_used(c, &from, lead_pid);
    if (c->item_ms)
        printf("busy\t%.4f\nitem_us\t%.0f\n", c->busy_us / ((c->last_us - from.at_us) * (double)c->count),
               c->busy_us / (double)c->items);
    return status;
}

/* The first one holds all items, and the others wait. */
static cfsplit_status run_idle(struct crowd *c, pid_t lead_pid, uint64_t ms)
{
    c->live = 1;
    c->go = c->hold = true;
    cfsplit_status status = go_on(c, (struct until){.held = c->at[0].slots});
    c->live = c->count;
    if (status == CFSPLIT_OK)
        status = go_on(c, (struct until){.welcome = c->count, .time_ms = ms / 4});
    struct used from = look_at_clocks(lead_pid);
    if (status == CFSPLIT_OK)
        status = go_on(c, (struct until){.time_ms = ms});
    printf("waiting\t%zu\n", c->welcome - 1);
    print_used(c, &from, lead_pid);
    c->hold = false;
    return status == CFSPLIT_OK ? go_on(c, (struct until){.home = c->count}) : status;
}

static cfsplit_status run_crowd(struct crowd *c, pid_t lead_pid, uint64_t idle_ms)
{
    cfsplit_status status = CFSPLIT_OK;
    for (size_t i = 0; status == CFSPLIT_OK && i < c->count; i++)
        status = begin(c, &c->at[i], i == 0 && idle_ms ? c->count : 1);
    if (status == CFSPLIT_OK)
        status = idle_ms ? run_idle(c, lead_pid, idle_ms) : run_busy(c, lead_pid);
    return status == CFSPLIT_OK ? go_home(c) : status;
}

static void release(struct crowd *c)
{
    for (size_t i = 0; i < c->count && c->at[i].held; i++) {
        free(c->at[i].held);
        if (c->at[i].q.run)
            csi_queued_fini(&c->at[i].q);
    }
    free(c->at);
    close(c->epoll);
}

int bench_crowd(const char *path, size_t workers, pid_t lead_pid, long idle_s, long item_ms)
{
    struct crowd c = {.options = CFSPLIT_RUN_OPTIONS_INIT, .count = workers, .item_ms = (uint64_t)item_ms};
    c.at = calloc(workers, sizeof *c.at);
    c.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!c.at || c.epoll < 0) {
        perror("bench_queue");
        free(c.at);
        return 1;
    }
    cfsplit_status status = cfsplit_run_open(path, &c.run, &err);
    if (status == CFSPLIT_OK) {
        csi_options_settle(&c.options, &c.run->spec.options);
        status = run_crowd(&c, lead_pid, (uint64_t)idle_s * 1000);
    }
    release(&c);
    return finish(c.run, status);
}
