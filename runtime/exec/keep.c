#include "exec/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

#define LINGER_MS 1000u /* that a command may live on after its stdout is closed: at its end that is a moment */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_pipe(int fds[2])
{
    close_fd(&fds[0]);
    close_fd(&fds[1]);
}

static uint64_t used_ns(const struct csi_keep *keep)
{
    struct timespec used;
    if (!keep->has_clock || clock_gettime(keep->clock, &used) != 0)
        return 0;
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* ---- starting */

enum { INPUT, OUTPUT, ERRORS, PIPES };

static int open_pipes(int pipes[PIPES][2])
{
    int number = 0;
    for (int i = 0; i < PIPES; i++) {
        int failed = number == 0 ? csi_child_pipe(pipes[i]) : (pipes[i][0] = pipes[i][1] = -1, 0);
        number = failed ? failed : number;
    }
    return number;
}

static void begin_life(struct csi_slot *slot, int pipes[PIPES][2])
{
    struct csi_keep *keep = &slot->keep;
    keep->input[0] = pipes[INPUT][0];
    keep->input[1] = pipes[INPUT][1];
    slot->pipe = pipes[OUTPUT][0];
    keep->errors = pipes[ERRORS][0];
    fcntl(keep->input[1], F_SETFL, O_NONBLOCK);
    fcntl(slot->pipe, F_SETFL, O_NONBLOCK);
    fcntl(keep->errors, F_SETFL, O_NONBLOCK);
    keep->has_clock = clock_getcpuclockid(slot->child.pid, &keep->clock) == 0;
    keep->used_ns = 0;
    keep->answered = keep->leaving = keep->signalled = keep->lost = false;
    keep->fault = NULL;
}

cfsplit_status csi_keep_start(struct csi_slot *slot, struct csi_child_maker *maker, struct csi_child_request *request,
                              struct cfsplit_error *err)
{
    int pipes[PIPES][2];
    int number = open_pipes(pipes);
    request->input_fd = pipes[INPUT][0];
    request->output_fd = pipes[OUTPUT][1];
    request->errors_fd = pipes[ERRORS][1];
    cfsplit_status status = number ? csi_fail_errno(err, CFSPLIT_MEMORY, number, "cannot start a process")
                                   : csi_child_start(maker, request, &slot->child, err);
    close_fd(&pipes[OUTPUT][1]);
    close_fd(&pipes[ERRORS][1]);
    if (status == CFSPLIT_OK)
        begin_life(slot, pipes);
    for (int i = 0; status != CFSPLIT_OK && i < PIPES; i++)
        close_pipe(pipes[i]);
    return status;
}

/* ---- talking to it */

/* It does not keep to the rules: it is killed, and what becomes of its item is seen when it has ended. */
static void blame(struct csi_slot *slot, const char *fault)
{
    if (slot->keep.leaving)
        return;
    slot->keep.fault = fault;
    slot->keep.leaving = slot->keep.signalled = true;
    kill(-slot->child.pid, SIGKILL);
}

static void send_item(struct csi_slot *slot)
{
    struct csi_keep *keep = &slot->keep;
    while (keep->sent < keep->item.length) {
        ssize_t count = write(keep->input[1], keep->item.data + keep->sent, keep->item.length - keep->sent);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno != EAGAIN)
            blame(slot, "its stdin cannot be written to");
        if (count < 0)
            return;
        keep->sent += (size_t)count;
    }
}

/* Bytes of its item that it has not read. */
static size_t unread(const struct csi_keep *keep)
{
    int waiting = 0;
    if (keep->input[0] < 0 || ioctl(keep->input[0], FIONREAD, &waiting) != 0)
        waiting = 0;
    return keep->item.length - keep->sent + (size_t)waiting;
}

cfsplit_status csi_keep_give(struct csi_slot *slot, const char *item, size_t length, char end, uint64_t tag,
                             uint64_t now_ms, struct cfsplit_error *err)
{
    csi_buf_clear(&slot->keep.item);
    csi_buf_add(&slot->keep.item, item, length);
    csi_buf_add_char(&slot->keep.item, end);
    cfsplit_status status = csi_buf_check(&slot->keep.item, err);
    if (status != CFSPLIT_OK)
        return status;
    slot->state = CSI_SLOT_RUNNING;
    slot->end = (struct csi_exec_end){.tag = tag, .started_ms = now_ms};
    status = csi_slot_put(slot, "", 0, now_ms, err); /* what was said before belongs to it now */
    if (status == CFSPLIT_OK) {
        csi_keep_give_again(slot);
        return status;
    }
    slot->state = CSI_SLOT_FREE;
    csi_buf_clear(&slot->pending);
    return status;
}

