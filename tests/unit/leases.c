/* Leases: what a worker was given is found by its index and started in the order it came, and a list that is none changes nothing. */
#include "node/leases.h"

#include <stdlib.h>

#include "lib/check.h"
#include "lib/random.h"

static struct cfsplit_error err;
static struct csi_leases leases;
static struct csi_buf list;

static void list_item(uint64_t index)
{
    char name[32];
    int length = snprintf(name, sizeof name, "item %" PRIu64, index);
    struct csi_wire_item item = {
        .index = index, .weight = index + 1, .attempt = index % 5 + 1, .name = {name, (size_t)length}};
    csi_wire_item_add(&list, &item);
}

/* Whether the list was taken in, as `count` items. */
static bool add_list(uint64_t count)
{
    bool bad = false;
    CHECK_OK(csi_buf_check(&list, &err));
    CHECK_OK(csi_leases_add(&leases, (struct csi_wire_bytes){list.data, list.length}, count, &bad, &err));
    return !bad;
}

/* A batch of `count` items: first, first + step, ... */
static bool add(uint64_t first, uint64_t count, uint64_t step)
{
    csi_buf_clear(&list);
    for (uint64_t i = 0; i < count; i++)
        list_item(first + i * step);
    return add_list(count);
}

static void open_leases(void)
{
    csi_leases_init(&leases);
}

static void close_leases(void)
{
    csi_leases_fini(&leases);
    csi_buf_release(&list);
    CHECK_EQUAL(leases.count, 0);
    CHECK(csi_leases_find(&leases, 0) == NULL);
}

/* One that must be there. */
static struct csi_lease *must(struct csi_lease *lease)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(lease);
    if (!lease)
        abort(); /* CUnit does not say that it never returns */
    return lease;
}

/* The first that waits is this one; starts it. */
static struct csi_lease *start(uint64_t index)
{
    char name[32];
    struct csi_lease *lease = must(csi_leases_peek(&leases));
    snprintf(name, sizeof name, "item %" PRIu64, index);
    CHECK_EQUAL(lease->index, index);
    CHECK_TEXT(lease->item.name, name);
    CHECK_EQUAL(lease->item.length, strlen(name));
    CHECK_EQUAL(lease->item.weight, index + 1);
    CHECK_EQUAL(lease->attempt, index % 5 + 1);
    CHECK(!lease->started);
    csi_leases_start(&leases);
    CHECK(lease->started);
    return lease;
}

static void there_is_nothing_at_first(void)
{
    open_leases();
    CHECK(csi_leases_peek(&leases) == NULL);
    CHECK(csi_leases_find(&leases, 7) == NULL);
    csi_leases_drop(&leases);
    CHECK_EQUAL(leases.waiting, 0);
    close_leases();
}

static void items_start_in_the_order_they_came(void)
{
    open_leases();
    CHECK(add(40, 3, 1));
    CHECK(add(7, 2, 100));
    CHECK_EQUAL(leases.waiting, 5);
    for (uint64_t i = 40; i < 43; i++)
        start(i);
    start(7);
    CHECK_EQUAL(leases.waiting, 1);
    CHECK(add(1, 1, 1)); /* behind what waits */
    start(107);
    start(1);
    CHECK(csi_leases_peek(&leases) == NULL);
    CHECK_EQUAL(leases.waiting, 0);
    CHECK_EQUAL(leases.count, 6);
    close_leases();
}

static void all_that_a_batch_says_of_an_item_is_kept(void)
{
    struct csi_wire_item item = {.index = UINT64_MAX,
                                 .weight = 9,
                                 .attempt = UINT32_MAX,
                                 .failures = 2,
                                 .deaths = 3,
                                 .laters = 4,
                                 .alone = true,
                                 .name = {"x", 1}};
    open_leases();
    csi_buf_clear(&list);
    csi_wire_item_add(&list, &item);
    item.index = 0;
    item.alone = false;
    item.aside = true;
    csi_wire_item_add(&list, &item);
    CHECK(add_list(2));
    const struct csi_lease *lease = must(csi_leases_find(&leases, UINT64_MAX));
    CHECK_EQUAL(lease->attempt, UINT32_MAX);
    CHECK_EQUAL(lease->failures, 2);
    CHECK_EQUAL(lease->deaths, 3);
    CHECK_EQUAL(lease->laters, 4);
    CHECK(lease->alone && !lease->aside);
    lease = must(csi_leases_find(&leases, 0));
    CHECK(lease->aside && !lease->alone);
    close_leases();
}

