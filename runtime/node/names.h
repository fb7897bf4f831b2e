/* The items of a long list, unpacked where they are asked for, and no more of them than a few thousand at a time. */
#ifndef CSI_NODE_NAMES_H
#define CSI_NODE_NAMES_H

#include "rundir/run.h"

enum { CSI_NAMES_CHUNK = 4096, CSI_NAMES_CHUNKS = 32 };

struct csi_names {
    const struct cfsplit_run *run;
    struct csi_items chunks[CSI_NAMES_CHUNKS];
};

void csi_names_init(struct csi_names *names, const struct cfsplit_run *run);
void csi_names_fini(struct csi_names *names);

/* Item `index`, borrowed until the next call. Errors: CFSPLIT_DAMAGED, CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_names_at(struct csi_names *names, uint64_t index, const struct cfsplit_item **item,
                                             struct cfsplit_error *err);

#endif