void csi_keep_give_again(struct csi_slot *slot)
{
    slot->keep.sent = 0;
    send_item(slot);
}

void csi_keep_close(struct csi_slot *slot, uint64_t term_at)
{
    close_pipe(slot->keep.input);
    slot->keep.leaving = true;
    slot->term_at = term_at;
}

/* ---- listening to it */

static cfsplit_status first_failure(cfsplit_status a, cfsplit_status b)
{
    return a != CFSPLIT_OK ? a : b;
}

/* One read; 0: nothing to be had now, or closed. */
static size_t read_once(int *fd, char *space, size_t room)
{
    ssize_t count;
    do
        count = read(*fd, space, room);
    while (count < 0 && errno == EINTR);
    if (count == 0 || (count < 0 && errno != EAGAIN))
        close_fd(fd);
    return count > 0 ? (size_t)count : 0;
}

/* How much stands in a pipe now, and no more: somebody outside the group may go on writing for ever. */
static size_t standing(int fd)
{
    int count = 0;
    return fd >= 0 && ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? (size_t)count : 0;
}

static size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

static cfsplit_status read_errors(struct csi_slot *slot, char *space, size_t room, uint64_t now_ms,
                                  struct cfsplit_error *err)
{
    size_t got = read_once(&slot->keep.errors, space, room);
    return got > 0 ? csi_slot_put(slot, space, got, now_ms, err) : CFSPLIT_OK;
}

static cfsplit_status drain_errors(struct csi_slot *slot, uint64_t now_ms, struct cfsplit_error *err)
{
    char space[4096];
    cfsplit_status status = CFSPLIT_OK;
    for (size_t left = standing(slot->keep.errors); left > 0 && slot->keep.errors >= 0 && status == CFSPLIT_OK;) {
        size_t piece = at_most(left, sizeof space);
        status = read_errors(slot, space, piece, now_ms, err);
        left -= piece;
    }
    return status;
}

/* The attempt ends with an answer, its command lives on. */
static cfsplit_status take_answer(struct csi_slot *slot, const struct csi_exec_sink *sink, enum csi_answer answer,
                                  const char *text, uint64_t now_ms, struct cfsplit_error *err)
{
    struct csi_keep *keep = &slot->keep;
    if (slot->state != CSI_SLOT_RUNNING || unread(keep) > 0) {
        blame(slot, slot->state == CSI_SLOT_RUNNING ? "it answered before it had read its item"
                                                    : "it answered without having an item");
        return CFSPLIT_OK;
    }
    uint64_t used = used_ns(keep);
    keep->answered = true;
    slot->end.answer = answer;
    slot->end.wait_status = answer == CSI_ANSWER_DONE ? 0 : W_EXITCODE(1, 0);
    slot->end.user_ms = used > keep->used_ns ? (used - keep->used_ns) / 1000000 : 0;
    keep->used_ns = used;
    cfsplit_status status = drain_errors(slot, now_ms, err);
    status = first_failure(status, csi_slot_end(slot, sink, now_ms, status == CFSPLIT_OK ? err : NULL));
    if (text[0])
        snprintf(slot->end.last_line, sizeof slot->end.last_line, "%s", text);
    return status;
}

static cfsplit_status hear(struct csi_slot *slot, const struct csi_exec_sink *sink, const char *data, size_t length,
                           uint64_t now_ms, struct cfsplit_error *err)
{
    struct csi_keep *keep = &slot->keep;
    char text[CSI_ANSWER_TEXT_BYTES];
    cfsplit_status first = CFSPLIT_OK;
    while (length > 0) {
        enum csi_answer answer;
        size_t taken = csi_answers_put(&keep->answers, data, length, &keep->said, &answer, text);
        cfsplit_status status = csi_buf_check(&keep->said, first == CFSPLIT_OK ? err : NULL);
        if (status == CFSPLIT_OK && keep->said.length > 0)
            status = csi_slot_put(slot, keep->said.data, keep->said.length, now_ms, first == CFSPLIT_OK ? err : NULL);
        csi_buf_clear(&keep->said);
        first = first_failure(first, status);
        if (answer != CSI_ANSWER_NONE)
            first =
                first_failure(first, take_answer(slot, sink, answer, text, now_ms, first == CFSPLIT_OK ? err : NULL));
        data += taken;
        length -= taken;
    }
    return first;
}