static void what_is_removed_is_gone_and_the_rest_is_found(void)
{
    open_leases();
    CHECK(add(0, 64, 1));
    for (uint64_t i = 0; i < 64; i++)
        start(i);
    for (uint64_t i = 0; i < 64; i += 2)
        csi_leases_remove(&leases, must(csi_leases_find(&leases, i)));
    for (uint64_t i = 0; i < 64; i++)
        CHECK((csi_leases_find(&leases, i) != NULL) == (i % 2 == 1));
    CHECK_EQUAL(leases.count, 32);
    CHECK(add(0, 32, 2)); /* what was removed may come again */
    CHECK_EQUAL(leases.count, 64);
    close_leases();
}

/* Finds indexes whose homes in a table of `room` places are the same, or neighbours at its very end. */
static size_t home_of(uint64_t index, size_t room)
{
    return (size_t)(index * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (room - 1);
}

static void collisions_at_the_end_of_the_table_are_undone_in_any_order(void)
{
    enum { crowd = 12, room = 64 };
    uint64_t crowded[crowd];
    struct random random = {1};
    for (int round = 0; round < 200; round++) {
        size_t found = 0;
        for (uint64_t index = random_below(&random, 1000000); found < crowd; index++)
            if (home_of(index, room) >= room - 3)
                crowded[found++] = index;
        open_leases();
        csi_buf_clear(&list);
        for (size_t i = 0; i < crowd; i++)
            list_item(crowded[i]);
        CHECK(add_list(crowd));
        CHECK_EQUAL(leases.room, room);
        for (size_t i = 0; i < crowd; i++)
            csi_leases_start(&leases);
        for (size_t left = crowd; left > 0; left--) {
            size_t which = random_below(&random, left);
            csi_leases_remove(&leases, must(csi_leases_find(&leases, crowded[which])));
            CHECK(csi_leases_find(&leases, crowded[which]) == NULL);
            crowded[which] = crowded[left - 1];
            for (size_t i = 0; i + 1 < left; i++)
                CHECK(csi_leases_find(&leases, crowded[i]) != NULL);
        }
        close_leases();
    }
}

static void what_waits_is_dropped_and_what_runs_is_kept(void)
{
    open_leases();
    CHECK(add(0, 10, 1));
    CHECK(add(100, 10, 1));
    for (uint64_t i = 0; i < 5; i++)
        start(i);
    csi_leases_drop(&leases);
    CHECK_EQUAL(leases.waiting, 0);
    CHECK_EQUAL(leases.count, 5);
    CHECK(csi_leases_peek(&leases) == NULL);
    CHECK(csi_leases_find(&leases, 4) != NULL && csi_leases_find(&leases, 5) == NULL);
    CHECK(add(5, 5, 1)); /* given again */
    start(5);
    close_leases();
}

/* Nothing was taken in, and nothing that was there is gone. */
static void refuse(uint64_t count)
{
    size_t waiting = leases.waiting, before = leases.count;
    CHECK(!add_list(count));
    CHECK_EQUAL(leases.waiting, waiting);
    CHECK_EQUAL(leases.count, before);
}

static void an_item_that_is_here_is_refused_with_its_batch(void)
{
    open_leases();
    CHECK(add(10, 3, 1));
    start(10);
    csi_buf_clear(&list);
    list_item(1);
    list_item(10); /* it runs */
    refuse(2);
    csi_buf_clear(&list);
    list_item(1);
    list_item(12); /* it waits */
    refuse(2);
    CHECK(csi_leases_find(&leases, 1) == NULL);
    start(11);
    start(12);
    close_leases();
}

static void an_item_that_is_in_a_batch_twice_is_refused_with_it(void)
{
    open_leases();
    CHECK(add(500, 1, 1));
    csi_buf_clear(&list);
    for (uint64_t i = 0; i < 40; i++)
        list_item(i);
    list_item(39);
    refuse(41);
    for (uint64_t i = 0; i < 40; i++)
        CHECK(csi_leases_find(&leases, i) == NULL);
    start(500);
    CHECK(csi_leases_peek(&leases) == NULL);
    CHECK(add(0, 40, 1)); /* the line goes on behind what is there */
    for (uint64_t i = 0; i < 40; i++)
        start(i);
    close_leases();
}

static void a_list_that_is_none_is_refused(void)
{
    open_leases();
    CHECK(add(0, 2, 1));
    csi_buf_clear(&list);
    refuse(0);
    refuse(1);
    list_item(5);
    list_item(6);
    refuse(0);
    refuse(1); /* more than it says */
    refuse(3); /* less than it says */
    refuse(UINT64_MAX);
    list.length--; /* cut short */
    refuse(2);
    list.length++;
    csi_buf_add(&list, "x", 1);
    refuse(2);
    csi_buf_clear(&list);
    for (uint64_t i = 10; i < 10 + CSI_WIRE_BATCH_MAX + 1; i++)
        list_item(i);
    refuse(CSI_WIRE_BATCH_MAX + 1);
    start(0);
    start(1);
    close_leases();
}

static void an_attempt_that_cannot_be_is_refused(void)
{
    static const uint64_t attempts[] = {0, (uint64_t)UINT32_MAX + 1, UINT64_MAX};
    open_leases();
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        struct csi_wire_item item = {.index = 3, .attempt = attempts[i], .name = {"x", 1}};
        csi_buf_clear(&list);
        csi_wire_item_add(&list, &item);
        refuse(1);
    }
    close_leases();
}

