/* The coordinator of a queue: a thread in the replica that won the election (docs/protocol.md). */
#ifndef CSI_NODE_COORDINATOR_H
#define CSI_NODE_COORDINATOR_H

#include "net/net.h"
#include "rundir/epoch.h"

struct csi_coordinator;

struct csi_coordinator_options {
    const char *path;                          /* of the run: it opens that by itself */
    const struct csi_inc *host;                /* the replica that it lives in */
    uint64_t K;                                /* the epoch to stand for */
    const struct cfsplit_run_options *options; /* settled */
    const struct csi_net_keys *client;         /* keys of the clients */
    const char *bind;                          /* numeric address, "none", or NULL */
};

/* Stands for epoch K, and leads in a thread of its own if it wins; *out is NULL if another was first. All options are borrowed for the
 * call. Errors: CFSPLIT_UNREACHABLE, CFSPLIT_STORAGE, CFSPLIT_DAMAGED, CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_coordinator_start(const struct csi_coordinator_options *options,
                                                      struct csi_coordinator **out, struct cfsplit_error *err);

/* Has it ended by itself? */
bool csi_coordinator_has_ended(struct csi_coordinator *coordinator);

/* What a person should know, one sentence at a time; false: nothing. */
bool csi_coordinator_take_sentence(struct csi_coordinator *coordinator, char sentence[256]);

/* Hands over if it leads yet, waits for its thread and frees it. Returns how it ended: CFSPLIT_OK also if it lost its office. NULL is fine. */
cfsplit_status csi_coordinator_stop(struct csi_coordinator *coordinator, struct cfsplit_error *err);

#endif
