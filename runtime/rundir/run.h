/* An open run directory. */
#ifndef CSI_RUNDIR_RUN_H
#define CSI_RUNDIR_RUN_H

#include <sys/types.h>

#include "rundir/frozen.h"
#include "rundir/spec.h"

struct cfsplit_run {
    char *path; /* as the user gave it */
    int fd;     /* the folder; all names are relative to it */
    struct csi_spec spec;
    struct csi_frozen frozen;
    struct cfsplit_facts facts;
    uint64_t weight_added; /* of the generations after the first */
};

/* Takes in the generations of items that were added since. Pieces and items that are there stay what they are; pointers into
 * run->frozen do not. */
CFSPLIT_MUST_USE cfsplit_status csi_run_refresh(struct cfsplit_run *run, struct cfsplit_error *err);

/* The mode of files in the run directory. */
static inline mode_t csi_run_mode(const struct cfsplit_run *run)
{
    return run->spec.group ? 0640 : 0600;
}

/* "<gen>.<n>" of the folder in claims/ that a piece's claims are in. */
enum { CSI_PIECES_PER_FOLDER = 256 };

#endif
