/* One slot: an attempt from its start to its end. What exec.c asks of it, each time with the time of day. */
#ifndef CSI_EXEC_SLOT_H
#define CSI_EXEC_SLOT_H

#include <time.h>

#include "base/buf.h"
#include "exec/answers.h"
#include "exec/capture.h"
#include "exec/child.h"
#include "exec/exec.h"

enum csi_slot_state { CSI_SLOT_FREE, CSI_SLOT_RUNNING, CSI_SLOT_ENDED };

#define CSI_SLOT_NEVER UINT64_MAX

/* The descriptors of a slot that poll(2) waits for, -1 for none. */
enum { CSI_POLL_CHILD, CSI_POLL_OUTPUT, CSI_POLL_ERRORS, CSI_POLL_INPUT, CSI_SLOT_POLLS };

struct csi_keep {        /* of a command that is kept (keep.h) */
    int input[2];        /* its stdin; its end is ours too, so that a write never meets a closed pipe */
    int errors;          /* our end of its stderr */
    struct csi_buf item; /* what it was given, with the end of an item */
    size_t sent;         /* of that, into the pipe */
    struct csi_answers answers;
    struct csi_buf said; /* of what it said, the output */
    clockid_t clock;     /* its processor time */
    uint64_t used_ns;    /* ... when it got the item */
    bool has_clock;
    bool answered;     /* it has answered an item */
    bool leaving;      /* it was told to end, or can't be talked to: it gets no more items */
    bool signalled;    /* ... by a signal of ours */
    const char *fault; /* what it did against the rules, for which it is killed; NULL: nothing */
    int wait_status;   /* of the last one that ended */
    bool lost;         /* ... by itself, and not well, while it had no item */
};

struct csi_slot {
    enum csi_slot_state state;
    struct csi_child child; /* pid -1: none */
    int pipe;               /* our end of its output; -1: closed by the other side */
    uint64_t closed_ms;     /* when that was */
    uint64_t term_at;       /* when it takes too long */
    uint64_t kill_at;       /* when it was told so for long enough */
    uint64_t flush_at;      /* when `pending` must go to the sink */
    struct csi_buf pending; /* output for the sink */
    struct csi_capture capture;
    struct csi_exec_end end; /* filled in as it becomes known */
    struct csi_keep keep;
};

void csi_slot_init(struct csi_slot *slot, uint64_t output_limit);
void csi_slot_fini(struct csi_slot *slot); /* the child must have ended */

/* Starts a child with its output in a pipe; request->output_fd is filled in. Errors: those of csi_child_start. */
CFSPLIT_MUST_USE cfsplit_status csi_slot_start(struct csi_slot *slot, struct csi_child_maker *maker,
                                               struct csi_child_request *request, uint64_t tag, uint64_t now_ms,
                                               struct cfsplit_error *err);

/* Reads what the pipe has, up to `room` bytes, through `space`. */
CFSPLIT_MUST_USE cfsplit_status csi_slot_read(struct csi_slot *slot, char *space, size_t room, uint64_t now_ms,
                                              struct cfsplit_error *err);

/* Has the process ended? For slots without a pidfd. It is not reaped. */
bool csi_slot_has_ended(const struct csi_slot *slot);

/* The process has ended: kills its group, takes the output that there is without waiting, reaps, gives all to the sink. */
CFSPLIT_MUST_USE cfsplit_status csi_slot_finish(struct csi_slot *slot, const struct csi_exec_sink *sink, char *space,
                                                size_t room, uint64_t now_ms, struct cfsplit_error *err);

/* Does what is due now: SIGTERM, SIGKILL, a flush. */
CFSPLIT_MUST_USE cfsplit_status csi_slot_tick(struct csi_slot *slot, const struct csi_exec_sink *sink,
                                              uint64_t kill_after_ms, uint64_t now_ms, struct cfsplit_error *err);

/* When csi_slot_tick is to be called next; CSI_SLOT_NEVER. */
uint64_t csi_slot_due_at(const struct csi_slot *slot);

void csi_slot_signal(struct csi_slot *slot, int sig); /* to the group of one that lives */

/* ---- for keep.c */

/* Takes output of the attempt that runs, or else of the next one. */
CFSPLIT_MUST_USE cfsplit_status csi_slot_put(struct csi_slot *slot, const char *data, size_t length, uint64_t now_ms,
                                             struct cfsplit_error *err);

/* Reaps the ended process; *end gets what the kernel tells of it. */
CFSPLIT_MUST_USE cfsplit_status csi_slot_reap(struct csi_slot *slot, struct csi_exec_end *end,
                                              struct cfsplit_error *err);

/* Ends the attempt: all its output goes to the sink. */
CFSPLIT_MUST_USE cfsplit_status csi_slot_end(struct csi_slot *slot, const struct csi_exec_sink *sink, uint64_t now_ms,
                                             struct cfsplit_error *err);

#endif
