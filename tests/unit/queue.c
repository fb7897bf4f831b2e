/* The queue: what it hands out to whom, and what comes back. */
#include "queue/queue.h"

#include "lib/rundir.h"

enum { slow_us = 1000000 };

static struct csi_ledger ledger;
static struct csi_queue *queue;
static uint64_t now_ms;

static void queue_new(uint64_t count, struct csi_queue_options options)
{
    now_ms = 1000;
    CHECK_OK(csi_ledger_init(&ledger, 0, count, &err));
    CHECK_OK(csi_queue_new(&options, &ledger, &queue, &err));
    CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
}

/* The same, with all items opened. */
static void queue_open(uint64_t count, struct csi_queue_options options)
{
    queue_new(count, options);
    CHECK_OK(csi_queue_open_piece(queue, 0, count, now_ms, &err));
}

static void queue_close(void)
{
    csi_queue_free(queue);
    csi_ledger_fini(&ledger);
}

static uint32_t join(uint64_t slots, uint64_t wanted)
{
    uint32_t worker;
    CHECK_OK(csi_queue_join(queue, slots, &worker, &err));
    csi_queue_want(queue, worker, wanted);
    return worker;
}

static struct csi_queue_batch next(void)
{
    struct csi_queue_batch batch;
    if (!csi_queue_next(queue, now_ms, &batch))
        batch.count = 0;
    return batch;
}

/* One item goes to that worker; the index of it. */
static uint64_t next_to(uint32_t worker)
{
    struct csi_queue_batch batch = next();
    CHECK_EQUAL(batch.count, 1);
    CHECK_EQUAL(batch.worker, worker);
    return batch.items[0].index;
}

static bool end(uint32_t worker, uint64_t index, uint64_t attempt, enum csi_class class)
{
    struct csi_record record = rundir_end(index, attempt, class);
    return csi_queue_end(queue, worker, &record, slow_us, now_ms);
}

static struct csi_queue_counts counts(void)
{
    struct csi_queue_counts out;
    csi_queue_count(queue, &out);
    return out;
}

static void by_index(void)
{
    queue_new(6, (struct csi_queue_options){0});
    uint32_t worker = join(1, 10);
    CHECK_EQUAL(next().count, 0);
    CHECK_OK(csi_queue_open_piece(queue, 3, 3, now_ms, &err));
    CHECK_EQUAL(next_to(worker), 3);
    CHECK_OK(csi_queue_open_piece(queue, 0, 3, now_ms, &err));
    for (uint64_t i = 0; i < 3; i++)
        CHECK_EQUAL(next_to(worker), i);
    CHECK_EQUAL(next_to(worker), 4);
    CHECK_EQUAL(next_to(worker), 5);
    CHECK_EQUAL(next().count, 0);
    CHECK_EQUAL(counts().held, 6);
    CHECK_EQUAL(counts().wanted, 4);
    queue_close();
}

static void ends_close(void)
{
    queue_open(4, (struct csi_queue_options){0});
    uint32_t worker = join(1, 4), other = join(1, 0);
    for (uint64_t i = 0; i < 4; i++)
        CHECK_EQUAL(next_to(worker), i);
    CHECK(!end(other, 0, 1, CSI_DONE));
    CHECK(!end(worker, 0, 2, CSI_DONE));
    CHECK(!end(worker, 4, 1, CSI_DONE));
    CHECK(!end(other + 1, 0, 1, CSI_DONE));
    CHECK(!end(CSI_QUEUE_NOBODY, 0, 1, CSI_DONE));
    CHECK_EQUAL(ledger.at[0].attempts, 0);
    CHECK(end(worker, 0, 1, CSI_DONE));
    CHECK(!end(worker, 0, 1, CSI_DONE));
    CHECK(end(worker, 1, 1, CSI_REJECTED));
    CHECK(end(worker, 2, 1, CSI_FAILED));
    CHECK(end(worker, 3, 1, CSI_SET_ASIDE));
    CHECK_EQUAL(counts().waiting + counts().held, 0);
    CHECK_EQUAL(csi_entry_state(&ledger.at[0], false), CFSPLIT_DONE);
    CHECK_EQUAL(csi_entry_state(&ledger.at[1], false), CFSPLIT_REJECTED);
    CHECK_EQUAL(csi_entry_state(&ledger.at[2], false), CFSPLIT_FAILED);
    CHECK_EQUAL(csi_entry_state(&ledger.at[3], false), CFSPLIT_SET_ASIDE);
    queue_close();
}

static void settled(void)
{
    queue_open(5, (struct csi_queue_options){0});
    uint32_t worker = join(1, 4), other = join(1, 0);
    struct csi_record start = rundir_start(1, 1);
    for (uint64_t i = 0; i < 3; i++)
        CHECK_EQUAL(next_to(worker), i);
    csi_queue_record(queue, worker, &start, now_ms);
    csi_queue_settle(queue, worker);
    CHECK_EQUAL(counts().held, 1);
    CHECK_EQUAL(counts().wanted, 0);
    csi_queue_want(queue, other, 3);
    CHECK_EQUAL(next_to(other), 0);
    CHECK_EQUAL(next_to(other), 2);
    CHECK_EQUAL(next_to(other), 3);
    CHECK(!end(worker, 2, 1, CSI_DONE));
    CHECK(end(worker, 1, 1, CSI_DONE));
    queue_close();
}

