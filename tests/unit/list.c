#include <cfsplit/list.h>

#include <unistd.h>

#include <cfsplit/unstable.h>

#include "lib/check.h"
#include "lib/random.h"
#include "lib/scratch.h"

static struct cfsplit_error err;

static struct cfsplit_list *new_list(void)
{
    struct cfsplit_list *list;
    CHECK_OK(cfsplit_list_new(&list, &err));
    return list;
}

static void add(struct cfsplit_list *list, const char *name, uint64_t weight)
{
    CHECK_OK(cfsplit_list_add(list, name, strlen(name), weight, &err));
}

static void test_keeps_order_and_weights(void)
{
    struct cfsplit_list *list = new_list();
    char name[32];
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "item %u", i);
        add(list, name, i < 500 ? 1 : i);
    }
    CHECK_EQUAL(cfsplit_list_count(list), 1000);
    CHECK_TEXT(cfsplit_list_at(list, 999).name, "item 999");
    CHECK_EQUAL(cfsplit_list_at(list, 10).length, 7);
    CHECK_EQUAL(cfsplit_list_at(list, 499).weight, 1);
    CHECK_EQUAL(cfsplit_list_at(list, 500).weight, 500);
    CHECK_EQUAL(cfsplit_list_weight(list), 500 + (500 + 999) * 250);
    cfsplit_list_free(list);
    cfsplit_list_free(NULL);
}

