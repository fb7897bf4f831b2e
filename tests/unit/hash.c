#include <cfsplit/share.h>

#include <math.h>

#include "lib/check.h"
#include "lib/random.h"

enum { item_count = 20000 };

static uint32_t owner_of(unsigned i, uint32_t R)
{
    char name[48];
    int length = snprintf(name, sizeof name, "/arc/projects/survey/%u.fits", i);
    return cfsplit_share_hash(name, (size_t)length, R);
}

/* These pin the format: a run that is continued by a later version must be split alike. Reckoned apart from this code, from
 * the published XXH3-64 of "a", e6c632b61e964e1f, and of "abc", 78af5f94892f3950. */
static void test_pinned(void)
{
    static const struct {
        const char *name;
        uint32_t R, owner;
    } rows[] = {
        {"a", 1, 1},   {"a", 2, 2},   {"a", 7, 2},   {"a", 100, 15},  {"a", 512, 351}, {"a", 1000000, 932463},
        {"abc", 1, 1}, {"abc", 2, 2}, {"abc", 7, 3}, {"abc", 100, 3}, {"abc", 512, 3}, {"abc", 1000000, 872122}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_EQUAL(cfsplit_share_hash(rows[i].name, strlen(rows[i].name), rows[i].R), rows[i].owner);
}

static void test_in_range(void)
{
    struct random r = {6};
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t R = 1 + (uint32_t)random_below(&r, i % 2 ? 50 : CFSPLIT_REPLICAS_MAX);
        uint32_t k = owner_of(i, R);
        CHECK(k >= 1 && k <= R);
    }
}

/* With one replica more an item stays or goes to the new one, and n/(R+1) are expected to go: a binomial number, here
 * allowed 5 standard deviations (one false alarm in 1.7 million for fair hashes; the items are fixed, so it never flickers). */
static void test_growth(void)
{
    static const uint32_t counts[] = {1, 2, 3, 10, 57, 100, 512};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        uint32_t R = counts[c];
        double p = 1.0 / (R + 1), moved = 0;
        for (unsigned i = 0; i < item_count; i++) {
            uint32_t before = owner_of(i, R), after = owner_of(i, R + 1);
            CHECK(after == before || after == R + 1);
            moved += after != before;
        }
        CHECK(fabs(moved - item_count * p) <= 5 * sqrt(item_count * p * (1 - p)));
    }
}

/* Chi-squared of the shares' sizes against equal ones, R - 1 degrees of freedom: mean R - 1, variance 2 (R - 1); 6 standard
 * deviations are allowed. */
static void test_balance(void)
{
    static const uint32_t counts[] = {2, 7, 10, 64, 100};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        uint32_t R = counts[c];
        unsigned sizes[101] = {0};
        double chi2 = 0, fair = (double)item_count / R;
        for (unsigned i = 0; i < item_count; i++)
            sizes[owner_of(i, R)]++;
        for (uint32_t k = 1; k <= R; k++)
            chi2 += (sizes[k] - fair) * (sizes[k] - fair) / fair;
        CHECK(chi2 <= (R - 1) + 6 * sqrt(2.0 * (R - 1)));
    }
}

/* An item's replica is a matter of its own bytes: a longer list, in whatever order, moves nobody. */
static void test_added_items(void)
{
    struct cfsplit_error err = {0};
    for (unsigned n = 1; n <= 64; n++) {
        struct cfsplit_list *list;
        struct cfsplit_shares *shares;
        CHECK_OK(cfsplit_list_new(&list, &err));
        for (unsigned i = n; i-- > 0;) {
            char name[48];
            int length = snprintf(name, sizeof name, "/arc/projects/survey/%u.fits", i);
            CHECK_OK(cfsplit_list_add(list, name, (size_t)length, 1, &err));
        }
        CHECK_OK(cfsplit_shares_new(list, CFSPLIT_HASH, 5, &shares, &err));
        for (uint32_t k = 1; k <= 5; k++) {
            uint64_t count;
            const uint64_t *mine = cfsplit_shares_of(shares, k, &count);
            for (uint64_t i = 0; i < count; i++) {
                CHECK_EQUAL(owner_of(n - 1 - (unsigned)mine[i], 5), k);
                CHECK(i == 0 || mine[i - 1] < mine[i]);
            }
        }
        cfsplit_shares_free(shares);
        cfsplit_list_free(list);
    }
}

static const struct check_case cases[] = {
    {"the answers that the format pins have not changed", test_pinned},
    {"every item has a replica in 1..R", test_in_range},
    {"one replica more takes its part, and nothing moves between the others", test_growth},
    {"shares are as equal as chance allows", test_balance},
    {"more items move none that were there", test_added_items},
};

int main(void)
{
    return check_main("the strategy hash", cases, sizeof cases / sizeof cases[0]);
}