static void names_stay_where_they_are_while_the_table_grows(void)
{
    open_leases();
    CHECK(add(0, 1, 1));
    const struct csi_lease *first = start(0);
    const char *name = first->item.name;
    for (uint64_t i = 1; i < 50; i++)
        CHECK(add(i * 1000, 64, 1));
    CHECK(csi_leases_find(&leases, 0) == first && first->item.name == name);
    CHECK_TEXT(name, "item 0");
    close_leases();
}

static void a_hundred_thousand_come_and_go_at_random(void)
{
    enum { many = 100000, batch = 50 };
    static uint64_t running[many];
    size_t count = 0;
    uint64_t given = 0;
    struct random random = {1};
    open_leases();
    while (given < many) {
        CHECK(add(given, batch, 1));
        for (int i = 0; i < batch; i++) {
            running[count++] = given;
            start(given++);
        }
        for (size_t ends = random_below(&random, batch); ends > 0 && count > 0; ends--) {
            size_t which = random_below(&random, count);
            csi_leases_remove(&leases, must(csi_leases_find(&leases, running[which])));
            running[which] = running[--count];
        }
    }
    CHECK_EQUAL(leases.count, count);
    CHECK_EQUAL(leases.waiting, 0);
    while (count > 0) {
        csi_leases_remove(&leases, must(csi_leases_find(&leases, running[--count])));
        CU_ASSERT_TRUE_FATAL(csi_leases_find(&leases, running[count]) == NULL);
    }
    CHECK_EQUAL(leases.count, 0);
    close_leases();
}

int main(void)
{
    static const struct check_case cases[] = {
        {"there is nothing at first", there_is_nothing_at_first},
        {"items start in the order they came", items_start_in_the_order_they_came},
        {"all that a batch says of an item is kept", all_that_a_batch_says_of_an_item_is_kept},
        {"what is removed is gone, and the rest is found", what_is_removed_is_gone_and_the_rest_is_found},
        {"collisions at the end of the table are undone in any order",
         collisions_at_the_end_of_the_table_are_undone_in_any_order},
        {"what waits is dropped, and what runs is kept", what_waits_is_dropped_and_what_runs_is_kept},
        {"an item that is here is refused with its batch", an_item_that_is_here_is_refused_with_its_batch},
        {"an item that is in a batch twice is refused with it", an_item_that_is_in_a_batch_twice_is_refused_with_it},
        {"a list that is none is refused", a_list_that_is_none_is_refused},
        {"an attempt that cannot be is refused", an_attempt_that_cannot_be_is_refused},
        {"names stay where they are while the table grows", names_stay_where_they_are_while_the_table_grows},
        {"a hundred thousand come and go at random", a_hundred_thousand_come_and_go_at_random},
    };
    return check_main("leases", cases, sizeof cases / sizeof cases[0]);
}
