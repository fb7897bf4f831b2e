/* A slot whose command is kept: it lives on from attempt to attempt, gets an item at a time on its stdin and answers on its
 * stdout (answers.h). What exec.c asks of it, each time with the time of day.
 *
 * What the command prints besides belongs to the item that it has, or else to the next one. An attempt ends with an answer, and
 * then the slot is CSI_SLOT_ENDED while its command lives; or with the command. */
#ifndef CSI_EXEC_KEEP_H
#define CSI_EXEC_KEEP_H

#include "exec/slot.h"

/* Starts the command of a slot that has none. Errors: those of csi_child_start. */
CFSPLIT_MUST_USE cfsplit_status csi_keep_start(struct csi_slot *slot, struct csi_child_maker *maker,
                                               struct csi_child_request *request, struct cfsplit_error *err);

/* Begins an attempt: the command gets `item` and the byte `end`. Errors: CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_keep_give(struct csi_slot *slot, const char *item, size_t length, char end,
                                              uint64_t tag, uint64_t now_ms, struct cfsplit_error *err);

/* Gives the item of a running attempt to a new command: the one that had it is gone. */
void csi_keep_give_again(struct csi_slot *slot);

/* Reads what the command has to say, up to `room` bytes of each pipe that `polls` (CSI_SLOT_POLLS of them) names, and goes on
 * writing. An answer ends the attempt. */
CFSPLIT_MUST_USE cfsplit_status csi_keep_serve(struct csi_slot *slot, const struct pollfd *polls,
                                               const struct csi_exec_sink *sink, char *space, size_t room,
                                               uint64_t now_ms, struct cfsplit_error *err);

/* The command has ended: what it left is killed, what it said is taken, it is reaped. An attempt that it has not answered and
 * had read something of ends; one that it had read nothing of is left running, without a command. */
CFSPLIT_MUST_USE cfsplit_status csi_keep_finish(struct csi_slot *slot, const struct csi_exec_sink *sink, char *space,
                                                size_t room, uint64_t now_ms, struct cfsplit_error *err);

/* The fault that we killed an ended command for; NULL: none. */
const char *csi_keep_fault(const struct csi_slot *slot);

/* Ends a running attempt that no command has. */
CFSPLIT_MUST_USE cfsplit_status csi_keep_give_up(struct csi_slot *slot, const struct csi_exec_sink *sink,
                                                 const char *why, uint64_t now_ms, struct cfsplit_error *err);

/* Closes the stdin of a command without an item, which then should end; from `term_at` on it is told to. */
void csi_keep_close(struct csi_slot *slot, uint64_t term_at);

#endif
