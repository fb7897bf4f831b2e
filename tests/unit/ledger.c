/* States made from records, in whatever order the journals are read; and what former owners of a piece left. */
#include "rundir/ledger.h"

#include "lib/rundir.h"

static const uint32_t somebody = 7;

static struct csi_record started(uint64_t attempt)
{
    return rundir_start(0, attempt);
}

static struct csi_record ended(uint64_t attempt, enum csi_class class)
{
    struct csi_record record = rundir_end(0, attempt, class);
    record.at = 100 * attempt;
    return record;
}

struct outcome {
    enum cfsplit_state state, open; /* as it is; while its owner is at work */
};

static struct csi_entry entry_of(const struct csi_record *records, size_t count)
{
    struct csi_ledger ledger;
    CHECK_OK(csi_ledger_init(&ledger, 0, 1, &err));
    for (size_t i = 0; i < count; i++)
        csi_ledger_take(&ledger, (uint32_t)records[i].attempt, &records[i], true);
    struct csi_entry entry = ledger.at[0];
    csi_ledger_fini(&ledger);
    return entry;
}

static void check_order(const struct csi_record *records, size_t count, struct outcome wanted)
{
    struct csi_entry entry = entry_of(records, count);
    uint32_t last = 0;
    for (size_t i = 0; i < count; i++)
        last = records[i].attempt > last ? (uint32_t)records[i].attempt : last;
    CHECK_EQUAL(csi_entry_state(&entry, false), wanted.state);
    CHECK_EQUAL(csi_entry_state(&entry, true), wanted.open);
    CHECK_EQUAL(entry.attempts, last);
    CHECK_EQUAL(entry.owner, last);
    CHECK_EQUAL(entry.end_at, entry.ended ? 100 * last : 0);
}

/* The same whatever the order (Heap's permutations). */
static void check_all_orders(struct csi_record *records, size_t count, size_t fixed, struct outcome wanted)
{
    if (fixed == count)
        check_order(records, count, wanted);
    for (size_t i = fixed; i < count; i++) {
        struct csi_record kept = records[fixed];
        records[fixed] = records[i];
        records[i] = kept;
        check_all_orders(records, count, fixed + 1, wanted);
        records[i] = records[fixed];
        records[fixed] = kept;
    }
}

#define ALL_ORDERS(wanted_state, wanted_open, ...)                                                                     \
    do {                                                                                                               \
        struct csi_record records_[] = {__VA_ARGS__};                                                                  \
        check_all_orders(records_, sizeof records_ / sizeof *records_, 0,                                              \
                         (struct outcome){wanted_state, wanted_open});                                                 \
    } while (0)

static void nothing_known_is_pending(void)
{
    struct csi_entry entry = {0};
    CHECK_EQUAL(csi_entry_state(&entry, false), CFSPLIT_PENDING);
    CHECK_EQUAL(csi_entry_state(&entry, true), CFSPLIT_PENDING);
}

static void done_is_for_ever(void)
{
    ALL_ORDERS(CFSPLIT_DONE, CFSPLIT_DONE, started(1), ended(1, CSI_DONE));
    ALL_ORDERS(CFSPLIT_DONE, CFSPLIT_DONE, started(1), ended(1, CSI_FAILED), started(2), ended(2, CSI_DONE));
    ALL_ORDERS(CFSPLIT_DONE, CFSPLIT_DONE, started(1), ended(1, CSI_DONE), started(2), ended(2, CSI_FAILED),
               started(3));
    ALL_ORDERS(CFSPLIT_DONE, CFSPLIT_DONE, ended(1, CSI_DONE), started(2), ended(2, CSI_REJECTED));
}

static void rejected_is_for_ever(void)
{
    ALL_ORDERS(CFSPLIT_REJECTED, CFSPLIT_REJECTED, started(1), ended(1, CSI_REJECTED), started(2), ended(2, CSI_FAILED),
               started(3));
}

static void failed_counts_retries(void)
{
    ALL_ORDERS(CFSPLIT_FAILED, CFSPLIT_FAILED, started(1), ended(1, CSI_FAILED));
    ALL_ORDERS(CFSPLIT_FAILED, CFSPLIT_FAILED, started(1), ended(1, CSI_FAILED), started(2), ended(2, CSI_FAILED));
    ALL_ORDERS(CFSPLIT_FAILED, CFSPLIT_FAILED, started(1), ended(1, CSI_FAILED), started(2), started(3),
               ended(3, CSI_FAILED));
}