static void left(void)
{
    queue_open(3, (struct csi_queue_options){0});
    uint32_t worker = join(1, 9), other;
    struct csi_record start = rundir_start(0, 1);
    for (uint64_t i = 0; i < 2; i++)
        CHECK_EQUAL(next_to(worker), i);
    csi_queue_record(queue, worker, &start, now_ms);
    csi_queue_leave(queue, worker);
    CHECK_EQUAL(counts().held, 0);
    CHECK_EQUAL(counts().wanted, 0);
    CHECK_EQUAL(counts().waiting, 3);
    other = join(1, 9);
    CHECK_EQUAL(next_to(other), 1);
    CHECK_EQUAL(next_to(other), 2);
    CHECK_EQUAL(next().count, 0);
    CHECK(end(other, 1, 1, CSI_DONE));
    CHECK_EQUAL(next().count, 0);
    CHECK(end(other, 2, 1, CSI_DONE));
    struct csi_queue_batch batch = next();
    CHECK_EQUAL(batch.count, 1);
    CHECK_EQUAL(batch.items[0].index, 0);
    CHECK_EQUAL(batch.items[0].attempt, 2);
    CHECK(batch.items[0].alone && !batch.items[0].aside);
    queue_close();
}

/* ---- again, later, last */

static void again_behind_fresh(void)
{
    queue_open(3, (struct csi_queue_options){0});
    uint32_t worker = join(1, 9);
    CHECK_EQUAL(next_to(worker), 0);
    CHECK(end(worker, 0, 1, CSI_RETRY));
    CHECK_EQUAL(next_to(worker), 1);
    CHECK(end(worker, 1, 1, CSI_STOPPED));
    CHECK_EQUAL(next_to(worker), 1);
    CHECK_EQUAL(next_to(worker), 2);
    struct csi_queue_batch batch = next();
    CHECK_EQUAL(batch.items[0].index, 0);
    CHECK_EQUAL(batch.items[0].attempt, 2);
    CHECK_EQUAL(ledger.at[0].failures, 1);
    CHECK_EQUAL(ledger.at[1].failures, 0);
    queue_close();
}

static void later_backs_off(void)
{
    static const uint64_t waits_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
    queue_open(1, (struct csi_queue_options){0});
    uint32_t worker = join(1, 99);
    CHECK_EQUAL(csi_queue_due_ms(queue), UINT64_MAX);
    for (uint64_t n = 0; n < 9; n++) {
        CHECK_EQUAL(next_to(worker), 0);
        CHECK(end(worker, 0, n + 1, CSI_LATER));
        CHECK_EQUAL(csi_queue_due_ms(queue), now_ms + waits_ms[n]);
        CHECK_EQUAL(counts().waiting, 1);
        now_ms += waits_ms[n] - 1;
        CHECK_EQUAL(next().count, 0);
        now_ms++;
    }
    CHECK_EQUAL(next_to(worker), 0);
    CHECK(end(worker, 0, 10, CSI_LATER));
    now_ms += 1000000;
    CHECK_EQUAL(next().count, 0);
    CHECK_EQUAL(counts().put_off, 1);
    CHECK_EQUAL(counts().waiting, 0);
    CHECK_EQUAL(csi_queue_due_ms(queue), UINT64_MAX);
    queue_close();
}

static void due_in_order(void)
{
    queue_open(3, (struct csi_queue_options){0});
    now_ms = (UINT64_C(1) << 32) - 1500; /* due on either side of 32 bits */
    uint32_t worker = join(1, 99);
    for (uint64_t i = 0; i < 3; i++)
        CHECK_EQUAL(next_to(worker), i);
    ledger.at[0].laters = 1;
    CHECK(end(worker, 0, 1, CSI_LATER)); /* 2 s */
    now_ms += 600;
    CHECK(end(worker, 2, 1, CSI_LATER)); /* 1 s: due before it */
    now_ms += 600;
    CHECK(end(worker, 1, 1, CSI_LATER)); /* 1 s: behind both */
    now_ms += 1000000;
    CHECK_EQUAL(next_to(worker), 2);
    CHECK_EQUAL(next_to(worker), 0);
    CHECK_EQUAL(next_to(worker), 1);
    queue_close();
}

static void suspect_needs_an_empty_worker(void)
{
    queue_open(4, (struct csi_queue_options){0});
    uint32_t a = join(2, 3), b = join(2, 3);
    CHECK_EQUAL(next_to(a), 0);
    CHECK_EQUAL(next_to(b), 1);
    CHECK_EQUAL(next_to(a), 2);
    CHECK_EQUAL(next_to(b), 3);
    CHECK(end(a, 0, 1, CSI_CRASHED));
    CHECK_EQUAL(counts().waiting, 1);
    CHECK_EQUAL(next().count, 0); /* both hold something */
    CHECK(end(b, 1, 1, CSI_RETRY));
    CHECK_EQUAL(next_to(a), 1); /* what is not suspect goes first */
    CHECK(end(b, 3, 1, CSI_LATER));
    CHECK_EQUAL(next().count, 0); /* and so does what is due later */
    now_ms += 1000;
    CHECK_EQUAL(next_to(b), 3);
    CHECK(end(b, 3, 2, CSI_DONE));
    csi_queue_want(queue, b, 2);
    struct csi_queue_batch batch = next();
    CHECK_EQUAL(batch.worker, b);
    CHECK_EQUAL(batch.items[0].index, 0);
    CHECK(batch.items[0].alone);
    CHECK(end(a, 2, 1, CSI_RETRY));
    csi_queue_want(queue, a, 1);
    CHECK_EQUAL(next_to(a), 2); /* others go on */
    CHECK(end(a, 2, 2, CSI_RETRY));
    CHECK_EQUAL(next().count, 0); /* b asked, and has a suspect */
    CHECK(end(b, 0, 2, CSI_DONE));
    CHECK_EQUAL(next_to(b), 2);
    queue_close();
}

