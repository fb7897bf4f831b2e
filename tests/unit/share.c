#include <cfsplit/share.h>

#include <stdlib.h>

#include "lib/check.h"
#include "lib/random.h"

static struct cfsplit_error err;

static struct cfsplit_list *numbered_list(uint64_t n, struct random *r)
{
    struct cfsplit_list *list;
    CHECK_OK(cfsplit_list_new(&list, &err));
    for (uint64_t i = 0; i < n; i++) {
        char name[32];
        int length = snprintf(name, sizeof name, "%" PRIu64 ".fits", i);
        CHECK_OK(cfsplit_list_add(list, name, (size_t)length, r ? random_below(r, 100) : 1, &err));
    }
    return list;
}

/* "0,1,2" of a range; "-" if it is empty. */
static const char *positions(const struct cfsplit_range *range)
{
    static char text[16384];
    size_t used = 0;
    snprintf(text, sizeof text, "-");
    for (uint64_t i = 0; i < range->count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRIu64, i ? "," : "",
                                 range->first + i * range->step);
    return text;
}

struct row {
    const char *strategy, *wanted; /* in the line that was read */
    uint64_t n;
    int64_t k, R;
};

/* Cuts a line into its five columns. */
static bool read_row(char *line, struct row *row)
{
    char *columns[5], *rest = line;
    for (size_t i = 0; i < 5; i++)
        columns[i] = strsep(&rest, "\t\n");
    if (!rest || !columns[4])
        return false;
    row->strategy = columns[0];
    row->n = strtoull(columns[1], NULL, 10);
    row->k = strtoll(columns[2], NULL, 10);
    row->R = strtoll(columns[3], NULL, 10);
    row->wanted = columns[4];
    return true;
}

static void check_row(const struct row *row)
{
    enum cfsplit_strategy strategy;
    struct cfsplit_range upstream, ours;
    CHECK_OK(cfsplit_strategy_find(row->strategy, &strategy, &err));
    cfsplit_status status = cfsplit_share_upstream(strategy, row->n, row->k, row->R, &upstream, &err);
    if (row->wanted[0] == '!')
        CHECK_TEXT(err.message, row->wanted + 1);
    else if (status == CFSPLIT_OK)
        CHECK_TEXT(positions(&upstream), row->wanted);
    CHECK_EQUAL(status, row->wanted[0] == '!' ? CFSPLIT_USAGE : CFSPLIT_OK);
    if (row->R > 0 && row->k >= 1 && row->k <= row->R) {
        CHECK_OK(cfsplit_share_range(strategy, row->n, (uint64_t)row->k, (uint64_t)row->R, &ours, &err));
        CHECK_TEXT(positions(&ours), row->wanted);
    } else if (row->k >= 0 && row->R >= 0) {
        CHECK_EQUAL(cfsplit_share_range(strategy, row->n, (uint64_t)row->k, (uint64_t)row->R, &ours, &err),
                    CFSPLIT_USAGE);
    }
}

static void test_python_client(void)
{
    static char line[20000];
    struct row row = {0};
    FILE *file = fopen(CFSPLIT_TESTS_DIR "/conformance/upstream-partitions.tsv", "r");
    unsigned rows = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '#')
            continue;
        CU_ASSERT_TRUE_FATAL(read_row(line, &row));
        check_row(&row);
        rows++;
    }
    fclose(file);
    CHECK_EQUAL(rows, 1366);
}

/* True if the ranges of all replicas hold every position of 0..n-1 once. */
static bool is_partition(enum cfsplit_strategy strategy, uint64_t n, uint64_t R, uint64_t *smallest, uint64_t *largest)
{
    unsigned char *times = calloc(n + 1, 1);
    bool good = true;
    *smallest = UINT64_MAX;
    *largest = 0;
    for (uint64_t k = 1; k <= R; k++) {
        struct cfsplit_range range;
        good = cfsplit_share_range(strategy, n, k, R, &range, &err) == CFSPLIT_OK && good;
        for (uint64_t i = 0; good && i < range.count; i++) {
            uint64_t at = range.first + i * range.step;
            good = at < n && times[at]++ == 0;
        }
        *smallest = range.count < *smallest ? range.count : *smallest;
        *largest = range.count > *largest ? range.count : *largest;
    }
    for (uint64_t i = 0; good && i < n; i++)
        good = times[i] == 1;
    free(times);
    return good;
}

static void check_partition(uint64_t n, uint64_t R)
{
    static const enum cfsplit_strategy ranged[] = {CFSPLIT_CHUNK, CFSPLIT_STRIPE, CFSPLIT_EVEN};
    for (size_t i = 0; i < 3; i++) {
        uint64_t smallest, largest;
        bool good = is_partition(ranged[i], n, R, &smallest, &largest);
        if (!good)
            printf("\n      %s: n = %" PRIu64 ", R = %" PRIu64, cfsplit_strategy_word(ranged[i]), n, R);
        CHECK(good);
        if (ranged[i] != CFSPLIT_CHUNK)
            CHECK(largest - smallest <= 1);
    }
}

static void test_partitions(void)
{
    struct random r = {2};
    for (uint64_t n = 0; n <= 60; n++)
        for (uint64_t R = 1; R <= 66; R++)
            check_partition(n, R);
    for (int i = 0; i < 2000; i++)
        check_partition(random_below(&r, 5000), 1 + random_below(&r, 600));
}