static cfsplit_status read_output(struct csi_slot *slot, const struct csi_exec_sink *sink, char *space, size_t room,
                                  uint64_t now_ms, struct cfsplit_error *err)
{
    size_t got = read_once(&slot->pipe, space, room);
    if (slot->pipe < 0) {
        slot->closed_ms = now_ms;
        slot->keep.leaving = true;
        slot->keep.fault = slot->keep.signalled ? slot->keep.fault : "it closed its stdout";
        slot->kill_at = slot->kill_at < now_ms + LINGER_MS ? slot->kill_at : now_ms + LINGER_MS;
    }
    return got > 0 ? hear(slot, sink, space, got, now_ms, err) : CFSPLIT_OK;
}

cfsplit_status csi_keep_serve(struct csi_slot *slot, const struct pollfd *polls, const struct csi_exec_sink *sink,
                              char *space, size_t room, uint64_t now_ms, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    if (polls[CSI_POLL_INPUT].revents != 0)
        send_item(slot);
    if (slot->pipe >= 0 && polls[CSI_POLL_OUTPUT].revents != 0)
        status = read_output(slot, sink, space, room, now_ms, err);
    /* Of two pipes nobody knows what was said first: a last line on stderr tells more. An answer has taken it in already. */
    if (slot->keep.errors >= 0 && polls[CSI_POLL_ERRORS].revents != 0)
        status = first_failure(status, read_errors(slot, space, room, now_ms, status == CFSPLIT_OK ? err : NULL));
    return status;
}

/* ---- its end */

static cfsplit_status drain(struct csi_slot *slot, const struct csi_exec_sink *sink, char *space, size_t room,
                            uint64_t now_ms, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    for (size_t left = standing(slot->pipe); left > 0 && slot->pipe >= 0 && status == CFSPLIT_OK;) {
        size_t piece = at_most(left, room);
        status = read_output(slot, sink, space, piece, now_ms, err);
        left -= piece;
    }
    csi_answers_end(&slot->keep.answers, &slot->keep.said); /* garbage without an end of line */
    if (status == CFSPLIT_OK)
        status =
            csi_slot_put(slot, slot->keep.said.data ? slot->keep.said.data : "", slot->keep.said.length, now_ms, err);
    csi_buf_clear(&slot->keep.said);
    return first_failure(status, drain_errors(slot, now_ms, status == CFSPLIT_OK ? err : NULL));
}

static cfsplit_status end_with_command(struct csi_slot *slot, const struct csi_exec_sink *sink, const char *why,
                                       uint64_t now_ms, struct cfsplit_error *err)
{
    cfsplit_status status = csi_slot_end(slot, sink, now_ms, err);
    if (why)
        snprintf(slot->end.last_line, sizeof slot->end.last_line, "%s", why);
    return status;
}

const char *csi_keep_fault(const struct csi_slot *slot)
{
    int status = slot->keep.wait_status;
    bool killed = slot->keep.signalled && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    return killed ? slot->keep.fault : NULL;
}

cfsplit_status csi_keep_finish(struct csi_slot *slot, const struct csi_exec_sink *sink, char *space, size_t room,
                               uint64_t now_ms, struct cfsplit_error *err)
{
    struct csi_keep *keep = &slot->keep;
    struct csi_exec_end used;
    kill(-slot->child.pid, SIGKILL); /* the zombie still holds the group's number */
    cfsplit_status status = drain(slot, sink, space, room, now_ms, err);
    status = first_failure(status, csi_slot_reap(slot, &used, status == CFSPLIT_OK ? err : NULL));
    bool untouched = unread(keep) == keep->item.length;
    close_pipe(keep->input);
    close_fd(&keep->errors);
    close_fd(&slot->pipe);
    keep->leaving = false;
    keep->wait_status = used.wait_status;
    if (slot->state != CSI_SLOT_RUNNING) {
        slot->term_at = CSI_SLOT_NEVER;
        keep->lost = used.wait_status != 0 && (!keep->signalled || keep->fault);
        return status;
    }
    uint64_t total_ms = used.user_ms + used.system_ms, before_ms = keep->used_ns / 1000000;
    slot->end.wait_status = used.wait_status;
    slot->end.user_ms += total_ms > before_ms ? total_ms - before_ms : 0;
    slot->end.max_rss_bytes = used.max_rss_bytes;
    if (untouched && !slot->end.timed_out && !slot->end.killed_by_us)
        return status;
    const char *why = csi_keep_fault(slot);
    return first_failure(status, end_with_command(slot, sink, why, now_ms, status == CFSPLIT_OK ? err : NULL));
}

cfsplit_status csi_keep_give_up(struct csi_slot *slot, const struct csi_exec_sink *sink, const char *why,
                                uint64_t now_ms, struct cfsplit_error *err)
{
    slot->end.untaken = true;
    return end_with_command(slot, sink, why ? why : csi_keep_fault(slot), now_ms, err);
}
