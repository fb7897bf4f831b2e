#include "exec/exec.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/killpoint.h"
#include "exec/keep.h"

#define SPACE_BYTES      65536u
#define KILL_AFTER_MS    10000u
#define LOOK_EVERY_MS    20u /* for the end of a process without a pidfd */
#define FREE_PATIENCE_MS 5000u

struct csi_exec {
    struct csi_exec_options options;
    struct csi_exec_sink sink;
    struct csi_child_maker maker;
    struct csi_slot *slots;
    struct pollfd *polls; /* CSI_SLOT_POLLS a slot; then the caller's */
    size_t polls_room;
    unsigned running, ended;
    struct csi_exec_kept kept; /* argv NULL: commands are not kept */
    unsigned mute;             /* so many commands in a row have ended without an answer */
    bool has_loss;
    struct csi_exec_loss loss;
    char *space; /* where output is read to */
};

static bool is_state(const struct csi_slot *slot, enum csi_slot_state state)
{
    return slot->state == state;
}

static bool lives(const struct csi_slot *slot)
{
    return slot->child.pid > 0;
}

static bool is_free(const struct csi_slot *slot)
{
    return is_state(slot, CSI_SLOT_FREE) && !(lives(slot) && slot->keep.leaving);
}

/* A free slot, whose command lives or which has none. */
static struct csi_slot *find_free(const struct csi_exec *exec, bool living)
{
    for (unsigned i = 0; i < exec->options.slots; i++)
        if (is_free(&exec->slots[i]) && lives(&exec->slots[i]) == living)
            return &exec->slots[i];
    return NULL;
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

/* ---- a command that is kept */

void csi_exec_keep(struct csi_exec *exec, const struct csi_exec_kept *command)
{
    exec->kept = *command;
}

static cfsplit_status start_kept(struct csi_exec *exec, struct csi_slot *slot, struct cfsplit_error *err)
{
    struct csi_child_request request = {
        .path = exec->kept.path, .argv = exec->kept.argv, .envp = exec->kept.envp, .cwd_fd = exec->options.cwd_fd};
    return csi_keep_start(slot, &exec->maker, &request, err);
}

cfsplit_status csi_exec_give(struct csi_exec *exec, const char *item, size_t length, uint64_t tag, uint64_t now_ms,
                             struct cfsplit_error *err)
{
    struct csi_slot *slot = find_free(exec, true);
    slot = slot ? slot : find_free(exec, false);
    if (!slot || !exec->kept.argv)
        return csi_fail(err, CFSPLIT_USAGE, "no free slot");
    cfsplit_status status = lives(slot) ? CFSPLIT_OK : start_kept(exec, slot, err);
    if (status == CFSPLIT_OK)
        status = csi_keep_give(slot, item, length, exec->kept.end, tag, now_ms, err);
    if (status != CFSPLIT_OK)
        return status;
    if (exec->options.timeout_ms > 0)
        slot->term_at = now_ms + exec->options.timeout_ms;
    exec->running++;
    return CFSPLIT_OK;
}

bool csi_exec_take_loss(struct csi_exec *exec, struct csi_exec_loss *loss)
{
    bool has = exec->has_loss;
    if (has)
        *loss = exec->loss;
    exec->has_loss = false;
    return has;
}

void csi_exec_close_kept(struct csi_exec *exec, uint64_t grace_ms, uint64_t now_ms)
{
    for (unsigned i = 0; i < exec->options.slots; i++)
        if (!is_state(&exec->slots[i], CSI_SLOT_RUNNING) && lives(&exec->slots[i]) && !exec->slots[i].keep.leaving)
            csi_keep_close(&exec->slots[i], now_ms + grace_ms);
}

unsigned csi_exec_living(const struct csi_exec *exec)
{
    unsigned count = 0;
    for (unsigned i = 0; i < exec->options.slots; i++)
        count += lives(&exec->slots[i]);
    return count;
}

/* A command has ended without having read anything of its item: that goes to a new one, or is given up. */
static cfsplit_status give_again(struct csi_exec *exec, struct csi_slot *slot, uint64_t now_ms,
                                 struct cfsplit_error *err)
{
    struct cfsplit_error failure;
    const char *why = NULL;
    exec->mute = slot->keep.answered ? 0 : exec->mute + 1;
    if (exec->mute < CSI_EXEC_MUTE_LIVES) {
        if (start_kept(exec, slot, &failure) == CFSPLIT_OK) {
            csi_keep_give_again(slot);
            return CFSPLIT_OK;
        }
        why = failure.message;
    }
    return csi_keep_give_up(slot, &exec->sink, why, now_ms, err);
}

static cfsplit_status end_kept(struct csi_exec *exec, struct csi_slot *slot, uint64_t now_ms, struct cfsplit_error *err)
{
    cfsplit_status status = csi_keep_finish(slot, &exec->sink, exec->space, SPACE_BYTES, now_ms, err);
    if (slot->keep.lost) {
        slot->keep.lost = false;
        exec->has_loss = true;
        exec->loss = (struct csi_exec_loss){slot->keep.wait_status, csi_keep_fault(slot)};
    }
    if (!is_state(slot, CSI_SLOT_RUNNING))
        return status;
    cfsplit_status then = give_again(exec, slot, now_ms, status == CFSPLIT_OK ? err : NULL);
    return status != CFSPLIT_OK ? status : then;
}

/* ---- */

unsigned csi_exec_free_slots(const struct csi_exec *exec)
{
    unsigned count = 0;
    for (unsigned i = 0; i < exec->options.slots; i++)
        count += is_free(&exec->slots[i]);
    return count;
}

unsigned csi_exec_running(const struct csi_exec *exec)
{
    return exec->running;
}

bool csi_exec_owns(const struct csi_exec *exec, pid_t pid)
{
    for (unsigned i = 0; i < exec->options.slots; i++)
        if (lives(&exec->slots[i]) && exec->slots[i].child.pid == pid)
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
        if (!lives(&exec->slots[i]))
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
    size_t own = CSI_SLOT_POLLS * (size_t)exec->options.slots;
    if (exec->polls_room < own + extra_count) {
        struct pollfd *polls = realloc(exec->polls, (own + extra_count) * sizeof *polls);
        if (!polls)
            return csi_fail_memory(err);
        exec->polls = polls;
        exec->polls_room = own + extra_count;
    }
    for (size_t i = 0; i < exec->options.slots; i++) {
        const struct csi_slot *slot = &exec->slots[i];
        struct pollfd *polls = exec->polls + CSI_SLOT_POLLS * i;
        bool sends = is_state(slot, CSI_SLOT_RUNNING) && slot->keep.sent < slot->keep.item.length;
        polls[CSI_POLL_CHILD] = (struct pollfd){.fd = slot->child.pidfd, .events = POLLIN};
        polls[CSI_POLL_OUTPUT] = (struct pollfd){.fd = slot->pipe, .events = POLLIN};
        polls[CSI_POLL_ERRORS] = (struct pollfd){.fd = slot->keep.errors, .events = POLLIN};
        polls[CSI_POLL_INPUT] = (struct pollfd){.fd = sends ? slot->keep.input[1] : -1, .events = POLLOUT};
    }
    if (extra_count > 0)
        memcpy(exec->polls + own, extra, extra_count * sizeof *extra);
    return CFSPLIT_OK;
}

static cfsplit_status listen_to(struct csi_exec *exec, struct csi_slot *slot, const struct pollfd *polls,
                                uint64_t now_ms, struct cfsplit_error *err)
{
    if (exec->kept.argv)
        return csi_keep_serve(slot, polls, &exec->sink, exec->space, SPACE_BYTES, now_ms, err);
    if (slot->pipe >= 0 && polls[CSI_POLL_OUTPUT].revents != 0)
        return csi_slot_read(slot, exec->space, SPACE_BYTES, now_ms, err);
    return CFSPLIT_OK;
}

/* The child has ended. */
static cfsplit_status end_child(struct csi_exec *exec, struct csi_slot *slot, uint64_t now_ms,
                                struct cfsplit_error *err)
{
    if (exec->kept.argv)
        return end_kept(exec, slot, now_ms, err);
    return csi_slot_finish(slot, &exec->sink, exec->space, SPACE_BYTES, now_ms, err);
}

/* Serves one slot after poll(2): output first, then the end of its child, then what is due. */
static cfsplit_status serve(struct csi_exec *exec, struct csi_slot *slot, const struct pollfd *polls, uint64_t now_ms,
                            struct cfsplit_error *err)
{
    bool ran = is_state(slot, CSI_SLOT_RUNNING);
    cfsplit_status status = listen_to(exec, slot, polls, now_ms, err), then;
    bool gone = slot->child.pidfd >= 0 ? polls[CSI_POLL_CHILD].revents != 0 : csi_slot_has_ended(slot);
    struct cfsplit_error *once = status == CFSPLIT_OK ? err : NULL;
    if (gone)
        then = end_child(exec, slot, now_ms, once);
    else
        then = csi_slot_tick(slot, &exec->sink, exec->options.kill_after_ms, now_ms, once);
    if (ran && is_state(slot, CSI_SLOT_ENDED)) {
        exec->running--;
        exec->ended++;
        exec->mute = slot->end.answer == CSI_ANSWER_NONE ? exec->mute : 0;
    }
    return status != CFSPLIT_OK ? status : then;
}

static cfsplit_status serve_all(struct csi_exec *exec, uint64_t now_ms, struct cfsplit_error *err)
{
    cfsplit_status first = CFSPLIT_OK;
    for (unsigned i = 0; i < exec->options.slots; i++) {
        if (!lives(&exec->slots[i]))
            continue;
        struct cfsplit_error *once = first == CFSPLIT_OK ? err : NULL;
        cfsplit_status status = serve(exec, &exec->slots[i], exec->polls + CSI_SLOT_POLLS * (size_t)i, now_ms, once);
        first = first != CFSPLIT_OK ? first : status;
    }
    return first;
}

cfsplit_status csi_exec_poll(struct csi_exec *exec, struct pollfd *extra, size_t extra_count, int timeout_ms,
                             struct cfsplit_error *err)
{
    size_t own = CSI_SLOT_POLLS * (size_t)exec->options.slots;
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
        if (lives(&exec->slots[i]))
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
    while (csi_exec_living(exec) > 0 && csi_clock_mono_ms() < until_ms) {
        if (!csi_exec_take_end(exec, &end) && csi_exec_poll(exec, NULL, 0, 100, NULL) == CFSPLIT_MEMORY)
            break;
    }
    release(exec);
}
