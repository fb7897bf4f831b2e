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

/* Item i will be asked for soon, and nothing near it has been: its place, then its bytes are fetched from memory meanwhile. */
static inline void csi_list_fetch_place(const struct cfsplit_list *list, uint64_t i)
{
    __builtin_prefetch(&list->offsets[i]);
    if (list->weights)
        __builtin_prefetch(&list->weights[i]);
}

static inline void csi_list_fetch_bytes(const struct cfsplit_list *list, uint64_t i)
{
    const char *name = list->names.data + list->offsets[i];
    __builtin_prefetch(name);
    __builtin_prefetch(name + 64); /* the length of a cache line, and of most paths */
}

#endif
