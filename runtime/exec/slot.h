/* One slot: an attempt from its start to its end. What exec.c asks of it, each time with the time of day. */
#ifndef CSI_EXEC_SLOT_H
#define CSI_EXEC_SLOT_H

#include "base/buf.h"
#include "exec/capture.h"
#include "exec/child.h"
#include "exec/exec.h"

enum csi_slot_state { CSI_SLOT_FREE, CSI_SLOT_RUNNING, CSI_SLOT_ENDED };

#define CSI_SLOT_NEVER UINT64_MAX

struct csi_slot {
    enum csi_slot_state state;
    struct csi_child child;
    int pipe;               /* our end of its output; -1: closed by the other side */
    uint64_t closed_ms;     /* when that was */
    uint64_t term_at;       /* when it takes too long */
    uint64_t kill_at;       /* when it was told so for long enough */
    uint64_t flush_at;      /* when `pending` must go to the sink */
    struct csi_buf pending; /* output for the sink */
    struct csi_capture capture;
    struct csi_exec_end end; /* filled in as it becomes known */
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

void csi_slot_signal(struct csi_slot *slot, int sig); /* to the group of a running one */

#endif
