/* retry/<n> and stop/<n> */
#include "lib/fuzz.h"
#include "rundir/order.h"

/* The last line holds the digest of all before it. */
static size_t mend(uint8_t *data, size_t size, size_t room)
{
    size_t end = fuzz_find_last(data, size, "end\t");
    return end == size ? size : fuzz_put_check(data, size, room, end + 4, XXH64(data, end, 0), "\n");
}

FUZZ_MENDS(mend)

/* Items that are opened again are opened again by a file of our own in the same way. */
static void write_again(const struct csi_reopened *items, size_t count)
{
    struct cfsplit_error err = {0};
    struct csi_reopened *again;
    size_t again_count;
    FUZZ_MUST(csi_order_retry(fuzz_run(), items, count, &err) == CFSPLIT_OK);
    FUZZ_MUST(csi_order_read_retry(fuzz_run(), 2, &again, &again_count, &err) == CFSPLIT_OK);
    FUZZ_MUST(again_count == count);
    for (size_t i = 0; i < count; i++)
        FUZZ_MUST(again[i].index == items[i].index && again[i].attempts == items[i].attempts);
    free(again);
    FUZZ_MUST(unlinkat(fuzz_run()->fd, "retry/2", 0) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cfsplit_error err = {0};
    struct csi_reopened *items;
    size_t count;
    uint32_t last;
    bool now = false;
    fuzz_put("retry/1", data, size);
    cfsplit_status status = csi_order_read_retry(fuzz_run(), 1, &items, &count, &err);
    fuzz_judge(status, &err, "retry/1");
    FUZZ_MUST(status != CFSPLIT_END);
    for (size_t i = 0; status == CFSPLIT_OK && i < count; i++)
        FUZZ_MUST(items[i].index < fuzz_run()->spec.items);
    if (status == CFSPLIT_OK)
        write_again(items, count);
    free(items);

    fuzz_put("stop/1", data, size);
    status = csi_order_last_stop(fuzz_run(), 0, &last, &now, &err);
    fuzz_judge(status, &err, "stop/1");
    FUZZ_MUST(last == (status == CFSPLIT_OK ? 1 : 0));
    return 0;
}