static void crashes_are_counted(void)
{
    queue_open(2, (struct csi_queue_options){.crash_limit = 2});
    uint32_t a = join(1, 9), b = join(1, 0);
    CHECK_EQUAL(next_to(a), 0);
    CHECK_EQUAL(next_to(a), 1);
    csi_queue_want(queue, b, 9);
    CHECK(end(a, 0, 1, CSI_CRASHED)); /* was not alone */
    CHECK_EQUAL(ledger.at[0].deaths, 0);
    for (uint64_t n = 2; n <= 3; n++) {
        CHECK_EQUAL(next_to(b), 0);
        CHECK(end(b, 0, n, CSI_CRASHED)); /* the start is heard of after the end, if at all */
        CHECK_EQUAL(ledger.at[0].deaths, n - 1);
    }
    struct csi_queue_batch batch = next();
    CHECK_EQUAL(batch.worker, a); /* which holds another */
    CHECK_EQUAL(batch.items[0].index, 0);
    CHECK_EQUAL(batch.items[0].attempt, 3); /* it is not started again */
    CHECK(batch.items[0].aside && !batch.items[0].alone);
    csi_queue_leave(queue, a);
    CHECK_EQUAL(ledger.at[0].deaths, 2); /* that charges nothing to what it was to set aside */
    batch = next();
    CHECK_EQUAL(batch.worker, b);
    CHECK_EQUAL(batch.count, 1);
    CHECK(batch.items[0].aside);
    CHECK(!end(b, 0, 3, CSI_CRASHED)); /* that is of the attempt before */
    csi_queue_record(queue, b, &(struct csi_record){.kind = CSI_RECORD_START, .attempt = 3, .alone = 1}, now_ms);
    csi_queue_record(queue, b, &(struct csi_record){.kind = CSI_RECORD_END, .attempt = 3, .class = CSI_CRASHED},
                     now_ms);
    CHECK_EQUAL(ledger.at[0].deaths, 2);
    CHECK(end(b, 0, 3, CSI_SET_ASIDE));
    CHECK_EQUAL(csi_entry_state(&ledger.at[0], false), CFSPLIT_SET_ASIDE);
    queue_close();
}

static void never_aside(void)
{
    queue_open(1, (struct csi_queue_options){.crash_limit = 0});
    uint32_t worker = join(1, 99);
    for (uint64_t n = 1; n <= 20; n++) {
        struct csi_queue_batch batch = next();
        CHECK_EQUAL(batch.items[0].alone, n > 1);
        CHECK(!batch.items[0].aside);
        CHECK(end(worker, 0, n, CSI_CRASHED));
    }
    queue_close();
}

static void returned_suspect(void)
{
    queue_open(3, (struct csi_queue_options){0});
    uint32_t worker = join(3, 3);
    for (uint64_t i = 0; i < 3; i++)
        CHECK_EQUAL(next_to(worker), i);
    for (uint64_t i = 0; i < 3; i++)
        CHECK(end(worker, i, 1, CSI_CRASHED));
    csi_queue_want(queue, worker, 1);
    CHECK_EQUAL(next_to(worker), 0);
    csi_queue_settle(queue, worker); /* it had not started it */
    csi_queue_want(queue, worker, 1);
    struct csi_queue_batch batch = next();
    CHECK_EQUAL(batch.items[0].index, 0);
    CHECK(batch.items[0].alone);
    CHECK_EQUAL(batch.items[0].attempt, 2);
    queue_close();
}

/* ---- journals */

static void record(uint32_t worker, struct csi_record record)
{
    csi_queue_record(queue, worker, &record, now_ms);
}

static void journal_repeats(void)
{
    queue_open(2, (struct csi_queue_options){0});
    uint32_t a = join(1, 2), b = join(1, 0);
    CHECK_EQUAL(next_to(a), 0);
    CHECK_EQUAL(next_to(a), 1);
    record(b, rundir_start(0, 1)); /* it does not hold it */
    CHECK_EQUAL(ledger.at[0].attempts, 0);
    record(a, rundir_start(0, 1));
    CHECK(end(a, 0, 1, CSI_RETRY));
    record(a, rundir_start(0, 1));
    record(a, rundir_end(0, 1, CSI_RETRY));
    CHECK_EQUAL(ledger.at[0].failures, 1);
    csi_queue_want(queue, b, 1);
    CHECK_EQUAL(next_to(b), 0);
    record(a, rundir_start(0, 1));
    record(a, rundir_end(0, 1, CSI_RETRY));
    CHECK_EQUAL(ledger.at[0].failures, 1);
    record(b, rundir_start(0, 2));
    record(a, rundir_end(0, 1, CSI_RETRY));
    CHECK_EQUAL(ledger.at[0].failures, 1);
    CHECK_EQUAL(ledger.at[0].attempts, 2);
    CHECK(!ledger.at[0].ended);
    record(b, rundir_end(0, 2, CSI_DONE)); /* its message was lost */
    CHECK(!end(b, 0, 2, CSI_DONE));        /* or comes late */
    CHECK_EQUAL(csi_entry_state(&ledger.at[0], false), CFSPLIT_DONE);
    record(a, rundir_end(1, 1, CSI_DONE)); /* its start was not heard of */
    CHECK_EQUAL(ledger.at[1].done, 1);
    CHECK_EQUAL(counts().held + counts().waiting, 0);
    queue_close();
}

