/* A frame of the queue: the message, and the list in it. The first byte says who it is from. */
#include "lib/fuzz.h"
#include "wire/wire.h"

static size_t mend(uint8_t *data, size_t size, size_t room)
{
    static const uint8_t magic[] = {'C', 'Q', CSI_WIRE_VERSION};
    (void)room;
    if (size > sizeof magic)
        memcpy(data + 1, magic, sizeof magic);
    return size;
}

FUZZ_MENDS(mend)

static void same_bytes(const struct csi_buf *again, const void *data, size_t length)
{
    FUZZ_MUST(!again->failed && again->length == length);
    FUZZ_MUST(length == 0 || memcmp(again->data, data, length) == 0);
}

/* What was read is written as it stood there. */
static void walk_ends(struct csi_wire_bytes list)
{
    const struct csi_wire_bytes all = list;
    struct csi_buf again = CSI_BUF_INIT;
    struct csi_wire_end end;
    while (csi_wire_end_next(&list, &end))
        csi_wire_end_add(&again, &end);
    same_bytes(&again, all.data, all.length - list.length);
    csi_buf_release(&again);
}

static void walk_items(struct csi_wire_bytes list)
{
    const struct csi_wire_bytes all = list;
    struct csi_buf again = CSI_BUF_INIT;
    struct csi_wire_item item;
    while (csi_wire_item_next(&list, &item)) {
        FUZZ_MUST(item.name.length > 0 && strlen(item.name.data) == item.name.length);
        csi_wire_item_add(&again, &item);
    }
    same_bytes(&again, all.data, all.length - list.length);
    csi_buf_release(&again);
}

static void unpack(const struct csi_message *batch)
{
    struct csi_buf space = CSI_BUF_INIT;
    struct csi_wire_bytes list;
    if (csi_wire_unpack(batch, &space, &list)) {
        FUZZ_MUST(list.length == batch->batch.raw && list.length <= CSI_WIRE_FRAME_MAX);
        walk_items(list);
    }
    FUZZ_MUST(!space.failed);
    csi_buf_release(&space);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csi_message message;
    struct csi_buf again = CSI_BUF_INIT;
    if (size == 0)
        return 0;
    enum csi_message_from from = data[0] % 2 ? CSI_FROM_COORDINATOR : CSI_FROM_WORKER;
    if (!csi_message_decode(data + 1, size - 1, from, &message))
        return 0;
    FUZZ_MUST(csi_message_from(message.kind) == from && csi_message_word(message.kind)[0] != '?');
    if (message.kind == CSI_MESSAGE_ENDS)
        walk_ends(message.ends.list);
    if (message.kind == CSI_MESSAGE_BATCH)
        unpack(&message);
    csi_message_encode(&message, &again);
    same_bytes(&again, data + 1, size - 1);
    csi_buf_release(&again);
    return 0;
}
