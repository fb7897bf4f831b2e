/* A set of indexes of which the smallest is found in a few steps, however many there are: a bit for each, and a bit for each 64
 * of them that has any. An eighth of a byte an index. */
#ifndef CSI_QUEUE_SET_H
#define CSI_QUEUE_SET_H

#include <stdbool.h>
#include <stdint.h>

#include <cfsplit/error.h>

enum { CSI_SET_LEVELS = 11 }; /* 64^11 > 2^64 */

struct csi_set {
    uint64_t count; /* of its members */
    unsigned levels;
    uint64_t *level[CSI_SET_LEVELS]; /* the last one has one word; all are one allocation, at level[0] */
    uint64_t words;                  /* of level 0 */
};

/* Makes room for indexes below `room`; members stay. A set of zeros is empty and has no room. Errors: CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_set_grow(struct csi_set *set, uint64_t room, struct cfsplit_error *err);
void csi_set_fini(struct csi_set *set);

/* An index that is there, or is not there, stays so. */
void csi_set_add(struct csi_set *set, uint64_t index);
void csi_set_remove(struct csi_set *set, uint64_t index);

/* The smallest member of a set that has any. */
uint64_t csi_set_first(const struct csi_set *set);

#endif