static void other_pieces(void)
{
    queue_new(5, (struct csi_queue_options){0});
    uint32_t worker = join(1, 9);
    record(worker, rundir_start(0, 1));
    record(worker, rundir_end(0, 1, CSI_DONE));
    record(worker, rundir_start(1, 1));
    record(worker, rundir_end(1, 1, CSI_RETRY));
    record(worker, rundir_end(1, 1, CSI_RETRY));
    record(worker, rundir_start(2, 1));
    record(worker, rundir_start(4, 1));
    record(worker, rundir_end(4, 1, CSI_CRASHED));
    record(worker, rundir_end(4, 1, CSI_SET_ASIDE)); /* with the number of the last attempt */
    record(worker, rundir_end(4, 1, CSI_CRASHED));
    CHECK_EQUAL(csi_entry_state(&ledger.at[4], false), CFSPLIT_SET_ASIDE);
    CHECK_EQUAL(ledger.at[0].done, 1);
    CHECK_EQUAL(ledger.at[1].failures, 1);
    CHECK_EQUAL(counts().held, 0);
    csi_queue_leave(queue, worker);
    CHECK_OK(csi_queue_open_piece(queue, 0, 5, now_ms, &err));
    CHECK_EQUAL(counts().waiting, 3);
    worker = join(1, 9);
    CHECK_EQUAL(next_to(worker), 1);
    CHECK_EQUAL(next_to(worker), 3);
    CHECK_EQUAL(next().count, 0);
    CHECK(end(worker, 1, 2, CSI_DONE) && end(worker, 3, 1, CSI_DONE));
    CHECK_EQUAL(next_to(worker), 2); /* died while it ran */
    queue_close();
}

static void waiting_is_closed_by_a_journal(void)
{
    queue_open(2, (struct csi_queue_options){0});
    uint32_t worker = join(1, 9);
    record(worker, rundir_end(0, 1, CSI_DONE));
    CHECK_EQUAL(next_to(worker), 1);
    CHECK_EQUAL(next().count, 0);
    queue_close();
}

static void held_from_before(void)
{
    queue_new(4, (struct csi_queue_options){.crash_limit = 1});
    struct csi_record started[] = {rundir_start(0, 1), rundir_start(1, 1), rundir_start(2, 1), rundir_start(3, 1),
                                   rundir_end(3, 1, CSI_RETRY)};
    started[1].alone = 1;
    for (size_t i = 0; i < 5; i++)
        csi_ledger_take(&ledger, 7, &started[i], true);
    uint32_t a = join(1, 9), b = join(1, 9);
    CHECK_OK(csi_queue_hold(queue, a, 0, &err));
    CHECK_OK(csi_queue_hold(queue, a, 0, &err));
    CHECK_OK(csi_queue_hold(queue, b, 1, &err));
    CHECK_OK(csi_queue_hold(queue, a, 3, &err)); /* has ended */
    CHECK_EQUAL(csi_queue_hold(queue, b, 0, &err), CFSPLIT_DAMAGED);
    CHECK_EQUAL(csi_queue_hold(queue, b, 4, &err), CFSPLIT_USAGE);
    CHECK_EQUAL(csi_queue_hold(queue, b + 1, 0, &err), CFSPLIT_USAGE);
    CHECK_EQUAL(counts().held, 2);
    csi_queue_settle(queue, a);
    CHECK_EQUAL(counts().held, 2);
    csi_queue_want(queue, a, 9);
    CHECK_OK(csi_queue_open_piece(queue, 0, 4, now_ms, &err));
    CHECK_EQUAL(counts().waiting, 2);
    CHECK_EQUAL(next_to(a), 3);
    CHECK_EQUAL(next().count, 0);
    CHECK(end(a, 3, 2, CSI_DONE));
    CHECK_EQUAL(next().count, 0); /* item 2 is suspect, a holds item 0, and b has item 1 alone */
    csi_queue_leave(queue, b);
    struct csi_queue_batch batch = next();
    CHECK_EQUAL(batch.items[0].index, 1);
    CHECK(batch.items[0].aside);
    CHECK(end(a, 0, 1, CSI_DONE));
    CHECK(end(a, 1, 1, CSI_SET_ASIDE));
    CHECK_EQUAL(next_to(a), 2);
    CHECK(end(a, 2, 2, CSI_DONE));
    CHECK_EQUAL(counts().held + counts().waiting, 0);
    queue_close();
}

static void reopened(void)
{
    queue_open(3, (struct csi_queue_options){.crash_limit = 1});
    uint32_t worker = join(1, 9);
    CHECK_EQUAL(next_to(worker), 0);
    CHECK(end(worker, 0, 1, CSI_FAILED));
    CHECK_OK(csi_queue_reopen(queue, 0, 1, now_ms, &err));
    CHECK_EQUAL(next_to(worker), 1);
    CHECK_OK(csi_queue_reopen(queue, 1, 1, now_ms, &err)); /* it failed, and we did not hear of it yet */
    CHECK(end(worker, 1, 1, CSI_FAILED));
    CHECK_EQUAL(next_to(worker), 2);
    CHECK(end(worker, 2, 1, CSI_CRASHED));
    CHECK_OK(csi_queue_reopen(queue, 2, 1, now_ms, &err)); /* no suspect any more */
    CHECK_EQUAL(next_to(worker), 0);
    CHECK(end(worker, 0, 2, CSI_DONE));
    CHECK_OK(csi_queue_reopen(queue, 0, 2, now_ms, &err)); /* done is for ever */
    CHECK_EQUAL(next_to(worker), 1);
    struct csi_queue_batch batch = next();
    CHECK_EQUAL(batch.items[0].index, 2);
    CHECK(!batch.items[0].alone && !batch.items[0].aside);
    CHECK_EQUAL(next().count, 0);
    CHECK_EQUAL(csi_queue_reopen(queue, 3, 1, now_ms, &err), CFSPLIT_USAGE);
    queue_close();
}

