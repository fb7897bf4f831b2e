#include "rundir/known.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"

cfsplit_status csi_known_init(struct csi_known *known, const struct csi_items *items, struct cfsplit_error *err)
{
    uint64_t room = 16;
    while (room < 2 * items->count)
        room *= 2;
    *known = (struct csi_known){items, calloc(room, sizeof *known->places), room - 1};
    if (!known->places)
        return csi_fail_memory(err);
    for (uint64_t i = 0; i < items->count; i++) {
        uint64_t at = XXH3_64bits(items->at[i].name, items->at[i].length) & known->mask;
        while (known->places[at] != 0)
            at = (at + 1) & known->mask;
        known->places[at] = i + 1;
    }
    return CFSPLIT_OK;
}

void csi_known_fini(struct csi_known *known)
{
    free(known->places);
    *known = (struct csi_known){0};
}

uint64_t csi_known_find(const struct csi_known *known, const struct cfsplit_item *item)
{
    uint64_t at = XXH3_64bits(item->name, item->length) & known->mask;
    for (; known->places[at] != 0; at = (at + 1) & known->mask) {
        const struct cfsplit_item *there = &known->items->at[known->places[at] - 1];
        if (there->length == item->length && memcmp(there->name, item->name, item->length) == 0)
            return known->places[at] - 1;
    }
    return UINT64_MAX;
}
