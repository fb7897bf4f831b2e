/* From the end of a process to the end of an attempt: its class, and why. */
#ifndef CSI_NODE_ENDED_H
#define CSI_NODE_ENDED_H

#include "node/replica.h"

/* Adds the ends that exec has ready to the journal's open group: they are written together with the next start. */
CFSPLIT_MUST_USE cfsplit_status csi_ended_collect(struct csi_replica *r, struct cfsplit_error *err);

/* The value of a variable of an environment, NULL if it is not set. */
const char *csi_environment_find(const char *const *environment, const char *name);

#endif
