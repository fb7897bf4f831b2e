#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "share/share.h"

struct load {
    uint64_t weight;
    uint32_t replica;
};

struct order {
    const struct cfsplit_list *list;
};

/* By bytes, equal items by position. */
static int by_bytes(const void *a, const void *b, void *order)
{
    const struct cfsplit_list *list = ((const struct order *)order)->list;
    const struct csi_weighed *x = a, *y = b;
    int bytes = strcmp(cfsplit_list_at(list, x->position).name, cfsplit_list_at(list, y->position).name);
    return bytes ? bytes : x->position < y->position ? -1 : 1;
}

static bool is_lighter(const struct load *a, const struct load *b)
{
    return a->weight != b->weight ? a->weight < b->weight : a->replica < b->replica;
}

/* Restores the heap (lightest at the top) after the top has become heavier. */
static void sink(struct load *heap, uint32_t count)
{
    struct load moved = heap[0];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child + 1 < count && is_lighter(&heap[child + 1], &heap[child]))
            child++;
        if (child >= count || !is_lighter(&heap[child], &moved))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

static uint64_t ranked(const void *context, uint64_t rank)
{
    return ((const struct csi_weighed *)context)[rank].position;
}

/* Items of equal weight; most lists have them in order already. */
static void sort_equals(struct csi_weighed *items, uint64_t count, const struct cfsplit_list *list)
{
    struct order order = {list};
    for (uint64_t i = 1; i < count; i++)
        if (by_bytes(&items[i - 1], &items[i], &order) > 0) {
            qsort_r(items, (size_t)count, sizeof *items, by_bytes, &order);
            return;
        }
}

/* Whether the whole list is in the order of bytes: read in its own order, that is quicker than any look at items far apart. */
static bool is_in_order(const struct cfsplit_list *list)
{
    uint64_t n = cfsplit_list_count(list);
    const char *before = "";
    for (uint64_t i = 0; i < n; i++) {
        const char *name = cfsplit_list_at(list, i).name;
        if (strcmp(before, name) > 0)
            return false;
        before = name;
    }
    return true;
}

/* Heaviest first; equal weights by bytes, equal items by position. */
static struct csi_weighed *sort_items(const struct cfsplit_list *list)
{
    uint64_t n = cfsplit_list_count(list);
    struct csi_weighed *items = csi_weighed_new(list);
    if (!items || is_in_order(list)) /* equal weights are in that of the list */
        return items;
    for (uint64_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && items[to].weight == items[from].weight;)
            to++;
        sort_equals(items + from, to - from, list);
    }
    return items;
}

/* Each item in turn to the lightest share: owners[rank] is a replica, 1..R. */
static void place(const struct csi_weighed *items, uint64_t n, struct load *heap, uint32_t R, uint32_t *owners)
{
    for (uint32_t k = 0; k < R; k++)
        heap[k] = (struct load){.weight = 0, .replica = k + 1};
    for (uint64_t rank = 0; rank < n; rank++) {
        owners[rank] = heap[0].replica;
        heap[0].weight += items[rank].weight ? items[rank].weight : 1; /* an empty file is work, too */
        sink(heap, R);
    }
}

cfsplit_status csi_shares_fill_size(struct cfsplit_shares *shares, const struct cfsplit_list *list,
                                    struct cfsplit_error *err)
{
    uint64_t n = cfsplit_list_count(list);
    struct csi_weighed *items = sort_items(list);
    uint32_t *owners = malloc((size_t)(n + 1) * sizeof *owners);
    struct load *heap = malloc(shares->R * sizeof *heap);
    cfsplit_status status = CFSPLIT_OK;
    if (items && owners && heap) {
        place(items, n, heap, shares->R, owners);
        csi_shares_deal(shares, owners, n, ranked, items);
    } else {
        status = csi_fail_memory(err);
    }
    free(heap);
    free(owners);
    free(items);
    return status;
}
