/* The inside of a list, for the files of this folder. */
#ifndef CSI_LIST_LIST_H
#define CSI_LIST_LIST_H

#include <cfsplit/list.h>

#include "base/buf.h"

#define CSI_WEIGHT_MAX ((uint64_t)INT64_MAX) /* of one item, and of all together */

/* All names, each with its NUL, lie behind each other in one buffer; offsets[i] is where item i begins. So an item costs
 * its bytes and 8 more, and 8 again once some weight differs from 1. */
struct cfsplit_list {
    struct csi_buf names;
    uint64_t *offsets;
    uint64_t *weights; /* NULL: all are 1 */
    uint64_t count;
    uint64_t room; /* of offsets, and of weights if there are any */
    uint64_t weight;
};

/* Appends `count` names in the order of their bytes (strcmp, never strcoll). Sorts the array it is given. */
CFSPLIT_MUST_USE cfsplit_status csi_list_add_sorted(struct cfsplit_list *list, char **names, size_t count,
                                                    struct cfsplit_error *err);

#endif
