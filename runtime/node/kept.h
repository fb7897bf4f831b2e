/* A replica whose command is kept (--keep): what is different in its loop. */
#ifndef CSI_NODE_KEPT_H
#define CSI_NODE_KEPT_H

#include "node/replica.h"

/* Tells exec the command; before the first start. */
CFSPLIT_MUST_USE cfsplit_status csi_kept_begin(struct csi_replica *r, struct cfsplit_error *err);

/* Gives an item, whose start is written, to a command; or ends it as failed if it can't be said on one line. Errors: those of
 * csi_exec_give, and then nothing was started. */
CFSPLIT_MUST_USE cfsplit_status csi_kept_start(struct csi_replica *r, const struct csi_next *next, uint64_t tag,
                                               struct cfsplit_error *err);

/* The class of an ended attempt, by the answer or by the command's end; `failed` is that of a failure. A command that cannot
 * take items, or has died of the first few in this replica, is at fault itself: nothing more is started. */
enum csi_class csi_kept_class(struct csi_replica *r, const struct csi_exec_end *end, enum csi_class failed);

/* Why an attempt ended with the exit of its command. */
void csi_kept_explain(const struct csi_exec_end *end, char text[208]);

/* Says what a person should know by now: which command ended badly while it had no item; that none answers. */
void csi_kept_tell_losses(struct csi_replica *r);

/* Says, once, that a command has had its item for 60 s and that no command of this replica has answered anything yet: one that
 * does not read as it is given, or keeps its answers in a buffer, would hang for ever without a word. */
void csi_kept_tell_mute(struct csi_replica *r);

#endif