static void grows(void)
{
    queue_open(70, (struct csi_queue_options){.batch = 64});
    uint32_t worker = join(1, 9000);
    CHECK_EQUAL(csi_queue_open_piece(queue, 60, 11, now_ms, &err), CFSPLIT_USAGE);
    struct csi_entry *more = realloc(ledger.at, 5000 * sizeof *more);
    CU_ASSERT_PTR_NOT_NULL_FATAL(more);
    memset(more + 70, 0, 4930 * sizeof *more);
    ledger.at = more;
    ledger.count = 5000;
    CHECK_OK(csi_queue_grow(queue, &err));
    CHECK_OK(csi_queue_open_piece(queue, 70, 4930, now_ms, &err));
    uint64_t wanted = 0;
    for (struct csi_queue_batch batch = next(); batch.count > 0; batch = next())
        for (size_t i = 0; i < batch.count; i++)
            CHECK_EQUAL(batch.items[i].index, wanted++);
    CHECK_EQUAL(wanted, 5000);
    CHECK_EQUAL(counts().held, 5000);
    csi_queue_leave(queue, worker);
    CHECK_EQUAL(counts().waiting, 5000);
    queue_close();
}

/* ---- how many, to whom */

/* A queue that has learned how long items take. */
static uint32_t queue_timed(uint64_t count, struct csi_queue_options options, uint64_t took_us)
{
    queue_open(count, options);
    uint32_t worker = join(1, 1);
    struct csi_queue_batch batch = next();
    CHECK_EQUAL(batch.count, 1);
    CHECK_EQUAL(batch.ahead, options.batch ? 2 * options.batch : 0); /* nobody knows yet */
    struct csi_record done = rundir_end(batch.items[0].index, 1, CSI_DONE);
    CHECK(csi_queue_end(queue, worker, &done, took_us, now_ms));
    CHECK_EQUAL(counts().mean_us, took_us ? took_us : 1);
    csi_queue_want(queue, worker, 1000);
    return worker;
}

