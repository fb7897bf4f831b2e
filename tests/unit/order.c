/* Orders: numbered files, each number taken by one. */
#include "rundir/order.h"

#include "lib/rundir.h"

enum { givers = 8, each = 5 };

static void retry_goes_round(void)
{
    struct cfsplit_run *run = rundir_new("round", 40, 1);
    struct csi_reopened items[40], *got;
    size_t count;
    for (uint32_t i = 0; i < 40; i++)
        items[i] = (struct csi_reopened){.index = i, .attempts = UINT32_MAX - i};
    CHECK_EQUAL(csi_order_read_retry(run, 1, &got, &count, &err), CFSPLIT_END);
    CHECK(got == NULL && count == 0);
    CHECK_OK(csi_order_retry(run, items, 40, &err));
    CHECK_OK(csi_order_retry(run, items + 3, 1, &err));
    CHECK_OK(csi_order_retry(run, items, 0, &err));
    CHECK_OK(csi_order_read_retry(run, 1, &got, &count, &err));
    CHECK_EQUAL(count, 40);
    for (size_t i = 0; i < count; i++)
        CHECK(got[i].index == items[i].index && got[i].attempts == items[i].attempts);
    free(got);
    CHECK_OK(csi_order_read_retry(run, 2, &got, &count, &err));
    CHECK(count == 1 && got[0].index == 3);
    free(got);
    CHECK_OK(csi_order_read_retry(run, 3, &got, &count, &err));
    CHECK_EQUAL(count, 0);
    free(got);
    CHECK_EQUAL(csi_order_read_retry(run, 4, &got, &count, &err), CFSPLIT_END);
    cfsplit_run_close(run);
}

static cfsplit_status read_first(const struct cfsplit_run *run)
{
    struct csi_reopened *got;
    size_t count;
    cfsplit_status status = csi_order_read_retry(run, 1, &got, &count, &err);
    CHECK((got == NULL) == (status != CFSPLIT_OK));
    free(got);
    return status;
}

static void damaged_retry_is_found(void)
{
    struct cfsplit_run *run = rundir_new("damaged", 40, 1), *other = rundir_new("other", 40, 1);
    struct csi_reopened items[] = {{1, 1}, {39, 2}};
    const char *file = rundir_name(run, "retry", "1");
    CHECK_OK(csi_order_retry(run, items, 2, &err));
    struct csi_buf bytes = rundir_read(file);
    for (uint64_t bit = 0; bit < 8 * bytes.length; bit++) {
        rundir_flip(file, bit / 8, (int)(bit % 8));
        if (read_first(run) != CFSPLIT_DAMAGED)
            CHECK_EQUAL(bit, -1);
        rundir_flip(file, bit / 8, (int)(bit % 8));
    }
    CHECK_OK(read_first(run));
    for (size_t length = 0; length < bytes.length; length++) {
        scratch_write(file, bytes.data, length);
        if (read_first(run) != CFSPLIT_DAMAGED)
            CHECK_EQUAL(length, -1);
    }
    CHECK_TEXT(err.message, "'retry/1' is damaged at byte 0: not the retry file of this run");
    scratch_write(rundir_name(other, "retry", "1"), bytes.data, bytes.length);
    CHECK_EQUAL(read_first(other), CFSPLIT_DAMAGED);
    csi_buf_release(&bytes);
    cfsplit_run_close(run);
    cfsplit_run_close(other);
}

static void item_that_is_none_is_refused(void)
{
    struct cfsplit_run *run = rundir_new("beyond", 40, 1);
    struct csi_reopened items[] = {{40, 1}};
    CHECK_OK(csi_order_retry(run, items, 1, &err));
    CHECK_EQUAL(read_first(run), CFSPLIT_DAMAGED);
    cfsplit_run_close(run);
}