static void test_refuses(void)
{
    static char longest[CFSPLIT_ITEM_BYTES_MAX + 1];
    struct cfsplit_list *list = new_list();
    memset(longest, 'x', sizeof longest);
    CHECK_EQUAL(cfsplit_list_add(list, "", 0, 1, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "item 1 is empty");
    CHECK_EQUAL(cfsplit_list_add(list, "a\0b", 3, 1, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "item 'a\\x00b' holds a NUL");
    CHECK_EQUAL(cfsplit_list_add(list, longest, sizeof longest, 1, &err), CFSPLIT_USAGE);
    CHECK_OK(cfsplit_list_add(list, longest, sizeof longest - 1, 1, &err));
    CHECK_EQUAL(cfsplit_list_add(list, "a", 1, INT64_MAX, &err), CFSPLIT_USAGE);
    CHECK_EQUAL(cfsplit_list_add(list, "a", 1, UINT64_MAX, &err), CFSPLIT_USAGE);
    CHECK_EQUAL(cfsplit_list_count(list), 1);
    CHECK_EQUAL(cfsplit_list_weight(list), 1);
    cfsplit_list_free(list);
}

static void test_duplicates(void)
{
    struct cfsplit_list *list = new_list();
    add(list, "a", 5);
    add(list, "bb", 1);
    add(list, "a", 7);
    add(list, "ccc", 2);
    add(list, "bb", 1);
    add(list, "dddd", 3);
    CHECK_OK(cfsplit_list_resolve_duplicates(list, CFSPLIT_DUPLICATES_KEEP, &err));
    CHECK_EQUAL(cfsplit_list_count(list), 6);
    CHECK_EQUAL(cfsplit_list_resolve_duplicates(list, CFSPLIT_DUPLICATES_REFUSE, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "'a' is in the list twice, as items 1 and 3");
    CHECK_OK(cfsplit_list_resolve_duplicates(list, CFSPLIT_DUPLICATES_DROP, &err));
    CHECK_OK(cfsplit_list_resolve_duplicates(list, CFSPLIT_DUPLICATES_REFUSE, &err));
    CHECK_EQUAL(cfsplit_list_count(list), 4);
    CHECK_TEXT(cfsplit_list_at(list, 0).name, "a");
    CHECK_TEXT(cfsplit_list_at(list, 1).name, "bb");
    CHECK_TEXT(cfsplit_list_at(list, 2).name, "ccc");
    CHECK_TEXT(cfsplit_list_at(list, 3).name, "dddd");
    CHECK_EQUAL(cfsplit_list_at(list, 3).length, 4);
    CHECK_EQUAL(cfsplit_list_at(list, 0).weight, 5);
    CHECK_EQUAL(cfsplit_list_weight(list), 11);
    add(list, "eeeee", 1);
    CHECK_TEXT(cfsplit_list_at(list, 4).name, "eeeee");
    cfsplit_list_free(list);
}

/* What stays after dropping, found the slow way. */
static void test_many_duplicates(void)
{
    struct random r = {1};
    for (int round = 0; round < 200; round++) {
        struct cfsplit_list *list = new_list();
        bool seen[300] = {false};
        unsigned wanted[300], count = 0, range = 1 + (unsigned)random_below(&r, 300);
        for (int i = 0; i < 300; i++) {
            unsigned number = (unsigned)random_below(&r, range);
            char name[16];
            snprintf(name, sizeof name, "%u", number);
            add(list, name, 1);
            if (!seen[number])
                wanted[count++] = number;
            seen[number] = true;
        }
        CHECK_OK(cfsplit_list_resolve_duplicates(list, CFSPLIT_DUPLICATES_DROP, &err));
        CHECK_EQUAL(cfsplit_list_count(list), count);
        for (unsigned i = 0; i < count && i < cfsplit_list_count(list); i++)
            CHECK_EQUAL(strtol(cfsplit_list_at(list, i).name, NULL, 10), wanted[i]);
        cfsplit_list_free(list);
    }
}

static void test_digest(void)
{
    char empty[33], ab[33], a_b[33], again[33];
    struct cfsplit_list *list = new_list();
    cfsplit_list_digest(list, empty);
    CHECK_TEXT(empty, "99aa06d3014798d86001c324468d497f"); /* XXH3-128 of nothing, as xxhsum -H128 prints it */
    add(list, "ab", 1);
    cfsplit_list_digest(list, ab);
    cfsplit_list_free(list);
    list = new_list();
    add(list, "a", 1);
    add(list, "b", 9);
    cfsplit_list_digest(list, a_b);
    CHECK(strcmp(ab, a_b) != 0);
    cfsplit_list_digest(list, again);
    CHECK_TEXT(again, a_b);
    cfsplit_list_free(list);
}

static void test_sets_weights(void)
{
    static const uint64_t weights[] = {7, 0, 9}, heavy[] = {1, UINT64_C(1) << 63, 1};
    struct cfsplit_list *list = NULL;
    CHECK_OK(cfsplit_list_new(&list, &err));
    add(list, "a", 1);
    add(list, "b", 5);
    add(list, "c", 1);
    CHECK_OK(cfsplit_list_set_weights(list, weights, &err));
    CHECK_EQUAL(cfsplit_list_weight(list), 16);
    CHECK_EQUAL(cfsplit_list_set_weights(list, heavy, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "the weights up to item 'b' add up to 2^63 or more");
    add(list, "d", 4); /* the others weigh what they did */
    for (uint64_t i = 0; i < 3; i++)
        CHECK_EQUAL(cfsplit_list_at(list, i).weight, weights[i]);
    CHECK_EQUAL(cfsplit_list_weight(list), 20);
    cfsplit_list_free(list);
}

static void test_weighs(void)
{
    struct cfsplit_list *list = new_list();
    scratch_write("img.fits", "1234567", 7);
    scratch_write("empty", "", 0);
    CHECK_EQUAL(mkdir("folder", 0700), 0);
    add(list, "img.fits", 3);
    add(list, "img.fits[1][col x]", 1);
    add(list, "empty", 1);
    CHECK_OK(cfsplit_list_weigh(list, &err));
    CHECK_EQUAL(cfsplit_list_at(list, 0).weight, 7);
    CHECK_EQUAL(cfsplit_list_at(list, 1).weight, 7);
    CHECK_EQUAL(cfsplit_list_at(list, 2).weight, 0);
    CHECK_EQUAL(cfsplit_list_weight(list), 14);
    add(list, "none.fits[1]", 1);
    CHECK_EQUAL(cfsplit_list_weigh(list, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "cannot weigh 'none.fits[1]': No such file or directory");
    CHECK_EQUAL(cfsplit_list_weight(list), 15);
    cfsplit_list_free(list);
    list = new_list();
    add(list, "folder", 1);
    CHECK_EQUAL(cfsplit_list_weigh(list, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "cannot weigh 'folder': it is not a file");
    cfsplit_list_free(list);
}

/* More files than one thread takes at a time; two of them are none. */
static void test_weighs_many(void)
{
    enum { many = 3000 };
    struct cfsplit_list *list;
    char name[32], bytes[100] = {0};
    uint64_t sum = 0;
    CHECK_OK(cfsplit_list_new(&list, &err));
    for (int i = 0; i < many; i++) {
        snprintf(name, sizeof name, "w%d", i);
        scratch_write(name, bytes, (size_t)(i % 100));
        CHECK_OK(cfsplit_list_add(list, name, strlen(name), 1, &err));
        sum += (uint64_t)(i % 100);
    }
    CHECK_OK(cfsplit_list_weigh(list, &err));
    CHECK_EQUAL(cfsplit_list_weight(list), sum);
    for (uint64_t i = 0; i < many; i++)
        if (cfsplit_list_at(list, i).weight != i % 100)
            CHECK_EQUAL(cfsplit_list_at(list, i).weight, i % 100);
    unlink("w1234");
    unlink("w2345");
    for (int round = 0; round < 20; round++) { /* the first one, whoever looks at it when */
        CHECK_EQUAL(cfsplit_list_weigh(list, &err), CFSPLIT_USAGE);
        CHECK_TEXT(err.message, "cannot weigh 'w1234': No such file or directory");
    }
    CHECK_EQUAL(cfsplit_list_weight(list), sum);
    cfsplit_list_free(list);
}

static const struct check_case cases[] = {
    {"a list keeps items in order, with their weights", test_keeps_order_and_weights},
    {"an item is not empty, not overlong, holds no NUL, and weights add up below 2^63", test_refuses},
    {"duplicates are refused, kept or dropped, the first one stays", test_duplicates},
    {"of any list, dropping leaves the first of each, in order", test_many_duplicates},
    {"the digest sees where an item ends, and no weights", test_digest},
    {"weights are set all at once, or not at all", test_sets_weights},
    {"a file weighs its bytes, an extended name those of its file", test_weighs},
    {"of many files that are weighed at once the first one that is none is named", test_weighs_many},
};

int main(void)
{
    scratch_enter();
    return check_main("the list", cases, sizeof cases / sizeof cases[0]);
}
