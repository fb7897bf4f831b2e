#include <stdlib.h>

#include "share/share.h"

enum { digits = 8, values = 256 }; /* of a weight, a byte each */

/* One pass of a radix sort, which keeps the order of equal digits: the largest first. */
static void sort_by_digit(const struct csi_weighed *from, struct csi_weighed *to, uint64_t count, unsigned digit,
                          uint64_t *places)
{
    uint64_t next = 0;
    for (size_t v = values; v-- > 0;) {
        uint64_t here = places[v];
        places[v] = next;
        next += here;
    }
    for (uint64_t i = 0; i < count; i++)
        to[places[from[i].weight >> 8 * digit & 0xff]++] = from[i];
}

/* By each digit in turn, between the two arrays; the one that holds the items at last. */
static struct csi_weighed *sort(struct csi_weighed *items, struct csi_weighed *other, const struct cfsplit_list *list)
{
    uint64_t n = cfsplit_list_count(list), places[digits][values] = {{0}};
    for (uint64_t i = 0; i < n; i++) {
        items[i] = (struct csi_weighed){.weight = cfsplit_list_at(list, i).weight, .position = i};
        for (unsigned d = 0; d < digits; d++)
            places[d][items[i].weight >> 8 * d & 0xff]++;
    }
    for (unsigned d = 0; n > 0 && d < digits; d++) {
        if (places[d][items[0].weight >> 8 * d & 0xff] == n) /* all have the same */
            continue;
        sort_by_digit(items, other, n, d, places[d]);
        struct csi_weighed *sorted = other;
        other = items;
        items = sorted;
    }
    return items;
}

struct csi_weighed *csi_weighed_new(const struct cfsplit_list *list)
{
    size_t room = (size_t)(cfsplit_list_count(list) + 1);
    struct csi_weighed *a = malloc(room * sizeof *a), *b = malloc(room * sizeof *b), *sorted = NULL;
    if (a && b)
        sorted = sort(a, b, list);
    if (sorted != a)
        free(a);
    if (sorted != b)
        free(b);
    return sorted;
}
