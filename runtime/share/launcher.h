/* The programs that start replicas, and the environment variables they tell a replica its number by. */
#ifndef CSI_SHARE_LAUNCHER_H
#define CSI_SHARE_LAUNCHER_H

#include <stdbool.h>
#include <stdint.h>

#include <cfsplit/identity.h>

typedef char *(*csi_lookup)(const char *name); /* getenv, or a test's */

struct csi_launcher {
    const char *name;                  /* for people */
    const char *sign[2];               /* it is there if one of these holds a number; none: if `id` is set */
    const char *id;                    /* the replica's number, counted from `first` */
    const char *first;                 /* the variable with the lowest number; NULL: 0 */
    const char *last, *step;           /* with first: numbers are first, first + step, ... last */
    const char *count[2];              /* the first of these that is set; none: the launcher does not tell */
    const struct csi_launcher *around; /* another that may have started this one several times, or NULL */
};

/* The innermost launcher that the environment shows, or NULL. */
const struct csi_launcher *csi_launcher_find(csi_lookup lookup);

/* The replica's number, from 1 on; and how many there are, 0 if this launcher does not tell. `around` is reckoned in.
 * Errors: CFSPLIT_USAGE naming variable and value. */
CFSPLIT_MUST_USE cfsplit_status csi_launcher_id(const struct csi_launcher *launcher, csi_lookup lookup, uint64_t *out,
                                                struct cfsplit_error *err);
CFSPLIT_MUST_USE cfsplit_status csi_launcher_count(const struct csi_launcher *launcher, csi_lookup lookup,
                                                   uint64_t *out, struct cfsplit_error *err);

/* Reads a variable that is set: digits only. */
CFSPLIT_MUST_USE cfsplit_status csi_launcher_number(const char *name, csi_lookup lookup, uint64_t *out,
                                                    struct cfsplit_error *err);

#endif