static void what_is_to_be_tried_again_is_pending(void)
{
    ALL_ORDERS(CFSPLIT_PENDING, CFSPLIT_PENDING, started(1), ended(1, CSI_RETRY));
    ALL_ORDERS(CFSPLIT_FAILED, CFSPLIT_FAILED, started(1), ended(1, CSI_RETRY), started(2), ended(2, CSI_FAILED));
    struct csi_record records[] = {ended(1, CSI_RETRY), ended(2, CSI_RETRY), ended(3, CSI_FAILED)};
    CHECK_EQUAL(entry_of(records, 3).failures, 3);
}

static void later_and_stopped_cost_nothing(void)
{
    ALL_ORDERS(CFSPLIT_PENDING, CFSPLIT_PENDING, started(1), ended(1, CSI_LATER), started(2), ended(2, CSI_LATER));
    ALL_ORDERS(CFSPLIT_PENDING, CFSPLIT_PENDING, started(1), ended(1, CSI_STOPPED));
    ALL_ORDERS(CFSPLIT_PENDING, CFSPLIT_PENDING, ended(1, CSI_RETRY), ended(2, CSI_STOPPED), ended(3, CSI_LATER));
    struct csi_record records[] = {ended(1, CSI_LATER), ended(2, CSI_STOPPED), ended(3, CSI_LATER)};
    CHECK_EQUAL(entry_of(records, 3).laters, 2);
}

static void running_or_lost(void)
{
    ALL_ORDERS(CFSPLIT_PENDING, CFSPLIT_RUNNING, started(1));
    ALL_ORDERS(CFSPLIT_PENDING, CFSPLIT_RUNNING, started(1), ended(1, CSI_FAILED), started(2));
    ALL_ORDERS(CFSPLIT_PENDING, CFSPLIT_RUNNING, started(1), started(2), ended(1, CSI_LATER), started(3));
}

static void two_ends_done_are_a_duplicate(void)
{
    struct csi_record records[] = {ended(1, CSI_DONE), ended(2, CSI_DONE), ended(3, CSI_DONE)};
    CHECK_EQUAL(entry_of(records, 1).done, 1);
    CHECK_EQUAL(entry_of(records, 2).done, 2);
    CHECK_EQUAL(entry_of(records, 3).done, 2);
}

static void reopened_before_journals(void)
{
    struct csi_ledger ledger;
    struct csi_record records[] = {ended(1, CSI_FAILED), ended(2, CSI_FAILED), started(3), ended(3, CSI_FAILED)};
    CHECK_OK(csi_ledger_init(&ledger, 0, 1, &err));
    csi_entry_reopen(&ledger.at[0], 2);
    csi_entry_reopen(&ledger.at[0], 1); /* an earlier one takes nothing back */
    csi_ledger_take(&ledger, somebody, &records[1], true);
    csi_ledger_take(&ledger, somebody, &records[0], true);
    CHECK_EQUAL(csi_entry_state(&ledger.at[0], false), CFSPLIT_PENDING);
    csi_ledger_take(&ledger, somebody, &records[2], true);
    CHECK_EQUAL(csi_entry_state(&ledger.at[0], true), CFSPLIT_RUNNING);
    csi_ledger_take(&ledger, somebody, &records[3], true);
    CHECK_EQUAL(csi_entry_state(&ledger.at[0], false), CFSPLIT_FAILED);
    csi_ledger_fini(&ledger);
}

static void reopened_after_journals(void)
{
    struct csi_ledger ledger;
    struct csi_record fail = ended(1, CSI_FAILED), again = ended(2, CSI_FAILED), good = ended(3, CSI_DONE);
    CHECK_OK(csi_ledger_init(&ledger, 0, 1, &err));
    csi_ledger_take(&ledger, somebody, &fail, true);
    csi_entry_reopen(&ledger.at[0], 1);
    CHECK_EQUAL(csi_entry_state(&ledger.at[0], false), CFSPLIT_PENDING);
    csi_ledger_take(&ledger, somebody, &again, true);
    CHECK_EQUAL(csi_entry_state(&ledger.at[0], false), CFSPLIT_FAILED);
    csi_entry_reopen(&ledger.at[0], 1); /* heard of again: it was started since */
    CHECK_EQUAL(csi_entry_state(&ledger.at[0], false), CFSPLIT_FAILED);
    csi_entry_reopen(&ledger.at[0], 2);
    csi_ledger_take(&ledger, somebody, &good, true);
    csi_entry_reopen(&ledger.at[0], 3);
    CHECK_EQUAL(csi_entry_state(&ledger.at[0], false), CFSPLIT_DONE);
    csi_ledger_fini(&ledger);
}

