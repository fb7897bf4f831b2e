#include "exec/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

#define FLUSH_AFTER_MS 1000
#define PIECE_BYTES    65536u

void csi_slot_init(struct csi_slot *slot, uint64_t output_limit)
{
    *slot = (struct csi_slot){.child = {.pid = -1, .pidfd = -1}, .pipe = -1, .keep = {.input = {-1, -1}, .errors = -1}};
    slot->term_at = slot->kill_at = slot->flush_at = CSI_SLOT_NEVER;
    csi_capture_init(&slot->capture, output_limit);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void csi_slot_fini(struct csi_slot *slot)
{
    close_fd(&slot->pipe);
    close_fd(&slot->child.pidfd);
    csi_capture_fini(&slot->capture);
    csi_buf_release(&slot->pending);
    close_fd(&slot->keep.input[0]);
    close_fd(&slot->keep.input[1]);
    close_fd(&slot->keep.errors);
    csi_buf_release(&slot->keep.item);
    csi_buf_release(&slot->keep.said);
}

cfsplit_status csi_slot_start(struct csi_slot *slot, struct csi_child_maker *maker, struct csi_child_request *request,
                              uint64_t tag, uint64_t now_ms, struct cfsplit_error *err)
{
    int pipe[2];
    int number = csi_child_pipe(pipe);
    if (number != 0)
        return csi_fail_errno(err, CFSPLIT_MEMORY, number, "cannot start a process");
    fcntl(pipe[0], F_SETFL, O_NONBLOCK);
    request->output_fd = pipe[1];
    cfsplit_status status = csi_child_start(maker, request, &slot->child, err);
    close(pipe[1]);
    if (status != CFSPLIT_OK) {
        close(pipe[0]);
        return status;
    }
    slot->state = CSI_SLOT_RUNNING;
    slot->pipe = pipe[0];
    slot->term_at = slot->kill_at = slot->flush_at = CSI_SLOT_NEVER;
    slot->end = (struct csi_exec_end){.tag = tag, .started_ms = now_ms};
    return CFSPLIT_OK;
}

cfsplit_status csi_slot_put(struct csi_slot *slot, const char *data, size_t length, uint64_t now_ms,
                            struct cfsplit_error *err)
{
    cfsplit_status status = csi_capture_put(&slot->capture, data, length, &slot->pending, err);
    if (slot->pending.length > 0 && slot->flush_at == CSI_SLOT_NEVER && slot->state == CSI_SLOT_RUNNING)
        slot->flush_at = now_ms + FLUSH_AFTER_MS;
    return status;
}

/* One read; *got is 0 when there is nothing to be had now. */
static cfsplit_status read_once(struct csi_slot *slot, char *space, size_t room, uint64_t now_ms, size_t *got,
                                struct cfsplit_error *err)
{
    ssize_t count;
    do
        count = read(slot->pipe, space, room);
    while (count < 0 && errno == EINTR);
    *got = count > 0 ? (size_t)count : 0;
    if (count == 0 || (count < 0 && errno != EAGAIN)) {
        close_fd(&slot->pipe);
        slot->closed_ms = now_ms;
    }
    return count > 0 ? csi_slot_put(slot, space, *got, now_ms, err) : CFSPLIT_OK;
}

cfsplit_status csi_slot_read(struct csi_slot *slot, char *space, size_t room, uint64_t now_ms,
                             struct cfsplit_error *err)
{
    size_t got;
    return read_once(slot, space, room, now_ms, &got, err);
}

static cfsplit_status flush(struct csi_slot *slot, const struct csi_exec_sink *sink, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    for (size_t at = 0; sink->output && at < slot->pending.length && status == CFSPLIT_OK;) {
        size_t left = slot->pending.length - at;
        size_t piece = left < PIECE_BYTES ? left : PIECE_BYTES;
        status = sink->output(sink->ctx, slot->end.tag, slot->pending.data + at, piece, err);
        at += piece;
    }
    csi_buf_clear(&slot->pending);
    slot->flush_at = CSI_SLOT_NEVER;
    return status;
}

bool csi_slot_has_ended(const struct csi_slot *slot)
{
    siginfo_t info = {0};
    int failed = waitid(P_PID, (id_t)slot->child.pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return (failed != 0 && errno == ECHILD) || info.si_pid == slot->child.pid;
}

/* What stands in the pipe now, and no more: somebody outside the group may go on writing for ever. */
static cfsplit_status drain(struct csi_slot *slot, char *space, size_t room, uint64_t now_ms, struct cfsplit_error *err)
{
    int left = 0;
    cfsplit_status status = CFSPLIT_OK;
    if (slot->pipe < 0 || ioctl(slot->pipe, FIONREAD, &left) != 0)
        left = 0;
    while (left > 0 && slot->pipe >= 0 && status == CFSPLIT_OK) {
        size_t got;
        status = read_once(slot, space, room < (size_t)left ? room : (size_t)left, now_ms, &got, err);
        left = got > 0 ? left - (int)got : 0;
    }
    close_fd(&slot->pipe);
    return status;
}

static uint64_t milliseconds(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_usec / 1000;
}

cfsplit_status csi_slot_reap(struct csi_slot *slot, struct csi_exec_end *end, struct cfsplit_error *err)
{
    struct rusage used = {0};
    pid_t pid = slot->child.pid, got;
    do
        got = wait4(pid, &end->wait_status, 0, &used);
    while (got < 0 && errno == EINTR);
    close_fd(&slot->child.pidfd);
    slot->child.pid = -1;
    slot->kill_at = CSI_SLOT_NEVER;
    end->user_ms = milliseconds(used.ru_utime);
    end->system_ms = milliseconds(used.ru_stime);
    end->max_rss_bytes = (uint64_t)used.ru_maxrss * 1024;
    if (got > 0)
        return CFSPLIT_OK;
    end->wait_status = SIGKILL; /* whatever it was, not a success */
    return csi_fail_errno(err, CFSPLIT_USAGE, errno, "somebody else reaped process %d", (int)pid);
}

static cfsplit_status first_failure(cfsplit_status a, cfsplit_status b)
{
    return a != CFSPLIT_OK ? a : b;
}

cfsplit_status csi_slot_end(struct csi_slot *slot, const struct csi_exec_sink *sink, uint64_t now_ms,
                            struct cfsplit_error *err)
{
    cfsplit_status status = csi_capture_end(&slot->capture, &slot->pending, err);
    status = first_failure(status, flush(slot, sink, status == CFSPLIT_OK ? err : NULL));
    slot->state = CSI_SLOT_ENDED;
    slot->term_at = CSI_SLOT_NEVER;
    slot->end.ended_ms = now_ms;
    slot->end.output_bytes = slot->capture.total;
    slot->end.dropped_bytes = csi_capture_dropped(&slot->capture);
    csi_capture_last_line(&slot->capture, slot->end.last_line);
    csi_capture_reset(&slot->capture);
    return status;
}

cfsplit_status csi_slot_finish(struct csi_slot *slot, const struct csi_exec_sink *sink, char *space, size_t room,
                               uint64_t now_ms, struct cfsplit_error *err)
{
    kill(-slot->child.pid, SIGKILL); /* the zombie still holds the group's number */
    cfsplit_status status = drain(slot, space, room, now_ms, err);
    struct cfsplit_error *once = status == CFSPLIT_OK ? err : NULL; /* the sentence of the first failure stays */
    status = first_failure(status, csi_slot_reap(slot, &slot->end, once));
    once = status == CFSPLIT_OK ? err : NULL;
    return first_failure(status, csi_slot_end(slot, sink, now_ms, once));
}

/* One that took too long is told so; if it is stopped, it must run to hear it. */
static void tell_to_end(struct csi_slot *slot, uint64_t kill_at)
{
    slot->end.timed_out |= slot->state == CSI_SLOT_RUNNING;
    slot->keep.leaving = slot->keep.signalled = true;
    slot->term_at = CSI_SLOT_NEVER;
    slot->kill_at = kill_at;
    kill(-slot->child.pid, SIGTERM);
    kill(-slot->child.pid, SIGCONT);
}

cfsplit_status csi_slot_tick(struct csi_slot *slot, const struct csi_exec_sink *sink, uint64_t kill_after_ms,
                             uint64_t now_ms, struct cfsplit_error *err)
{
    if (now_ms >= slot->term_at)
        tell_to_end(slot, now_ms + kill_after_ms);
    if (now_ms >= slot->kill_at) {
        slot->kill_at = CSI_SLOT_NEVER;
        slot->keep.signalled = true;
        kill(-slot->child.pid, SIGKILL);
    }
    bool full = slot->pending.length >= PIECE_BYTES && slot->state == CSI_SLOT_RUNNING;
    return full || now_ms >= slot->flush_at ? flush(slot, sink, err) : CFSPLIT_OK;
}

uint64_t csi_slot_due_at(const struct csi_slot *slot)
{
    uint64_t at = slot->term_at;
    at = slot->kill_at < at ? slot->kill_at : at;
    return slot->flush_at < at ? slot->flush_at : at;
}

void csi_slot_signal(struct csi_slot *slot, int sig)
{
    slot->end.killed_by_us |= slot->state == CSI_SLOT_RUNNING;
    slot->keep.leaving = slot->keep.signalled = true;
    kill(-slot->child.pid, sig);
}
