#include "exec/exec.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/killpoint.h"
#include "exec/slot.h"

#define SPACE_BYTES      65536u
#define KILL_AFTER_MS    10000u
#define LOOK_EVERY_MS    20u /* for the end of a process without a pidfd */
#define FREE_PATIENCE_MS 5000u

struct csi_exec {
    struct csi_exec_options options;
    struct csi_exec_sink sink;
    struct csi_child_maker maker;
    struct csi_slot *slots;
    struct pollfd *polls; /* two a slot, pidfd and pipe; then the caller's */
    size_t polls_room;
    unsigned running, ended;
    char *space; /* where output is read to */
};

static bool is_state(const struct csi_slot *slot, enum csi_slot_state state)
{
    return slot->state == state;
}

static struct csi_slot *find_slot(const struct csi_exec *exec, enum csi_slot_state state)
{
    for (unsigned i = 0; i < exec->options.slots; i++)
        if (is_state(&exec->slots[i], state))
            return &exec->slots[i];
    return NULL;
}

static void release(struct csi_exec *exec)
{
    for (unsigned i = 0; exec->slots && i < exec->options.slots; i++)
        csi_slot_fini(&exec->slots[i]);
    csi_child_maker_close(&exec->maker);
    free(exec->slots);
    free(exec->polls);
    free(exec->space);
    free(exec);
}

cfsplit_status csi_exec_new(const struct csi_exec_options *options, const struct csi_exec_sink *sink,
                            struct csi_exec **out, struct cfsplit_error *err)
{
    *out = NULL;
    if (options->slots == 0)
        return csi_fail(err, CFSPLIT_USAGE, "no slots to run anything in");
    struct csi_exec *exec = calloc(1, sizeof *exec);
    if (!exec)
        return csi_fail_memory(err);
    exec->options = *options;
    exec->options.kill_after_ms = options->kill_after_ms ? options->kill_after_ms : KILL_AFTER_MS;
    exec->sink = sink ? *sink : (struct csi_exec_sink){0};
    cfsplit_status status = csi_child_maker_open(&exec->maker, err);
    exec->maker.has_pidfd = !options->no_pidfd;
    exec->slots = calloc(options->slots, sizeof *exec->slots);
    exec->space = malloc(SPACE_BYTES);
    if (status == CFSPLIT_OK && (!exec->slots || !exec->space))
        status = csi_fail_memory(err);
    for (unsigned i = 0; exec->slots && i < options->slots; i++)
        csi_slot_init(&exec->slots[i], options->output_limit);
    if (status == CFSPLIT_OK)
        *out = exec;
    else
        release(exec);
    return status;
}

cfsplit_status csi_exec_start(struct csi_exec *exec, char *const *argv, const char *path, char *const *envp,
                              uint64_t tag, uint64_t now_ms, pid_t *pgid, struct cfsplit_error *err)
{
    struct csi_slot *slot = find_slot(exec, CSI_SLOT_FREE);
    if (!slot)
        return csi_fail(err, CFSPLIT_USAGE, "no free slot");
    struct csi_child_request request = {.path = path, .argv = argv, .envp = envp, .cwd_fd = exec->options.cwd_fd};
    CSI_KILL_POINT("item.start-written");
    cfsplit_status status = csi_slot_start(slot, &exec->maker, &request, tag, now_ms, err);
    CSI_KILL_POINT("item.started");
    if (status != CFSPLIT_OK)
        return status;
    if (exec->options.timeout_ms > 0)
        slot->term_at = now_ms + exec->options.timeout_ms;
    exec->running++;
    if (pgid)
        *pgid = slot->child.pid;
    return CFSPLIT_OK;
}

unsigned csi_exec_free_slots(const struct csi_exec *exec)
{
    return exec->options.slots - exec->running - exec->ended;
}

unsigned csi_exec_running(const struct csi_exec *exec)
{
    return exec->running;
}

bool csi_exec_owns(const struct csi_exec *exec, pid_t pid)
{
    for (unsigned i = 0; i < exec->options.slots; i++)
        if (is_state(&exec->slots[i], CSI_SLOT_RUNNING) && exec->slots[i].child.pid == pid)
            return true;
    return false;
}

/* How long until a slot without a pidfd is to be looked at: soon after its output closed, for that is how most end. */
static uint64_t look_again_ms(const struct csi_slot *slot, uint64_t now_ms)
{
    if (slot->pipe >= 0)
        return LOOK_EVERY_MS;
    uint64_t since = 1 + (now_ms - slot->closed_ms) / 8;
    return since < LOOK_EVERY_MS ? since : LOOK_EVERY_MS;
}

static uint64_t slot_patience_ms(const struct csi_slot *slot, uint64_t now_ms)
{
    uint64_t due = csi_slot_due_at(slot);
    uint64_t patience = due <= now_ms ? 0 : due == CSI_SLOT_NEVER ? CSI_SLOT_NEVER : due - now_ms;
    uint64_t look = slot->child.pidfd < 0 ? look_again_ms(slot, now_ms) : CSI_SLOT_NEVER;
    return look < patience ? look : patience;
}