static void sized_by_time(void)
{
    static const struct {
        uint64_t took_us, count, ahead;
    } cases[] = {{0, 64, 384},  {31, 64, 384}, {32, 62, 124},  {40, 50, 100},    {100, 20, 40},
                 {500, 16, 32}, {999, 16, 32}, {2000, 10, 20}, {10000, 2, 4},    {19999, 1, 2},
                 {20000, 1, 1}, {99999, 1, 1}, {100000, 1, 0}, {900000000, 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        queue_timed(10000, (struct csi_queue_options){0}, cases[i].took_us);
        struct csi_queue_batch batch = next();
        CHECK_EQUAL(batch.count, cases[i].count);
        CHECK_EQUAL(batch.ahead, cases[i].ahead);
        queue_close();
    }
}

static void plenty(void)
{
    for (uint64_t workers = 2; workers <= 3; workers++) {
        queue_timed(10000, (struct csi_queue_options){0}, 10);
        for (uint64_t i = 1; i < workers; i++)
            join(1, 1000);
        CHECK_EQUAL(next().ahead, workers == 2 ? 384 : 128); /* 4999.5 a worker, 3333 */
        queue_close();
    }
}

/* 512 slots ask no more than 5,000 times a second, but not for much of what there is for each. */
static void sized_by_slots(void)
{
    static const struct {
        uint64_t took_us, each, count;
    } cases[] = {{10000, 400, 10}, {10000, 40, 5}, {10000, 10, 2}, {1500, 1000, 64}, {500, 400, 50}, {40000, 400, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        queue_timed(512 * cases[i].each + 1, (struct csi_queue_options){0}, cases[i].took_us);
        for (int j = 1; j < 512; j++)
            join(1, 1000);
        CHECK_EQUAL(next().count, cases[i].count);
        queue_close();
    }
}

static void sized_by_option(void)
{
    static const uint64_t took_us[] = {10, 900000};
    for (int i = 0; i < 2; i++) {
        queue_open(1000, (struct csi_queue_options){.batch = 7});
        uint32_t worker = join(1, 1000);
        struct csi_queue_batch batch = next();
        CHECK_EQUAL(batch.count, 7);
        CHECK_EQUAL(batch.ahead, 14);
        struct csi_record done = rundir_end(0, 1, CSI_DONE);
        CHECK(csi_queue_end(queue, worker, &done, took_us[i], now_ms));
        batch = next();
        CHECK_EQUAL(batch.count, 7);
        CHECK_EQUAL(batch.ahead, i == 0 ? 14 : 0);
        queue_close();
    }
}

static void tail(void)
{
    queue_timed(200, (struct csi_queue_options){0}, 10);
    for (int i = 0; i < 9; i++)
        join(2, 1000);             /* 10 workers, 19 slots */
    CHECK_EQUAL(next().count, 20); /* a tenth of 199 that wait */
    CHECK_EQUAL(next().count, 18); /* ... of 179 */
    struct csi_queue_batch batch = next();
    while (counts().waiting >= 38) {
        CHECK(batch.count > 1 || counts().waiting + batch.count <= 38);
        batch = next();
    }
    for (batch = next(); batch.count > 0; batch = next()) {
        CHECK_EQUAL(batch.count, 1);
        CHECK_EQUAL(batch.ahead, 0);
    }
    CHECK_EQUAL(counts().held, 199);
    queue_close();
}

static void within_credit(void)
{
    uint32_t worker = queue_timed(10000, (struct csi_queue_options){0}, 10);
    csi_queue_settle(queue, worker);
    csi_queue_want(queue, worker, 60);
    csi_queue_want(queue, worker, 10);
    CHECK_EQUAL(next().count, 64);
    CHECK_EQUAL(next().count, 6);
    CHECK_EQUAL(next().count, 0);
    csi_queue_want(queue, worker, UINT64_MAX);
    csi_queue_want(queue, worker, UINT64_MAX);
    CHECK_EQUAL(counts().wanted, UINT32_MAX);
    CHECK_EQUAL(next().count, 64);
    csi_queue_want(queue, worker + 1, 5);
    CHECK_EQUAL(counts().wanted, UINT32_MAX - 64);
    queue_close();
}

static void in_turn(void)
{
    queue_open(1000, (struct csi_queue_options){.batch = 3});
    uint32_t a = join(1, 7), b = join(1, 100), c = join(1, 0);
    const uint32_t turns[] = {a, b, a, b, a, b, b};
    const size_t sizes[] = {3, 3, 3, 3, 1, 3, 3};
    for (size_t i = 0; i < 7; i++) {
        struct csi_queue_batch batch = next();
        CHECK_EQUAL(batch.worker, turns[i]);
        CHECK_EQUAL(batch.count, sizes[i]);
    }
    csi_queue_want(queue, c, 3);
    csi_queue_want(queue, a, 3);
    CHECK_EQUAL(next().worker, b);
    CHECK_EQUAL(next().worker, c);
    CHECK_EQUAL(next().worker, a);
    CHECK_EQUAL(next().worker, b);
    queue_close();
}

static void undone(void)
{
    queue_open(100, (struct csi_queue_options){.batch = 3});
    uint32_t worker = join(1, 10);
    struct csi_queue_batch first = next(), batch = next();
    CHECK_EQUAL(batch.items[0].index, 3);
    record(worker, rundir_start(1, 1));
    csi_queue_undo(queue, &first);
    CHECK_EQUAL(counts().held, 4); /* what was started stays */
    CHECK_EQUAL(counts().wanted, 6);
    csi_queue_undo(queue, &first);
    CHECK_EQUAL(counts().wanted, 6);
    batch = next();
    CHECK_EQUAL(batch.items[0].index, 0);
    CHECK_EQUAL(batch.items[1].index, 2);
    CHECK_EQUAL(batch.items[2].index, 6);
    CHECK_EQUAL(batch.items[0].attempt, 1);
    csi_queue_settle(queue, worker);
    csi_queue_undo(queue, &batch); /* has come back already */
    CHECK_EQUAL(counts().wanted, 0);
    CHECK_EQUAL(counts().held, 1);
    CHECK_EQUAL(counts().waiting, 99);
    queue_close();
}

/* ---- giving back, going home */

static uint32_t named(bool (*next_named)(struct csi_queue *, uint32_t *))
{
    uint32_t worker = CSI_QUEUE_NOBODY;
    return next_named(queue, &worker) ? worker : CSI_QUEUE_NOBODY;
}

static void revoked(void)
{
    queue_open(5, (struct csi_queue_options){.batch = 4});
    uint32_t a = join(1, 4);
    CHECK_EQUAL(next().count, 4);
    csi_queue_want(queue, a, 4);
    CHECK_EQUAL(named(csi_queue_next_revoked), CSI_QUEUE_NOBODY); /* nobody else wants anything */
    uint32_t b = join(1, 1);
    CHECK_EQUAL(named(csi_queue_next_revoked), CSI_QUEUE_NOBODY); /* something waits */
    CHECK_EQUAL(next_to(a), 4);
    CHECK_EQUAL(named(csi_queue_next_revoked), a);
    CHECK_EQUAL(named(csi_queue_next_revoked), CSI_QUEUE_NOBODY); /* once */
    CHECK(end(a, 4, 1, CSI_DONE));
    record(a, rundir_start(0, 1));
    csi_queue_settle(queue, a);
    CHECK_EQUAL(counts().held, 1);
    CHECK_EQUAL(next_to(b), 1);
    csi_queue_want(queue, a, 2);
    CHECK_EQUAL(next_to(a), 2);
    CHECK_EQUAL(next_to(a), 3);
    CHECK_EQUAL(named(csi_queue_next_revoked), CSI_QUEUE_NOBODY);
    CHECK(end(b, 1, 1, CSI_DONE));
    csi_queue_want(queue, b, 1);
    CHECK_EQUAL(named(csi_queue_next_revoked), a); /* it holds three again */
    csi_queue_leave(queue, a);
    CHECK_EQUAL(next_to(b), 2);
    queue_close();
}

static void who_has_started_all_gives_nothing_back(void)
{
    queue_open(3, (struct csi_queue_options){.batch = 3});
    uint32_t a = join(1, 3); /* it has three threads, and one of them had asked when it came */
    while (next().count > 0)
        ;
    CHECK_EQUAL(counts().held, 3);
    uint32_t b = join(1, 1);
    CHECK_EQUAL(named(csi_queue_next_revoked), a);
    for (uint64_t i = 0; i < 3; i++)
        record(a, rundir_start(i, 1));
    csi_queue_settle(queue, a);
    CHECK_EQUAL(counts().held, 3);
    CHECK_EQUAL(named(csi_queue_next_revoked), CSI_QUEUE_NOBODY); /* or it would be told for as long as they run */
    CHECK(end(a, 0, 1, CSI_RETRY));
    csi_queue_resize(queue, a, 3);
    CHECK_EQUAL(next_to(b), 0);
    CHECK_EQUAL(named(csi_queue_next_revoked), CSI_QUEUE_NOBODY);
    queue_close();
}

static void who_is_dry_gives_nothing_back(void)
{
    queue_open(3, (struct csi_queue_options){.batch = 3});
    uint32_t a = join(1, 3);
    while (next().count > 0)
        continue;
    uint32_t b = join(1, 1);
    CHECK_EQUAL(named(csi_queue_next_revoked), a);
    csi_queue_want(queue, a, 1);
    csi_queue_dry(queue, a);
    CHECK_EQUAL(named(csi_queue_next_revoked), CSI_QUEUE_NOBODY);
    CHECK_EQUAL(counts().held, 3);
    CHECK(end(a, 0, 1, CSI_RETRY));
    CHECK_EQUAL(next_to(b), 0);
    CHECK(end(b, 0, 2, CSI_RETRY));
    CHECK_EQUAL(next_to(a), 0); /* it is not left out any more */
    csi_queue_want(queue, b, 1);
    CHECK_EQUAL(named(csi_queue_next_revoked), a); /* this one it may give back */
    csi_queue_leave(queue, a);
    csi_queue_dry(queue, a); /* nobody */
    queue_close();
}

static void who_is_kept_gets_what_comes_later(void)
{
    queue_open(1, (struct csi_queue_options){0});
    uint32_t a = join(1, 1), b = join(1, 1);
    csi_queue_keep(queue, b);
    csi_queue_complete(queue, true);
    CHECK_EQUAL(next_to(a), 0);
    CHECK(end(a, 0, 1, CSI_DONE));
    csi_queue_want(queue, a, 1);
    CHECK_EQUAL(named(csi_queue_next_home), a);
    CHECK_EQUAL(named(csi_queue_next_home), CSI_QUEUE_NOBODY); /* b is none to be named */
    CHECK_OK(csi_queue_reopen(queue, 0, 1, 0, &err));
    queue_close();
}

static void one_gives_back_for_one(void)
{
    queue_open(30, (struct csi_queue_options){0});
    uint32_t a = join(1, 10), b = join(1, 10), c = join(1, 10);
    while (next().count > 0)
        continue;
    csi_queue_want(queue, b, 5);
    CHECK_EQUAL(named(csi_queue_next_revoked), CSI_QUEUE_NOBODY); /* it would keep them waiting, too */
    uint32_t d = join(1, 1);
    CHECK_EQUAL(named(csi_queue_next_revoked), a);
    CHECK_EQUAL(named(csi_queue_next_revoked), CSI_QUEUE_NOBODY);
    join(1, 1);
    CHECK_EQUAL(named(csi_queue_next_revoked), b);
    csi_queue_leave(queue, a);
    CHECK_EQUAL(next_to(d), 0);
    CHECK_EQUAL(named(csi_queue_next_revoked), CSI_QUEUE_NOBODY);
    CHECK_EQUAL(counts().held, 21);
    csi_queue_leave(queue, c);
    queue_close();
}

static void homeward(void)
{
    queue_open(2, (struct csi_queue_options){0});
    uint32_t workers[5];
    for (int i = 0; i < 5; i++)
        workers[i] = join(1, 1);
    CHECK_EQUAL(next_to(workers[0]), 0);
    csi_queue_complete(queue, true);
    CHECK_EQUAL(named(csi_queue_next_home), CSI_QUEUE_NOBODY); /* something waits */
    CHECK_EQUAL(next_to(workers[1]), 1);
    csi_queue_complete(queue, false);
    CHECK_EQUAL(named(csi_queue_next_home), CSI_QUEUE_NOBODY); /* more may come */
    csi_queue_complete(queue, true);
    CHECK_EQUAL(named(csi_queue_next_home), workers[4]); /* two items are out: two workers stay for them */
    CHECK_EQUAL(named(csi_queue_next_home), CSI_QUEUE_NOBODY);
    CHECK(end(workers[0], 0, 1, CSI_LATER));
    CHECK_EQUAL(named(csi_queue_next_home), CSI_QUEUE_NOBODY); /* due later */
    now_ms += 1000;
    CHECK_EQUAL(next_to(workers[2]), 0);
    csi_queue_want(queue, workers[0], 1);
    csi_queue_want(queue, workers[4], 1); /* it was told, and is told no more */
    CHECK(end(workers[2], 0, 2, CSI_DONE));
    CHECK_EQUAL(named(csi_queue_next_home), workers[0]);
    CHECK_EQUAL(named(csi_queue_next_home), CSI_QUEUE_NOBODY);
    CHECK(end(workers[1], 1, 1, CSI_CRASHED));
    CHECK_EQUAL(named(csi_queue_next_home), CSI_QUEUE_NOBODY); /* a suspect waits */
    CHECK_EQUAL(next_to(workers[3]), 1);
    CHECK(end(workers[3], 1, 2, CSI_DONE));
    CHECK_EQUAL(named(csi_queue_next_home), CSI_QUEUE_NOBODY); /* all others did not ask */
    for (int i = 1; i < 4; i++)
        csi_queue_want(queue, workers[i], 1);
    for (int i = 3; i > 0; i--)
        CHECK_EQUAL(named(csi_queue_next_home), workers[i]);
    csi_queue_settle(queue, workers[4]); /* it did not hear it, and begins anew */
    csi_queue_want(queue, workers[4], 1);
    CHECK_EQUAL(named(csi_queue_next_home), workers[4]);
    CHECK_EQUAL(named(csi_queue_next_home), CSI_QUEUE_NOBODY);
    queue_close();
}

static void paused(void)
{
    queue_open(3, (struct csi_queue_options){0});
    uint32_t worker = join(1, 2);
    CHECK_EQUAL(next_to(worker), 0);
    csi_queue_pause(queue, worker);
    csi_queue_pause(queue, worker + 1);
    CHECK_EQUAL(counts().wanted, 0);
    CHECK_EQUAL(counts().held, 1);
    CHECK_EQUAL(next().count, 0);
    CHECK(end(worker, 0, 1, CSI_DONE));
    csi_queue_want(queue, worker, 1);
    CHECK_EQUAL(next_to(worker), 1);
    queue_close();
}

static void looked_at(void)
{
    queue_open(1000, (struct csi_queue_options){.batch = 2});
    uint32_t a = join(3, 10), b = join(0, 0);
    struct csi_queue_worker look;
    next();
    CHECK(end(a, 0, 1, CSI_DONE));
    csi_queue_look(queue, a, &look);
    CHECK_EQUAL(look.slots, 3);
    CHECK_EQUAL(look.held, 1);
    CHECK_EQUAL(look.credit, 8);
    CHECK_EQUAL(look.ended, 1);
    CHECK_EQUAL(look.mean_us, slow_us);
    CHECK_EQUAL(counts().per_s, 4); /* by 4 slots */
    CHECK(end(a, 1, 1, CSI_STOPPED));
    CHECK_EQUAL(counts().mean_us, slow_us);
    struct csi_queue_batch batch = next();
    struct csi_record done = rundir_end(batch.items[0].index, 2, CSI_DONE);
    CHECK(csi_queue_end(queue, a, &done, 33 * slow_us, now_ms));
    CHECK_EQUAL(counts().mean_us, 2 * slow_us);
    csi_queue_leave(queue, a);
    csi_queue_look(queue, a, &look);
    CHECK_EQUAL(look.slots + look.held + look.credit + look.ended, 0);
    CHECK_EQUAL(join(5, 0), a); /* its number is free */
    csi_queue_look(queue, a, &look);
    CHECK_EQUAL(look.slots, 5);
    CHECK_EQUAL(look.ended, 0);
    csi_queue_look(queue, b, &look);
    CHECK_EQUAL(look.slots, 1);
    queue_close();
}

int main(void)
{
    static const struct check_case cases[] = {
        {"fresh items go out by index, whatever piece was opened first", by_index},
        {"an end counts once, from who holds that attempt, and closes the item", ends_close},
        {"what a settled worker has not started comes back to the front", settled},
        {"what a lost worker had started is suspect: it runs last, and alone", left},
        {"what is to be tried again waits behind fresh items, what was stopped before them", again_behind_fresh},
        {"what is put off is due after 1 s, 2 s, up to 60 s, and after ten times no more", later_backs_off},
        {"what is due first goes first, whenever it was put off", due_in_order},
        {"a suspect goes to a worker that holds nothing, which gets nothing else; others go on",
         suspect_needs_an_empty_worker},
        {"what ended as many workers as the limit says, alone, goes to anybody to be set aside", crashes_are_counted},
        {"without a limit nothing is set aside", never_aside},
        {"a suspect that was not started comes back as the next one", returned_suspect},
        {"what a journal repeats is taken once, and only of what its worker holds", journal_repeats},
        {"journals tell of pieces that were not opened, too", other_pieces},
        {"what waits is not handed out when a journal says that it is done", waiting_is_closed_by_a_journal},
        {"what workers had started before they joined is theirs", held_from_before},
        {"what was opened again is handed out again, unless it is done", reopened},
        {"a queue grows with its ledger", grows},
        {"batches are as large as items are quick", sized_by_time},
        {"more of the tiniest wait as long as there is plenty", plenty},
        {"many slots get more at a time", sized_by_slots},
        {"batches are as large as was told, and long ones are not kept waiting", sized_by_option},
        {"nobody gets more than its part, and the last ones go out one by one", tail},
        {"nobody gets more than it asked for", within_credit},
        {"those who ask are served in turn, a batch each", in_turn},
        {"a batch that nobody took comes back with its credit", undone},
        {"who keeps items waiting while another has nothing is told to give back, once", revoked},
        {"who is kept is not sent home", who_is_kept_gets_what_comes_later},
        {"who says that it has started all is not told to give back until it gets more", who_is_dry_gives_nothing_back},
        {"who has started all that it holds is not told to give back again", who_has_started_all_gives_nothing_back},
        {"no more give back than others have nothing", one_gives_back_for_one},
        {"the superfluous go home: when no more comes, and others stay for what is out", homeward},
        {"who may be out of reach is given nothing, and keeps what it holds", paused},
        {"a worker and the queue can be looked at, and numbers are given again", looked_at},
    };
    return check_main("the queue", cases, sizeof cases / sizeof *cases);
}
