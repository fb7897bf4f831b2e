#include <cfsplit/share.h>

#include <stdlib.h>

#include "lib/check.h"
#include "lib/locale.h"
#include "lib/random.h"

static struct cfsplit_error err;

struct named {
    const char *name;
    uint64_t weight;
};

static struct cfsplit_list *list_of(const struct named *items, size_t count)
{
    struct cfsplit_list *list;
    CHECK_OK(cfsplit_list_new(&list, &err));
    for (size_t i = 0; i < count; i++)
        CHECK_OK(cfsplit_list_add(list, items[i].name, strlen(items[i].name), items[i].weight, &err));
    return list;
}

/* "a b / c": the names of every share in turn. */
static void describe(const struct named *items, size_t count, uint32_t R, char *text, size_t room)
{
    struct cfsplit_list *list = list_of(items, count);
    struct cfsplit_shares *shares;
    size_t used = 0;
    CHECK_OK(cfsplit_shares_new(list, CFSPLIT_SIZE, R, &shares, &err));
    for (uint32_t k = 1; k <= R; k++) {
        uint64_t n;
        const uint64_t *mine = cfsplit_shares_of(shares, k, &n);
        used += (size_t)snprintf(text + used, room - used, "%s", k > 1 ? " /" : "");
        for (uint64_t i = 0; i < n; i++)
            used += (size_t)snprintf(text + used, room - used, "%s%s", k > 1 || i > 0 ? " " : "",
                                     cfsplit_list_at(list, mine[i]).name);
    }
    cfsplit_shares_free(shares);
    cfsplit_list_free(list);
}

static void test_examples(void)
{
    static const struct named items[] = {{"a", 2}, {"b", 7}, {"c", 2}, {"d", 5}, {"e", 4}};
    static const struct named same[] = {{"b", 1}, {"\xc3\xa4", 1}, {"B", 1}, {"a", 1}};
    char text[256];
    describe(items, 5, 2, text, sizeof text);
    CHECK_TEXT(text, "b a c / d e"); /* 7 2 2, 5 4: 7; 7 5; 7 9; 9 9; 11 9 */
    describe(same, 4, 2, text, sizeof text);
    CHECK_TEXT(text, "B b / a \xc3\xa4"); /* equal weights: by bytes */
    describe(items, 2, 4, text, sizeof text);
    CHECK_TEXT(text, "b / a / /");
}

static void shuffle(struct named *items, size_t count, struct random *r)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)random_below(r, i);
        struct named swapped = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swapped;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static void test_order_independent(void)
{
    struct random r = {4};
    static char names[100][24], first[4096], again[4096];
    struct named items[100];
    for (int round = 0; round < 200; round++) {
        size_t count = 1 + (size_t)random_below(&r, 100);
        uint32_t R = 1 + (uint32_t)random_below(&r, 20);
        for (size_t i = 0; i < count; i++) {
            snprintf(names[i], sizeof names[i], "%c%zu", "aBz\xe4\xf6 "[random_below(&r, 6)], i);
            items[i] = (struct named){names[i], random_below(&r, 8)};
        }
        describe(items, count, R, first, sizeof first);
        for (int times = 0; times < 5; times++) {
            shuffle(items, count, &r);
            describe(items, count, R, again, sizeof again);
            CHECK_TEXT(again, first);
        }
        qsort(items, count, sizeof items[0], by_name); /* one in the order of bytes takes another way */
        describe(items, count, R, again, sizeof again);
        CHECK_TEXT(again, first);
    }
}

/* The smallest possible largest load, by trying everything; loads are sorted out by symmetry. */
static uint64_t best(const uint64_t *weights, size_t count, uint64_t *loads, uint32_t R, uint64_t bound)
{
    if (count == 0) {
        uint64_t largest = 0;
        for (uint32_t k = 0; k < R; k++)
            largest = loads[k] > largest ? loads[k] : largest;
        return largest;
    }
    for (uint32_t k = 0; k < R; k++) {
        loads[k] += weights[0];
        uint64_t found = loads[k] < bound ? best(weights + 1, count - 1, loads, R, bound) : bound;
        bound = found < bound ? found : bound;
        loads[k] -= weights[0];
        if (loads[k] == 0)
            break; /* all empty replicas are alike */
    }
    return bound;
}

static uint64_t largest_share(const struct cfsplit_list *list, uint32_t R)
{
    struct cfsplit_shares *shares;
    uint64_t largest = 0;
    CHECK_OK(cfsplit_shares_new(list, CFSPLIT_SIZE, R, &shares, &err));
    for (uint32_t k = 1; k <= R; k++) {
        uint64_t n, load = 0;
        const uint64_t *mine = cfsplit_shares_of(shares, k, &n);
        for (uint64_t i = 0; i < n; i++)
            load += cfsplit_list_at(list, mine[i]).weight;
        largest = load > largest ? load : largest;
    }
    cfsplit_shares_free(shares);
    return largest;
}

/* Graham 1969, theorem 3: at most 4/3 - 1/(3R) of the best; 3 R ours <= (4 R - 1) best. */
static void test_graham(void)
{
    struct random r = {5};
    for (int round = 0; round < 1500; round++) {
        static char names[10][24];
        struct named items[10];
        uint64_t weights[10], loads[5] = {0};
        size_t count = 1 + (size_t)random_below(&r, 10);
        uint32_t R = 1 + (uint32_t)random_below(&r, 5);
        for (size_t i = 0; i < count; i++) {
            snprintf(names[i], sizeof names[i], "%zu", i);
            weights[i] = 1 + random_below(&r, 30);
            items[i] = (struct named){names[i], weights[i]};
        }
        struct cfsplit_list *list = list_of(items, count);
        uint64_t ours = largest_share(list, R), theirs = best(weights, count, loads, R, UINT64_MAX);
        CHECK(ours >= theirs && UINT64_C(3) * R * ours <= (UINT64_C(4) * R - 1) * theirs);
        cfsplit_list_free(list);
    }
}

/* Graham's own worst case, R = 3: weights 5 5 4 4 3 3 3 make 11 where 9 would do. */
static void test_worst_case(void)
{
    static const struct named items[] = {{"a", 5}, {"b", 5}, {"c", 4}, {"d", 4}, {"e", 3}, {"f", 3}, {"g", 3}};
    struct cfsplit_list *list = list_of(items, 7);
    CHECK_EQUAL(largest_share(list, 3), 11);
    cfsplit_list_free(list);
}

static const struct check_case cases[] = {
    {"largest first, each to the lightest share; ties by bytes, then by replica", test_examples},
    {"the order of the list changes nothing", test_order_independent},
    {"the largest share is within Graham's bound of the best one possible", test_graham},
    {"Graham's worst case comes out as he says", test_worst_case},
};

int main(void)
{
    test_locale_choose();
    return check_main("the strategy size", cases, sizeof cases / sizeof cases[0]);
}