/* Which says nothing of the item whose number is that of the epoch. */
static void bound_is_no_end(void)
{
    struct csi_ledger ledger;
    struct csi_record bound = {.kind = CSI_RECORD_BOUND, .index = 1}, start = rundir_start(1, 1);
    CHECK_OK(csi_ledger_init(&ledger, 0, 3, &err));
    csi_ledger_take(&ledger, somebody, &bound, true);
    CHECK_EQUAL(csi_ledger_at(&ledger, 1)->attempts, 0);
    csi_ledger_take(&ledger, somebody, &start, true);
    csi_ledger_take(&ledger, somebody, &bound, true);
    CHECK_EQUAL(csi_ledger_at(&ledger, 1)->attempts, 1);
    CHECK_EQUAL(csi_entry_state(csi_ledger_at(&ledger, 1), true), CFSPLIT_RUNNING);
    csi_ledger_fini(&ledger);
}

static void only_its_own_range_counts(void)
{
    struct csi_ledger ledger;
    CHECK_OK(csi_ledger_init(&ledger, 10, 3, &err));
    for (uint64_t i = 0; i < 30; i++) {
        struct csi_record record = rundir_end(i, 1, CSI_DONE);
        csi_ledger_take(&ledger, somebody, &record, true);
    }
    struct csi_record far = rundir_end(11, UINT64_C(1) << 32, CSI_FAILED);
    struct csi_record released = {.kind = CSI_RECORD_RELEASED, .index = 12, .attempt = 9};
    csi_ledger_take(&ledger, somebody, &far, true);
    csi_ledger_take(&ledger, somebody, &released, true);
    CHECK(csi_ledger_at(&ledger, 9) == NULL && csi_ledger_at(&ledger, 13) == NULL);
    for (uint64_t i = 10; i < 13; i++)
        CHECK(csi_ledger_at(&ledger, i)->done == 1 && csi_ledger_at(&ledger, i)->attempts == 1);
    csi_ledger_fini(&ledger);
}

/* ---- from files */

static struct cfsplit_run *run;

static void close_journal(struct csi_journal *j)
{
    rundir_put(j, (struct csi_record){.kind = CSI_RECORD_CLOSED, .text = "finished", .text_length = 8});
    CHECK_OK(csi_journal_close(j, &err));
}

/* Reads piece 0 (claim 1) of `inc` into a new ledger, the entry of item 0. */
static struct csi_entry read_holding(const struct csi_inc *inc, struct csi_holding *holding)
{
    struct csi_ledger ledger;
    CHECK_OK(csi_ledger_init(&ledger, 0, 5, &err));
    CHECK_OK(csi_ledger_take_retries(&ledger, run, &err));
    CHECK_OK(csi_ledger_read(&ledger, run, inc, 0, 1, holding, &err));
    struct csi_entry entry = ledger.at[0];
    csi_ledger_fini(&ledger);
    return entry;
}

static void piece_is_given_back(void)
{
    struct csi_inc inc = rundir_inc(run, 1), other = rundir_inc(run, 1);
    struct csi_journal j;
    struct csi_holding holding;
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    rundir_put(&j, started(1));
    rundir_put(&j, (struct csi_record){.kind = CSI_RECORD_RELEASED, .index = 0, .attempt = 2});
    rundir_put(&j, (struct csi_record){.kind = CSI_RECORD_RELEASED, .index = 1, .attempt = 1});
    rundir_put(&j, (struct csi_record){.kind = CSI_RECORD_BOUND, .index = 1, .attempt = 7});
    struct csi_entry entry = read_holding(&inc, &holding);
    CHECK(!holding.given_back && entry.attempts == 1 && !entry.ended);
    rundir_put(&j, ended(1, CSI_DONE));
    rundir_put(&j, (struct csi_record){.kind = CSI_RECORD_RELEASED, .index = 0, .attempt = 1});
    entry = read_holding(&inc, &holding);
    CHECK(holding.given_back && entry.done == 1);
    CHECK_EQUAL(holding.length, j.length);
    close_journal(&j);
    CHECK_OK(csi_journal_open(&j, run, &other, &err));
    read_holding(&other, &holding);
    CHECK(!holding.given_back);
    close_journal(&j);
    read_holding(&other, &holding);
    CHECK(holding.given_back);
}

