/* Claims: the exclusive right to a piece, taken by link(2) (docs/run-directory.md). */
#ifndef CSI_RUNDIR_CLAIM_H
#define CSI_RUNDIR_CLAIM_H

#include "rundir/identity.h"

/* In place of a piece: the right to stay when nothing is left to take, and to go on with what the others may yet leave. */
#define CSI_CARETAKER UINT32_MAX

/* Links inc's identity file to the piece's claim number K (from 1) and looks who has it. *mine tells; the folder is synced
 * if it is. Errors: CFSPLIT_STORAGE, CFSPLIT_DAMAGED. */
CFSPLIT_MUST_USE cfsplit_status csi_claim_take(const struct cfsplit_run *run, const struct csi_inc *inc, uint32_t piece,
                                               uint32_t K, bool *mine, struct cfsplit_error *err);

/* The two halves of that, so that many claims share a sync: a claim of ours counts when the folder is synced. csi_claim_sync syncs the
 * folders of the claims of these pieces, once for neighbours in the same one. */
CFSPLIT_MUST_USE cfsplit_status csi_claim_link(const struct cfsplit_run *run, const struct csi_inc *inc, uint32_t piece,
                                               uint32_t K, bool *mine, struct cfsplit_error *err);
CFSPLIT_MUST_USE cfsplit_status csi_claim_sync(const struct cfsplit_run *run, const uint32_t *pieces, size_t count,
                                               struct cfsplit_error *err);

/* The owner by claim number K of a piece, which is known to be there. CFSPLIT_END: there is no such claim, even after some
 * seconds (a network file system may be late). */
CFSPLIT_MUST_USE cfsplit_status csi_claim_owner(const struct cfsplit_run *run, uint32_t piece, uint32_t K,
                                                struct csi_inc *out, struct cfsplit_error *err);

/* The same of a claim that nobody has told us of: a name that is not seen is not waited for. */
CFSPLIT_MUST_USE cfsplit_status csi_claim_peek(const struct cfsplit_run *run, uint32_t piece, uint32_t K,
                                               struct csi_inc *out, struct cfsplit_error *err);

/* The owner of caretaker claim K has work again and is no caretaker any more: says so, for good, and asks whether that was said. */
CFSPLIT_MUST_USE cfsplit_status csi_claim_lay_down(const struct cfsplit_run *run, const struct csi_inc *inc, uint32_t K,
                                                   struct cfsplit_error *err);
bool csi_claim_is_laid_down(const struct cfsplit_run *run, uint32_t K);

/* The highest claim number of every piece, 0 where nobody ever claimed; `highest` has room for all pieces of the run.
 * Errors: CFSPLIT_DAMAGED for a name that cannot be one or is in the wrong folder. */
CFSPLIT_MUST_USE cfsplit_status csi_claim_list(const struct cfsplit_run *run, uint32_t *highest,
                                               struct cfsplit_error *err);

/* The same of the pieces whose claims stand in one folder with those of `piece`: *from to *end - 1. A number that is known to
 * be higher stays. */
CFSPLIT_MUST_USE cfsplit_status csi_claim_list_near(const struct cfsplit_run *run, uint32_t piece, uint32_t *highest,
                                                    uint32_t *from, uint32_t *end, struct cfsplit_error *err);

#endif
