/* The programs that start replicas, and the environment variables they tell a replica its number by. */
#ifndef CSI_SHARE_LAUNCHER_H
#define CSI_SHARE_LAUNCHER_H

#include <stdbool.h>
#include <stdint.h>

#include <cfsplit/identity.h>

typedef char *(*csi_lookup)(const char *name); /* getenv, or a test's */

/* Which numbers a launcher counts with. */
enum csi_numbers {
    CSI_FROM_0,
    CSI_FROM_1,
    CSI_FROM_VARIABLE, /* `first` */
    CSI_FROM_ANYWHERE  /* the user's choice, and nothing tells which: such a number alone says nothing */
};

struct csi_launcher {
    const char *word; /* --launcher WORD */
    const char *name; /* for people */
    enum {
        CSI_WITHIN,
        CSI_ARRAY,
        CSI_OUTERMOST
    } place;                  /* WITHIN: all its processes may be in each element of an array */
    bool when_asked;          /* only with --launcher: other programs use its names, too */
    const char *sign[2];      /* it is there if one of these holds a number; none: if `id` is set */
    const char *id;           /* the replica's number */
    const char *absent;       /* the value of `id` that means none, or NULL */
    enum csi_numbers numbers; /* what `id` counts from */
    const char *first;        /* the variable with the lowest number, or NULL */
    const char *last, *step;  /* NULL or: numbers are first, first + step, ... last */
    bool last_is_sure;        /* false: `last` may be unset, and the numbers between may be missing: worth a line */
    const char *count[2];     /* the first of these that is set; none: `last` tells, or nothing */
};

/* What the environment shows: a launcher whose processes are within an element, the array around them; each or both NULL. */
struct csi_launchers {
    const struct csi_launcher *within, *array;
    const struct csi_launcher *rival; /* another array that is set, too, or NULL */
    const struct csi_launcher
        *unheard; /* what started the pods that processes are within, and is not counted; or NULL */
};

/* With a word of the table, only that launcher. Errors: CFSPLIT_USAGE if there is no such word, or its variable is not set. */
CFSPLIT_MUST_USE cfsplit_status csi_launchers_find(const char *word, csi_lookup lookup, struct csi_launchers *out,
                                                   struct cfsplit_error *err);

/* The replica's number, from 1 on; and how many there are, 0 if that is not told. Processes within an array are numbered on
 * through its elements. Errors: CFSPLIT_USAGE naming variable and value, or two arrays of which neither is the one. */
CFSPLIT_MUST_USE cfsplit_status csi_launchers_id(const struct csi_launchers *launchers, csi_lookup lookup,
                                                 uint64_t *out, struct cfsplit_error *err);
CFSPLIT_MUST_USE cfsplit_status csi_launchers_count(const struct csi_launchers *launchers, csi_lookup lookup,
                                                    uint64_t *out, struct cfsplit_error *err);

/* The launcher that speaks for `launchers`: the inner one; NULL if there is none. */
const struct csi_launcher *csi_launchers_inner(const struct csi_launchers *launchers);

/* The variable that tells how many there are, NULL: none. */
const char *csi_launcher_count_variable(const struct csi_launcher *launcher, csi_lookup lookup);

/* Reads a variable that is set: digits only. */
CFSPLIT_MUST_USE cfsplit_status csi_launcher_number(const char *name, csi_lookup lookup, uint64_t *out,
                                                    struct cfsplit_error *err);

#endif