static void unsettled_under_a_fence_without_seal(void)
{
    struct csi_inc inc = rundir_inc(run, 1), by = rundir_inc(run, 2);
    struct csi_journal j;
    struct csi_holding holding;
    struct csi_seal seal;
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    rundir_put(&j, started(1));
    rundir_put(&j, ended(1, CSI_DONE));
    close_journal(&j);
    CHECK(link(rundir_name(run, "replicas", by.name), rundir_name(run, "fence", inc.name)) == 0);
    struct csi_entry entry = read_holding(&inc, &holding);
    CHECK_EQUAL(holding.seal.state, CSI_FENCE_UNSEALED);
    CHECK(!holding.given_back); /* although it is closed: it might be done, and must not be started */
    CHECK_EQUAL(csi_entry_state(&entry, true), CFSPLIT_RUNNING);
    CHECK_OK(csi_fence_end(run, &by, &inc, &seal, &err));
    entry = read_holding(&inc, &holding);
    CHECK(holding.given_back);
    CHECK_EQUAL(csi_entry_state(&entry, true), CFSPLIT_DONE);
}

static void beyond_the_seal_is_not_read(void)
{
    struct csi_inc inc = rundir_inc(run, 1), by = rundir_inc(run, 2);
    struct csi_journal j;
    struct csi_holding holding;
    struct csi_seal seal;
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    rundir_put(&j, started(1));
    CHECK_OK(csi_fence_end(run, &by, &inc, &seal, &err));
    CHECK_EQUAL(seal.length, j.length);
    rundir_put(&j, ended(1, CSI_DONE));
    close_journal(&j);
    struct csi_entry entry = read_holding(&inc, &holding);
    CHECK(holding.given_back);
    CHECK_EQUAL(holding.length, seal.length);
    CHECK_EQUAL(csi_entry_state(&entry, false), CFSPLIT_PENDING);
}

static void retry_files_come_first(void)
{
    struct csi_inc inc = rundir_inc(run, 1);
    struct csi_journal j;
    struct csi_holding holding;
    struct csi_ledger ledger;
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    rundir_put(&j, ended(1, CSI_FAILED));
    CHECK_EQUAL(read_holding(&inc, &holding).failures, 1);
    struct csi_reopened items[] = {{0, 1}, {7, 3}};
    CHECK_OK(csi_order_retry(run, items, 2, &err));
    CHECK_EQUAL(read_holding(&inc, &holding).failures, 0);
    CHECK_OK(csi_journal_close(&j, &err));
    CHECK_OK(csi_ledger_init(&ledger, 7, 1, &err));
    CHECK_OK(csi_ledger_take_retries(&ledger, run, &err));
    CHECK_OK(csi_ledger_take_retries(&ledger, run, &err));
    CHECK_EQUAL(ledger.retry_seen, 1);
    CHECK_EQUAL(ledger.at[0].reopened, 3);
    csi_ledger_fini(&ledger);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"an item of which nothing is known is pending", nothing_known_is_pending},
        {"done once is done for ever, in any order", done_is_for_ever},
        {"rejected is for ever, in any order", rejected_is_for_ever},
        {"a failed item is pending while retries are left, in any order", failed_counts_retries},
        {"a failure that is to be tried again is pending", what_is_to_be_tried_again_is_pending},
        {"put off and stopped attempts cost no retry, in any order", later_and_stopped_cost_nothing},
        {"a start without an end runs, or was lost with its replica", running_or_lost},
        {"a second end that says done is a duplicate", two_ends_done_are_a_duplicate},
        {"reopened before its journals are read, an item has its failures forgiven", reopened_before_journals},
        {"reopened after its journals were read, an item has its failures forgiven", reopened_after_journals},
        {"a bound line says nothing of any item", bound_is_no_end},
        {"a ledger takes starts and ends of its own items only", only_its_own_range_counts},
        {"a piece is given back by its release and by the end of a journal", piece_is_given_back},
        {"ends under a fence without a seal are unsettled, and the piece is not free",
         unsettled_under_a_fence_without_seal},
        {"what was written beyond a seal is not read, not even that the journal was closed",
         beyond_the_seal_is_not_read},
        {"retry files are taken in once, and before the journals", retry_files_come_first},
    };
    scratch_enter();
    run = rundir_new("run", 40, 1);
    int failed = check_main("the ledger", cases, sizeof cases / sizeof *cases);
    cfsplit_run_close(run);
    return failed;
}
