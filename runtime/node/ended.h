/* From the end of a process to an accepted end: the journal, the sync, the look for a fence, and only then the word. */
#ifndef CSI_NODE_ENDED_H
#define CSI_NODE_ENDED_H

#include "node/replica.h"

/* Adds the ends that exec has ready to the journal's open group: they are written together with the next start. */
CFSPLIT_MUST_USE cfsplit_status csi_ended_collect(struct csi_replica *r, struct cfsplit_error *err);

/* Writes the open group and makes it durable, looks for the own fence, and then speaks of them. Errors: CFSPLIT_FENCED, CFSPLIT_STORAGE. */
CFSPLIT_MUST_USE cfsplit_status csi_ended_settle(struct csi_replica *r, struct cfsplit_error *err);

CFSPLIT_MUST_USE cfsplit_status csi_ended_look_for_fence(struct csi_replica *r, struct cfsplit_error *err);

/* An attempt whose start was written and whose process could not be started: charged with nothing. */
void csi_ended_unstarted(struct csi_replica *r, struct csi_at_work *w, const char *why);

void csi_ended_release(struct csi_replica *r);

uint64_t csi_item_hash(const struct cfsplit_item *item);

/* The value of a variable of an environment, NULL if it is not set. */
const char *csi_environment_find(const char *const *environment, const char *name);

#endif
