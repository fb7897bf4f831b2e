/* output/<inc>: what attempt 1 of item 0 printed, as some bytes have it */
#include "rundir/output.h"
#include "lib/fuzz.h"

#define NAME "output/" FUZZ_INC

enum { head_bytes = 40, checked_bytes = 32, packed_at = 28 };

/* The check of each head is that of its bytes; the next head stands where this one says. */
static size_t mend(uint8_t *data, size_t size, size_t room)
{
    (void)room;
    for (size_t at = 0, packed; at + head_bytes <= size; at += head_bytes + packed) {
        uint64_t check = XXH64(data + at, checked_bytes, 0);
        for (int i = 0; i < 8; i++)
            data[at + checked_bytes + (size_t)i] = (uint8_t)(check >> 8 * i);
        packed = data[at + packed_at] | (size_t)data[at + packed_at + 1] << 8 | (size_t)data[at + packed_at + 2] << 16 |
                 (size_t)data[at + packed_at + 3] << 24;
    }
    return size;
}

FUZZ_MENDS(mend)

static cfsplit_status take(void *context, const void *data, size_t length, struct cfsplit_error *err)
{
    (void)err;
    FUZZ_MUST(length <= 64 << 10);
    csi_buf_add(context, data, length);
    FUZZ_MUST(!((struct csi_buf *)context)->failed);
    return CFSPLIT_OK;
}

/* The same text, as much as one piece holds, written by us. */
static void write_again(const struct csi_buf *text)
{
    struct cfsplit_error err = {0};
    struct csi_output output;
    struct csi_buf again = CSI_BUF_INIT;
    size_t length = text->length < 64 << 10 ? text->length : 64 << 10;
    bool torn;
    FUZZ_MUST(csi_output_open(&output, fuzz_run(), "1-again", &err) == CFSPLIT_OK);
    FUZZ_MUST(csi_output_add(&output, 0, 0, 1, text->data, length, &err) == CFSPLIT_OK);
    uint64_t end = output.length;
    FUZZ_MUST(csi_output_close(&output, &err) == CFSPLIT_OK);
    FUZZ_MUST(csi_output_read(fuzz_run(), "1-again", 0, 0, 1, 0, end, take, &again, &torn, &err) == CFSPLIT_OK);
    FUZZ_MUST(!torn && again.length == length && memcmp(again.data, text->data, length) == 0);
    FUZZ_MUST(unlinkat(fuzz_run()->fd, "output/1-again", 0) == 0);
    csi_buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cfsplit_error err = {0};
    struct csi_buf open_end = CSI_BUF_INIT, up_to = CSI_BUF_INIT;
    bool torn;
    fuzz_put(NAME, data, size);
    FUZZ_MUST(csi_output_read(fuzz_run(), FUZZ_INC, 0, 0, 1, 0, UINT64_MAX, take, &open_end, &torn, &err) ==
              CFSPLIT_OK);
    cfsplit_status status = csi_output_read(fuzz_run(), FUZZ_INC, 0, 0, 1, 0, size, take, &up_to, &torn, &err);
    fuzz_judge(status, &err, NAME);
    FUZZ_MUST(!torn && open_end.length == up_to.length);
    if (open_end.length > 0)
        write_again(&open_end);
    csi_buf_release(&open_end);
    csi_buf_release(&up_to);
    return 0;
}