/* How long poll(2) may sleep. */
static int patience_ms(const struct csi_exec *exec, int timeout_ms)
{
    uint64_t now_ms = csi_clock_mono_ms();
    uint64_t patience = exec->ended > 0 ? 0 : timeout_ms < 0 ? CSI_SLOT_NEVER : (uint64_t)timeout_ms;
    for (unsigned i = 0; i < exec->options.slots; i++) {
        if (!is_state(&exec->slots[i], CSI_SLOT_RUNNING))
            continue;
        uint64_t slot = slot_patience_ms(&exec->slots[i], now_ms);
        patience = slot < patience ? slot : patience;
    }
    return patience == CSI_SLOT_NEVER ? -1 : patience > INT_MAX ? INT_MAX : (int)patience;
}

/* Lays out what poll(2) waits for; a descriptor of -1 is none. */
static cfsplit_status fill_polls(struct csi_exec *exec, const struct pollfd *extra, size_t extra_count,
                                 struct cfsplit_error *err)
{
    size_t own = 2 * (size_t)exec->options.slots;
    if (exec->polls_room < own + extra_count) {
        struct pollfd *polls = realloc(exec->polls, (own + extra_count) * sizeof *polls);
        if (!polls)
            return csi_fail_memory(err);
        exec->polls = polls;
        exec->polls_room = own + extra_count;
    }
    for (size_t i = 0; i < exec->options.slots; i++) {
        const struct csi_slot *slot = &exec->slots[i];
        bool runs = is_state(slot, CSI_SLOT_RUNNING);
        exec->polls[2 * i] = (struct pollfd){.fd = runs ? slot->child.pidfd : -1, .events = POLLIN};
        exec->polls[2 * i + 1] = (struct pollfd){.fd = runs ? slot->pipe : -1, .events = POLLIN};
    }
    if (extra_count > 0)
        memcpy(exec->polls + own, extra, extra_count * sizeof *extra);
    return CFSPLIT_OK;
}

/* Serves one running slot after poll(2): output first, then the end, then what is due. */
static cfsplit_status serve(struct csi_exec *exec, struct csi_slot *slot, const struct pollfd *polls, uint64_t now_ms,
                            struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    if (slot->pipe >= 0 && polls[1].revents != 0)
        status = csi_slot_read(slot, exec->space, SPACE_BYTES, now_ms, err);
    bool ended = slot->child.pidfd >= 0 ? polls[0].revents != 0 : csi_slot_has_ended(slot);
    struct cfsplit_error *once = status == CFSPLIT_OK ? err : NULL;
    cfsplit_status then;
    if (ended) {
        then = csi_slot_finish(slot, &exec->sink, exec->space, SPACE_BYTES, now_ms, once);
        exec->running--;
        exec->ended++;
    } else {
        then = csi_slot_tick(slot, &exec->sink, exec->options.kill_after_ms, now_ms, once);
    }
    return status != CFSPLIT_OK ? status : then;
}

static cfsplit_status serve_all(struct csi_exec *exec, uint64_t now_ms, struct cfsplit_error *err)
{
    cfsplit_status first = CFSPLIT_OK;
    for (unsigned i = 0; i < exec->options.slots; i++) {
        if (!is_state(&exec->slots[i], CSI_SLOT_RUNNING))
            continue;
        struct cfsplit_error *once = first == CFSPLIT_OK ? err : NULL;
        cfsplit_status status = serve(exec, &exec->slots[i], exec->polls + 2 * (size_t)i, now_ms, once);
        first = first != CFSPLIT_OK ? first : status;
    }
    return first;
}

cfsplit_status csi_exec_poll(struct csi_exec *exec, struct pollfd *extra, size_t extra_count, int timeout_ms,
                             struct cfsplit_error *err)
{
    size_t own = 2 * (size_t)exec->options.slots;
    cfsplit_status status = fill_polls(exec, extra, extra_count, err);
    if (status != CFSPLIT_OK)
        return status;
    int ready = poll(exec->polls, (nfds_t)(own + extra_count), patience_ms(exec, timeout_ms));
    for (size_t i = 0; ready < 0 && i < own + extra_count; i++)
        exec->polls[i].revents = 0; /* a signal: what is due is done all the same */
    for (size_t i = 0; i < extra_count; i++)
        extra[i].revents = exec->polls[own + i].revents;
    return serve_all(exec, csi_clock_mono_ms(), err);
}

bool csi_exec_take_end(struct csi_exec *exec, struct csi_exec_end *end)
{
    struct csi_slot *slot = exec->ended > 0 ? find_slot(exec, CSI_SLOT_ENDED) : NULL;
    if (!slot)
        return false;
    *end = slot->end;
    slot->state = CSI_SLOT_FREE;
    exec->ended--;
    return true;
}

void csi_exec_signal_all(struct csi_exec *exec, int sig)
{
    for (unsigned i = 0; i < exec->options.slots; i++)
        if (is_state(&exec->slots[i], CSI_SLOT_RUNNING))
            csi_slot_signal(&exec->slots[i], sig);
}

void csi_exec_kill_all(struct csi_exec *exec)
{
    csi_exec_signal_all(exec, SIGKILL);
}

void csi_exec_free(struct csi_exec *exec)
{
    if (!exec)
        return;
    struct csi_exec_end end;
    uint64_t until_ms = csi_clock_mono_ms() + FREE_PATIENCE_MS;
    exec->sink.output = NULL;
    csi_exec_kill_all(exec);
    while (exec->running > 0 && csi_clock_mono_ms() < until_ms) {
        if (!csi_exec_take_end(exec, &end) && csi_exec_poll(exec, NULL, 0, 100, NULL) == CFSPLIT_MEMORY)
            break;
    }
    release(exec);
}