static void test_huge(void)
{
    struct cfsplit_range range;
    uint64_t n = UINT64_C(1) << 62, sum = 0, R = CFSPLIT_REPLICAS_MAX;
    bool good = true;
    for (uint64_t k = 1; k <= R; k++) {
        good = good && cfsplit_share_range(CFSPLIT_EVEN, n, k, R, &range, &err) == CFSPLIT_OK && range.first == sum;
        sum += range.count;
    }
    CHECK(good && sum == n);
    CHECK_OK(cfsplit_share_range(CFSPLIT_CHUNK, n, R, R, &range, &err));
    CHECK(range.first + range.count == n);
    CHECK_OK(cfsplit_share_range(CFSPLIT_STRIPE, n, R, R, &range, &err));
    CHECK(range.first + (range.count - 1) * range.step < n && range.first + range.count * range.step >= n);
}

static void test_bad_numbers(void)
{
    struct cfsplit_range range;
    CHECK_EQUAL(cfsplit_share_range(CFSPLIT_EVEN, 5, 0, 3, &range, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "replica 0 is not one of 1 to 3");
    CHECK_EQUAL(cfsplit_share_range(CFSPLIT_EVEN, 5, 4, 3, &range, &err), CFSPLIT_USAGE);
    CHECK_EQUAL(cfsplit_share_range(CFSPLIT_EVEN, 5, 1, 0, &range, &err), CFSPLIT_USAGE);
    CHECK_EQUAL(cfsplit_share_range(CFSPLIT_EVEN, 5, 1, CFSPLIT_REPLICAS_MAX + 1, &range, &err), CFSPLIT_USAGE);
    CHECK_EQUAL(cfsplit_share_range(CFSPLIT_HASH, 5, 1, 1, &range, &err), CFSPLIT_USAGE);
    CHECK_EQUAL(cfsplit_share_upstream(CFSPLIT_SIZE, 5, 1, 1, &range, &err), CFSPLIT_USAGE);
}

/* All shares at once: each position once, and in ranges as cfsplit_share_range says. */
static void check_shares(const struct cfsplit_list *list, enum cfsplit_strategy strategy, uint32_t R)
{
    struct cfsplit_shares *shares;
    uint64_t n = cfsplit_list_count(list), total = 0;
    unsigned char *times = calloc(n + 1, 1);
    bool good = true;
    CHECK_OK(cfsplit_shares_new(list, strategy, R, &shares, &err));
    for (uint32_t k = 1; k <= R; k++) {
        uint64_t count;
        struct cfsplit_range range;
        const uint64_t *mine = cfsplit_shares_of(shares, k, &count);
        good = good && (mine == NULL) == (count == 0);
        for (uint64_t i = 0; i < count; i++)
            good = good && mine[i] < n && times[mine[i]]++ == 0;
        if (cfsplit_share_range(strategy, n, k, R, &range, &err) == CFSPLIT_OK)
            good = good && range.count == count &&
                   (count == 0 || mine[count - 1] == range.first + (count - 1) * range.step);
        total += count;
    }
    CHECK(good && total == n);
    cfsplit_shares_free(shares);
    free(times);
}

static void test_all_shares(void)
{
    struct random r = {3};
    for (int round = 0; round < 300; round++) {
        struct cfsplit_list *list = numbered_list(random_below(&r, 200), &r);
        uint32_t R = 1 + (uint32_t)random_below(&r, 70);
        for (enum cfsplit_strategy strategy = CFSPLIT_CHUNK; strategy <= CFSPLIT_HASH; strategy++)
            check_shares(list, strategy, R);
        cfsplit_list_free(list);
    }
}

static void test_no_such_share(void)
{
    struct cfsplit_list *list = numbered_list(3, NULL);
    struct cfsplit_shares *shares;
    uint64_t count = 9;
    CHECK_EQUAL(cfsplit_shares_new(list, CFSPLIT_SIZE, 0, &shares, &err), CFSPLIT_USAGE);
    CHECK(shares == NULL);
    CHECK_OK(cfsplit_shares_new(list, CFSPLIT_SIZE, 2, &shares, &err));
    CHECK(cfsplit_shares_of(shares, 0, &count) == NULL && count == 0);
    CHECK(cfsplit_shares_of(shares, 3, &count) == NULL && count == 0);
    cfsplit_shares_free(shares);
    cfsplit_shares_free(NULL);
    cfsplit_list_free(list);
}

static void test_words(void)
{
    enum cfsplit_strategy strategy;
    CHECK_OK(cfsplit_strategy_find("hash", &strategy, &err));
    CHECK_EQUAL(strategy, CFSPLIT_HASH);
    CHECK_TEXT(cfsplit_strategy_word(CFSPLIT_STRIPE), "stripe");
    CHECK_EQUAL(cfsplit_strategy_find("Hash", &strategy, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "there is no strategy 'Hash'; there are: chunk, stripe, even, size, hash, blocks, queue");
}

static const struct check_case cases[] = {
    {"chunk and stripe answer as the Python client does, bad numbers included", test_python_client},
    {"for all n and R the ranges are a partition, even and stripe within one item", test_partitions},
    {"a list of 2^62 items and a million replicas lose nothing to overflow", test_huge},
    {"a replica that is not in 1..R is an error", test_bad_numbers},
    {"all shares of any list are a partition, for every strategy", test_all_shares},
    {"there is no share of replica 0 or R + 1", test_no_such_share},
    {"strategies have words", test_words},
};

int main(void)
{
    return check_main("shares", cases, sizeof cases / sizeof cases[0]);
}
