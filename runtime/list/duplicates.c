#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"
#include "list/list.h"

/* An open hash set of item positions, filled to two thirds at most. A slot is 0 (free) or position + 1 in its low 48 bits
 * and 16 bits of the item's hash above them, so that few items are looked at for nothing. */
struct seen {
    uint64_t *slots;
    uint64_t slot_count;
};

#define POSITION_BITS 48
#define POSITION_MASK ((UINT64_C(1) << POSITION_BITS) - 1)

static bool same(struct cfsplit_item a, struct cfsplit_item b)
{
    return a.length == b.length && memcmp(a.name, b.name, a.length) == 0;
}

/* True if an item of the same bytes is there already, at *first; else `item` is put in as the one at `position`. */
static bool find_or_put(struct seen *seen, const struct cfsplit_list *list, struct cfsplit_item item, uint64_t position,
                        uint64_t *first)
{
    uint64_t hash = XXH3_64bits(item.name, item.length);
    uint64_t tag = hash & ~POSITION_MASK;
    uint64_t at = hash % seen->slot_count;
    for (; seen->slots[at] != 0; at = at + 1 < seen->slot_count ? at + 1 : 0) {
        *first = (seen->slots[at] & POSITION_MASK) - 1;
        if ((seen->slots[at] & ~POSITION_MASK) == tag && same(cfsplit_list_at(list, *first), item))
            return true;
    }
    seen->slots[at] = tag | (position + 1);
    return false;
}

/* Closes the gaps in place. Up to item `kept` the offsets are those of the new list, behind item i those of the old one. */
static void drop(struct seen *seen, struct cfsplit_list *list)
{
    uint64_t kept = 0, end = 0, weight = 0, first;
    for (uint64_t i = 0; i < list->count; i++) {
        struct cfsplit_item item = cfsplit_list_at(list, i);
        if (find_or_put(seen, list, item, kept, &first))
            continue;
        memmove(list->names.data + end, item.name, item.length + 1);
        if (list->weights)
            list->weights[kept] = item.weight;
        weight += item.weight;
        end += item.length + 1;
        if (++kept <= i)
            list->offsets[kept] = end;
    }
    list->count = kept;
    list->weight = weight;
    list->names.length = end;
}

static cfsplit_status refuse(struct seen *seen, const struct cfsplit_list *list, struct cfsplit_error *err)
{
    uint64_t first;
    for (uint64_t i = 0; i < list->count; i++)
        if (find_or_put(seen, list, cfsplit_list_at(list, i), i, &first))
            return csi_fail(err, CFSPLIT_USAGE, "%s is in the list twice, as items %" PRIu64 " and %" PRIu64,
                            csi_quote(cfsplit_list_at(list, i).name).text, first + 1, i + 1);
    return CFSPLIT_OK;
}

/* Is every item behind the one before it by its bytes? What comes out of a folder or out of sort(1) is, and then none is twice. */
static bool ascends(const struct cfsplit_list *list)
{
    for (uint64_t i = 1; i < list->count; i++)
        if (strcmp(list->names.data + list->offsets[i - 1], list->names.data + list->offsets[i]) >= 0)
            return false;
    return true;
}

cfsplit_status cfsplit_list_resolve_duplicates(struct cfsplit_list *list, enum cfsplit_duplicates what,
                                               struct cfsplit_error *err)
{
    if (what == CFSPLIT_DUPLICATES_KEEP || list->count < 2 || ascends(list))
        return CFSPLIT_OK;
    struct seen seen = {.slot_count = list->count + list->count / 2 + 1};
    seen.slots = calloc((size_t)seen.slot_count, sizeof *seen.slots);
    if (!seen.slots)
        return csi_fail_memory(err);
    cfsplit_status status = CFSPLIT_OK;
    if (what == CFSPLIT_DUPLICATES_DROP)
        drop(&seen, list);
    else
        status = refuse(&seen, list, err);
    free(seen.slots);
    return status;
}
