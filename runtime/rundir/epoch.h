/* Epochs: who coordinates the queue of a run (docs/protocol.md). coordinator/epoch-<K> is linked once, and never changed. */
#ifndef CSI_RUNDIR_EPOCH_H
#define CSI_RUNDIR_EPOCH_H

#include "rundir/identity.h"

enum { CSI_EPOCH_ADDRESSES_MAX = 16, CSI_EPOCH_ADDRESS_BYTES = 128, CSI_EPOCH_KEY_BYTES = 41 };

struct csi_epoch {
    uint64_t K;
    struct csi_inc coordinator;    /* made, and published once the epoch is won */
    char key[CSI_EPOCH_KEY_BYTES]; /* public */
    char place[96];                /* where its abstract socket can be met, "" without one */
    size_t address_count;          /* the abstract one first */
    char addresses[CSI_EPOCH_ADDRESSES_MAX][CSI_EPOCH_ADDRESS_BYTES];
};

/* Links coordinator/epoch-<K>. *won tells: false if another is there already. On disk when this returns. */
CFSPLIT_MUST_USE cfsplit_status csi_epoch_put(const struct cfsplit_run *run, const struct csi_epoch *epoch, bool *won,
                                              struct cfsplit_error *err);

/* The epoch K. CFSPLIT_END: there is none. Errors: CFSPLIT_DAMAGED, CFSPLIT_STORAGE. */
CFSPLIT_MUST_USE cfsplit_status csi_epoch_read(const struct cfsplit_run *run, uint64_t K, struct csi_epoch *out,
                                               struct cfsplit_error *err);

/* The highest epoch after `from` (0, or one that is known to be there). CFSPLIT_END and K `from`: there is none after it. */
CFSPLIT_MUST_USE cfsplit_status csi_epoch_last(const struct cfsplit_run *run, uint64_t from, struct csi_epoch *out,
                                               struct cfsplit_error *err);

/* Replaces coordinator/seen-<K>, what `status` shows of the queue: a text, not synced. csi_epoch_seen: CFSPLIT_END: there is none. */
CFSPLIT_MUST_USE cfsplit_status csi_epoch_tell_seen(const struct cfsplit_run *run, const struct csi_epoch *epoch,
                                                    const void *text, size_t length, struct cfsplit_error *err);
CFSPLIT_MUST_USE cfsplit_status csi_epoch_seen(const struct cfsplit_run *run, uint64_t K, struct csi_buf *text,
                                               struct cfsplit_error *err);

/* The key pair of the clients of a run: two lines of Z85 in keys/client.key, mode 0600. csi_epoch_put_keys: the first one that is put is
 * the one. csi_epoch_read_keys: CFSPLIT_END: there is none yet. Errors: CFSPLIT_DAMAGED, CFSPLIT_USAGE if others may read the file. */
CFSPLIT_MUST_USE cfsplit_status csi_epoch_put_keys(const struct cfsplit_run *run, const char *open, const char *secret,
                                                   struct cfsplit_error *err);
CFSPLIT_MUST_USE cfsplit_status csi_epoch_read_keys(const struct cfsplit_run *run, char open[CSI_EPOCH_KEY_BYTES],
                                                    char secret[CSI_EPOCH_KEY_BYTES], struct cfsplit_error *err);

/* For how long a name that was linked may stay unseen on the storage of this run, by what kind of file system it is: 60000 on
 * NFS, else 0. */
uint64_t csi_epoch_unseen_ms(const struct cfsplit_run *run);

#endif
