/* Incarnations: one life of one replica process, known by "<id>-<nonce>", or of a coordinator beside it, "c<id>-<nonce>"; and
 * whether it still lives. */
#ifndef CSI_RUNDIR_IDENTITY_H
#define CSI_RUNDIR_IDENTITY_H

#include "rundir/run.h"

enum { CSI_INC_BYTES = 28 }; /* "c1000000-" + 16 digits + NUL */

struct csi_inc {
    char name[CSI_INC_BYTES];
    uint32_t replica; /* 0: a spare */
    bool coordinator; /* of a queue, in the process of that replica */
    char boot_id[40];
    char pid_namespace[40];
    uint64_t pid, start_ticks; /* 0: could not be read */
    char host[72];
    char source[96]; /* what gave the id */
    uint64_t created_ms;
};

/* Makes up a new incarnation of this process, which nobody else knows of yet. Errors: CFSPLIT_STORAGE. */
CFSPLIT_MUST_USE cfsplit_status csi_inc_make(const struct cfsplit_run *run, uint32_t replica, bool coordinator,
                                             const char *source, struct csi_inc *out, struct cfsplit_error *err);

/* Publishes its identity file. Errors: CFSPLIT_STORAGE, CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_inc_put(const struct cfsplit_run *run, const struct csi_inc *inc,
                                            struct cfsplit_error *err);

/* Makes and publishes the identity file of a new incarnation of this process as a replica. */
CFSPLIT_MUST_USE cfsplit_status csi_inc_publish(const struct cfsplit_run *run, uint32_t replica, const char *source,
                                                struct csi_inc *out, struct cfsplit_error *err);

/* Reads an identity file (replicas/<name>, a claim or a fence), by its name relative to the run. CFSPLIT_END: none there. */
CFSPLIT_MUST_USE cfsplit_status csi_inc_read(const struct cfsplit_run *run, const char *name, struct csi_inc *out,
                                             struct cfsplit_error *err);

/* The same of the incarnation of that name; CFSPLIT_DAMAGED also if it is the identity of another one. */
CFSPLIT_MUST_USE cfsplit_status csi_inc_read_named(const struct cfsplit_run *run, const char *name, struct csi_inc *out,
                                                   struct cfsplit_error *err);

/* The text of an identity file: one line. csi_inc_decode: false if it is none of this run. */
void csi_inc_encode(const struct cfsplit_run *run, const struct csi_inc *inc, struct csi_buf *out);
bool csi_inc_decode(const struct cfsplit_run *run, const char *text, size_t length, struct csi_inc *out);

/* Is `name` a well-formed name of an incarnation, of a replica or a coordinator? */
bool csi_inc_is_name(const char *name, uint32_t *replica);

enum csi_life {
    CSI_LIFE_UNKNOWN,
    CSI_LIFE_ALIVE,
    CSI_LIFE_STOPPED, /* it is there, and does nothing until it gets SIGCONT */
    CSI_LIFE_DEAD
};

/* Whether the process lives, as far as this process can tell: only for the same boot and pid namespace. */
enum csi_life csi_inc_life(const struct csi_inc *inc);

/* Appends the names of the incarnations of replicas, coordinators left out, that stand in a folder of the run ("replicas", "fence"), CSI_INC_BYTES each, sorted, none
 * twice. Errors: CFSPLIT_DAMAGED, CFSPLIT_STORAGE. */
CFSPLIT_MUST_USE cfsplit_status csi_inc_names(const struct cfsplit_run *run, const char *folder, struct csi_buf *names,
                                              struct cfsplit_error *err);
/* Is the name among such names? */
bool csi_inc_is_among(const char *name, const struct csi_buf *names);

/* The incarnations of the replicas of a run, coordinators left out, in the order they were found. Free `at` with free(). */
struct csi_inc_list {
    struct csi_inc *at;
    size_t count;
};
/* Reads the identities that are not in the list yet and adds them behind it, sorted by name among themselves. Errors:
 * CFSPLIT_DAMAGED, CFSPLIT_STORAGE; what was added before stays. */
CFSPLIT_MUST_USE cfsplit_status csi_inc_list_refresh(struct csi_inc_list *list, const struct cfsplit_run *run,
                                                     struct cfsplit_error *err);

#endif
