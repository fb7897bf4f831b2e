#include "rundir/layout.h"

#include <stdlib.h>

#include "lib/check.h"
#include "lib/random.h"

static struct cfsplit_error err;

static struct cfsplit_list *list_of(const uint64_t *weights, uint64_t count)
{
    struct cfsplit_list *list = NULL;
    CHECK_OK(cfsplit_list_new(&list, &err));
    for (uint64_t i = 0; i < count; i++) {
        char name[24];
        int length = snprintf(name, sizeof name, "item %" PRIu64, i);
        CHECK_OK(cfsplit_list_add(list, name, (size_t)length, weights[i], &err));
    }
    return list;
}

static struct csi_layout lay_out(const struct cfsplit_list *list, enum cfsplit_strategy strategy, uint32_t replicas)
{
    struct csi_layout layout;
    CHECK_OK(csi_layout_new(&layout, list, strategy, replicas, &err));
    return layout;
}

static void largest_first(void)
{
    static const uint64_t weights[] = {1, 7, 0, 7, 9, 1, 7}, wanted[] = {4, 1, 3, 6, 0, 5, 2};
    enum { count = sizeof weights / sizeof weights[0] };
    struct cfsplit_list *list = list_of(weights, count);
    struct csi_layout layout = lay_out(list, CFSPLIT_QUEUE, 2);
    for (size_t i = 0; i < count; i++)
        CHECK_EQUAL(layout.order[i], wanted[i]);
    csi_layout_free(&layout);
    cfsplit_list_free(list);
}

/* A queue of equal items is cut as blocks are, and its list stays as it was. */
static void equal_items(void)
{
    uint64_t weights[100];
    for (size_t i = 0; i < 100; i++)
        weights[i] = 1;
    struct cfsplit_list *list = list_of(weights, 100);
    struct csi_layout queue = lay_out(list, CFSPLIT_QUEUE, 3), blocks = lay_out(list, CFSPLIT_BLOCKS, 3);
    for (size_t i = 0; i < 100; i++)
        CHECK_EQUAL(queue.order[i], i);
    CHECK(blocks.order == NULL);
    CHECK_EQUAL(queue.cut_count, blocks.cut_count);
    for (size_t p = 0; p < queue.cut_count && p < blocks.cut_count; p++) {
        CHECK_EQUAL(queue.cuts[p].share, 0);
        CHECK_EQUAL(queue.cuts[p].items, blocks.cuts[p].items);
    }
    CHECK_EQUAL(queue.cuts[0].items, 16);
    csi_layout_free(&queue);
    csi_layout_free(&blocks);
    cfsplit_list_free(list);
}

/* A cut weighs at most 1/(2R) of what is left before it, unless it is one item; cuts are not empty and make up the list. */
static void check_cuts(const struct csi_layout *layout, const uint64_t *weights, uint64_t count, uint32_t replicas)
{
    uint64_t left = 0, at = 0;
    for (uint64_t i = 0; i < count; i++)
        left += weights[i] ? weights[i] : 1;
    for (size_t p = 0; p < layout->cut_count; p++) {
        uint64_t has = 0, items = layout->cuts[p].items;
        CU_ASSERT_FATAL(items > 0 && at + items <= count);
        for (uint64_t i = 0; i < items; i++, at++)
            has += weights[layout->order[at]] ? weights[layout->order[at]] : 1;
        CHECK(items == 1 || has <= left / (2 * (uint64_t)replicas));
        left -= has;
    }
    CHECK_EQUAL(at, count);
    CHECK_EQUAL(left, 0);
}

static void any_weights(void)
{
    struct random random = {1};
    for (int round = 0; round < 200; round++) {
        uint64_t weights[60], count = random_below(&random, 61);
        uint32_t replicas = 1 + (uint32_t)random_below(&random, 9);
        bool seen[60] = {false};
        for (uint64_t i = 0; i < count; i++)
            weights[i] = random_below(&random, 12);
        struct cfsplit_list *list = list_of(weights, count);
        struct csi_layout layout = lay_out(list, CFSPLIT_QUEUE, replicas);
        for (uint64_t i = 0; i < count; i++) {
            uint64_t position = layout.order[i];
            CU_ASSERT_FATAL(position < count && !seen[position]);
            seen[position] = true;
            uint64_t before = i ? layout.order[i - 1] : position;
            CHECK(weights[before] > weights[position] || (weights[before] == weights[position] && before <= position));
        }
        check_cuts(&layout, weights, count, replicas);
        csi_layout_free(&layout);
        cfsplit_list_free(list);
    }
}

static const struct check_case cases[] = {
    {"a queue has the largest items in front, equal ones as they came", largest_first},
    {"a queue is cut as blocks are", equal_items},
    {"whatever the weights, a queue has each item once, in blocks that shrink with what is left", any_weights},
};

int main(void)
{
    return check_main("in which order a list is worked on", cases, sizeof cases / sizeof cases[0]);
}
