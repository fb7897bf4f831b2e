/* The items of a batch: the bytes are a list, or what a list was packed to, and what can be read of it survives being sent. */
#include "lib/fuzz.h"
#include "wire/wire.h"

enum {
    size_bytes = 3
}; /* what a packed list is said to be of, before it; of a list that is not packed, none of them counts */

static size_t mend(uint8_t *data, size_t size, size_t room)
{
    (void)data;
    (void)room;
    return size; /* it has no digest */
}

FUZZ_MENDS(mend)

/* Reads up to a batch of items into `list`, anew. */
static uint64_t read_items(struct csi_wire_bytes from, struct csi_buf *list)
{
    struct csi_wire_item item;
    uint64_t count = 0;
    for (; count < CSI_WIRE_BATCH_MAX && list->length < CSI_WIRE_LIST_MAX / 2 && csi_wire_item_next(&from, &item);
         count++)
        csi_wire_item_add(list, &item);
    FUZZ_MUST(!list->failed);
    return count;
}

/* Packs, writes, reads and unpacks it. */
static void send(const struct csi_buf *list, uint64_t count)
{
    struct csi_buf space = CSI_BUF_INIT, frame = CSI_BUF_INIT, back = CSI_BUF_INIT;
    struct csi_message batch = {.kind = CSI_MESSAGE_BATCH, .batch = {.count = count}}, got;
    struct csi_wire_bytes unpacked;
    csi_wire_pack(&batch, list, &space);
    csi_message_encode(&batch, &frame);
    FUZZ_MUST(csi_message_decode(frame.data, frame.length, CSI_FROM_COORDINATOR, &got) && got.batch.count == count);
    FUZZ_MUST(csi_wire_unpack(&got, &back, &unpacked) && unpacked.length == list->length);
    FUZZ_MUST(list->length == 0 || memcmp(unpacked.data, list->data, list->length) == 0);
    csi_buf_release(&space);
    csi_buf_release(&frame);
    csi_buf_release(&back);
}

static void receive(const struct csi_message *batch)
{
    struct csi_buf space = CSI_BUF_INIT, list = CSI_BUF_INIT;
    struct csi_wire_bytes items;
    if (csi_wire_unpack(batch, &space, &items)) {
        uint64_t count = read_items(items, &list);
        send(&list, count);
    }
    csi_buf_release(&space);
    csi_buf_release(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csi_message batch = {.kind = CSI_MESSAGE_BATCH};
    if (size < size_bytes)
        return 0;
    batch.batch.items = (struct csi_wire_bytes){(const char *)data + size_bytes, size - size_bytes};
    batch.batch.raw = size - size_bytes;
    receive(&batch);
    batch.batch.raw = (uint64_t)data[0] | (uint64_t)data[1] << 8 | (uint64_t)data[2] << 16;
    batch.batch.packed = true;
    receive(&batch);
    return 0;
}
