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

int main(void)
{
    static const struct check_case cases[] = {
        {"fresh items go out by index, whatever piece was opened first", by_index},
        {"an end counts once, from who holds that attempt, and closes the item", ends_close},
        {"what a settled worker has not started comes back to the front", settled},
        {"what a lost worker had started is suspect: it runs last, and alone", left},
    };
    return check_main("the queue", cases, sizeof cases / sizeof *cases);
}