static void newest_stop_counts(void)
{
    struct cfsplit_run *run = rundir_new("stop", 8, 1);
    uint32_t last;
    bool now = true;
    CHECK_OK(csi_order_last_stop(run, 0, &last, &now, &err));
    CHECK_EQUAL(last, 0);
    CHECK_OK(csi_order_stop(run, false, &err));
    CHECK_OK(csi_order_last_stop(run, 0, &last, &now, &err));
    CHECK(last == 1 && !now);
    CHECK_OK(csi_order_stop(run, false, &err));
    CHECK_OK(csi_order_stop(run, true, &err));
    CHECK_OK(csi_order_last_stop(run, 1, &last, &now, &err));
    CHECK(last == 3 && now);
    CHECK_OK(csi_order_last_stop(run, 3, &last, &now, &err));
    CHECK_EQUAL(last, 3);
    cfsplit_run_close(run);
}

static cfsplit_status read_stop(const struct cfsplit_run *run)
{
    uint32_t last;
    bool now;
    return csi_order_last_stop(run, 0, &last, &now, &err);
}

static void damaged_stop_is_found(void)
{
    struct cfsplit_run *run = rundir_new("stopped", 8, 1), *other = rundir_new("unstopped", 8, 1);
    const char *file = rundir_name(run, "stop", "1");
    CHECK_OK(csi_order_stop(run, true, &err));
    struct csi_buf bytes = rundir_read(file);
    for (uint64_t bit = 0; bit < 8 * bytes.length; bit++) {
        rundir_flip(file, bit / 8, (int)(bit % 8));
        if (read_stop(run) != CFSPLIT_DAMAGED)
            CHECK_EQUAL(bit, -1);
        rundir_flip(file, bit / 8, (int)(bit % 8));
    }
    CHECK_OK(read_stop(run));
    for (size_t length = 0; length < bytes.length; length++) {
        scratch_write(file, bytes.data, length);
        if (read_stop(run) != CFSPLIT_DAMAGED)
            CHECK_EQUAL(length, -1);
    }
    CHECK_TEXT(err.message, "'stop/1' is damaged at byte 0: not a stop file of this run");
    scratch_write(rundir_name(other, "stop", "1"), bytes.data, bytes.length);
    CHECK_EQUAL(read_stop(other), CFSPLIT_DAMAGED);
    csi_buf_release(&bytes);
    cfsplit_run_close(run);
    cfsplit_run_close(other);
}

static int order_at_once(unsigned self)
{
    struct cfsplit_run *run;
    if (cfsplit_run_open("race", &run, &err) != CFSPLIT_OK)
        return 1;
    int bad = 0;
    for (uint32_t i = 0; i < each && !bad; i++) {
        struct csi_reopened item = {.index = self, .attempts = i};
        if (csi_order_retry(run, &item, 1, &err) != CFSPLIT_OK || csi_order_stop(run, self == 0, &err) != CFSPLIT_OK)
            bad = 2;
    }
    cfsplit_run_close(run);
    return bad;
}

static void each_gets_its_own_number(void)
{
    static struct cfsplit_run *run; /* not on the stack, where the racers would lose it */
    run = rundir_new("race", 40, 1);
    uint32_t next[givers] = {0}, last;
    bool now;
    CHECK_EQUAL(rundir_race(givers, order_at_once), 0);
    for (uint32_t n = 1; n <= givers * each; n++) {
        struct csi_reopened *got;
        size_t count;
        CHECK_OK(csi_order_read_retry(run, n, &got, &count, &err));
        CHECK_EQUAL(count, 1);
        CHECK_EQUAL(got[0].attempts, next[got[0].index]++); /* its own, in its order, none lost */
        free(got);
    }
    for (unsigned i = 0; i < givers; i++)
        CHECK_EQUAL(next[i], each);
    CHECK_OK(csi_order_last_stop(run, 0, &last, &now, &err));
    CHECK_EQUAL(last, givers * each);
    cfsplit_run_close(run);
    CHECK_EQUAL(system("test -z \"$(find race -name '.tmp-*')\""), 0);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"a retry file goes round", retry_goes_round},
        {"a damaged retry file and one of another run are found", damaged_retry_is_found},
        {"an item that the run does not have is refused", item_that_is_none_is_refused},
        {"the newest stop counts", newest_stop_counts},
        {"a damaged stop file and one of another run are found", damaged_stop_is_found},
        {"of many that give orders at once, each gets its own numbers", each_gets_its_own_number},
    };
    scratch_enter();
    return check_main("orders", cases, sizeof cases / sizeof *cases);
}
