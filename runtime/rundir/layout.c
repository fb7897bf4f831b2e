#include "rundir/layout.h"

#include <stdlib.h>

#include "base/error.h"
#include "share/share.h"

static cfsplit_status add_cut(struct csi_layout *layout, uint32_t share, uint64_t items, struct cfsplit_error *err)
{
    struct csi_cut *cuts = layout->cuts;
    if ((layout->cut_count & (layout->cut_count + 1)) == 0) /* full at 2^k - 1 */
        cuts = realloc(cuts, (2 * layout->cut_count + 2) * sizeof *cuts);
    if (!cuts)
        return csi_fail_memory(err);
    layout->cuts = cuts;
    cuts[layout->cut_count++] = (struct csi_cut){share, items};
    return CFSPLIT_OK;
}

static cfsplit_status cut_shares(struct csi_layout *layout, uint32_t replicas, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    for (uint32_t k = 1; k <= replicas; k++) {
        uint64_t count;
        (void)cfsplit_shares_of(layout->shares, k, &count);
        uint64_t pieces = count < CSI_PIECES_PER_SHARE ? count : CSI_PIECES_PER_SHARE;
        for (uint64_t p = 0; status == CFSPLIT_OK && p < pieces; p++)
            status = add_cut(layout, k, count / pieces + (p < count % pieces), err);
    }
    return status;
}

static cfsplit_status sort_list(struct csi_layout *layout, const struct cfsplit_list *list, struct cfsplit_error *err)
{
    uint64_t n = cfsplit_list_count(list);
    struct csi_weighed *items = csi_weighed_new(list);
    layout->sorted = items ? calloc((size_t)(n + 1), sizeof *layout->sorted) : NULL;
    for (uint64_t i = 0; layout->sorted && i < n; i++)
        layout->sorted[i] = items[i].position;
    free(items);
    layout->order = layout->sorted;
    return layout->sorted ? CFSPLIT_OK : csi_fail_memory(err);
}

/* Of the item at a place of the order. A weight of 0 counts as 1: an empty file is work, too. */
static uint64_t weight_at(const struct csi_layout *layout, const struct cfsplit_list *list, uint64_t place)
{
    uint64_t weight = cfsplit_list_at(list, layout->order ? layout->order[place] : place).weight;
    return weight ? weight : 1;
}

static cfsplit_status cut_blocks(struct csi_layout *layout, const struct cfsplit_list *list, uint32_t replicas,
                                 struct cfsplit_error *err)
{
    uint64_t n = cfsplit_list_count(list), left = 0;
    cfsplit_status status = CFSPLIT_OK;
    for (uint64_t i = 0; i < n; i++)
        left += weight_at(layout, list, i);
    for (uint64_t i = 0; status == CFSPLIT_OK && i < n;) {
        uint64_t aim = left / (2 * (uint64_t)replicas), has = 0, items = 0;
        do
            has += weight_at(layout, list, i + items++);
        while (i + items < n && has + weight_at(layout, list, i + items) <= aim);
        left -= has;
        i += items;
        status = add_cut(layout, 0, items, err);
    }
    return status;
}

cfsplit_status csi_layout_new(struct csi_layout *layout, const struct cfsplit_list *list,
                              enum cfsplit_strategy strategy, uint32_t replicas, struct cfsplit_error *err)
{
    *layout = (struct csi_layout){0};
    cfsplit_status status = csi_share_check_count(replicas, err);
    if (status != CFSPLIT_OK)
        return status;
    if (strategy == CFSPLIT_QUEUE && (status = sort_list(layout, list, err)) != CFSPLIT_OK)
        return status;
    if (strategy == CFSPLIT_BLOCKS || strategy == CFSPLIT_QUEUE)
        return cut_blocks(layout, list, replicas, err);
    status = cfsplit_shares_new(list, strategy, replicas, &layout->shares, err);
    if (status != CFSPLIT_OK)
        return status;
    layout->order = layout->shares->positions;
    return cut_shares(layout, replicas, err);
}

void csi_layout_free(struct csi_layout *layout)
{
    cfsplit_shares_free(layout->shares);
    free(layout->sorted);
    free(layout->cuts);
    *layout = (struct csi_layout){0};
}
