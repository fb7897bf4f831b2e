/* The queue's messages <-> bytes (docs/protocol.md). Decoding treats its input as hostile: nothing is read past its end, nothing is
 * allocated for what it promises. Pure: no socket, no file, no clock. */
#ifndef CSI_WIRE_WIRE_H
#define CSI_WIRE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    CSI_WIRE_VERSION = 1,
    CSI_WIRE_FRAME_MAX = 1 << 20,
    CSI_WIRE_LIST_MAX = CSI_WIRE_FRAME_MAX - 64, /* bytes of a list that fits a frame, packed or not */
    CSI_WIRE_BATCH_MAX = 64,
    CSI_WIRE_ID_MAX = 64
};

/* bytes of a frame, borrowed from it */
struct csi_wire_bytes {
    const char *data;
    size_t length;
};

/* MESSAGE(symbol, number, from, field, FIELDS(F)) and F(type, field), all of them in wire/messages.def. What a field may be is
 * checked when it is read, and up to the caller when it is written. */
#define CSI_WIRE_TYPE_u64            uint64_t
#define CSI_WIRE_TYPE_count          uint64_t /* of things in a list: at most CSI_WIRE_BATCH_MAX */
#define CSI_WIRE_TYPE_size           uint64_t /* of a list: at most CSI_WIRE_FRAME_MAX */
#define CSI_WIRE_TYPE_zero           uint64_t /* written as 0 */
#define CSI_WIRE_TYPE_flag           bool
#define CSI_WIRE_TYPE_bytes          struct csi_wire_bytes
#define CSI_WIRE_TYPE_id             struct csi_wire_bytes /* 1 to CSI_WIRE_ID_MAX letters, digits and '-' */
#define CSI_WIRE_FIELD_(type, field) CSI_WIRE_TYPE_##type field;

enum csi_message_kind {
#define MESSAGE(symbol, number, from, member, fields) CSI_MESSAGE_##symbol = (number),
#include "wire/messages.def"
#undef MESSAGE
};

enum csi_message_from { CSI_FROM_WORKER, CSI_FROM_COORDINATOR };

struct csi_message {
    enum csi_message_kind kind;
    uint64_t epoch, session, seq;
    union {
#define MESSAGE(symbol, number, from, member, fields)                                                                  \
    struct csi_message_##member {                                                                                      \
        fields(CSI_WIRE_FIELD_)                                                                                        \
    } member; /* NOLINT(bugprone-macro-parentheses): a declaration */
#include "wire/messages.def"
#undef MESSAGE
    };
};

const char *csi_message_word(enum csi_message_kind kind);           /* "HELLO", for what is logged; "?" for no kind */
enum csi_message_from csi_message_from(enum csi_message_kind kind); /* of a kind that is one */

/* Appends the frame of a message, of a kind that is one, to `out`; a failed allocation is found by csi_buf_check. */
void csi_message_encode(const struct csi_message *message, struct csi_buf *out);

/* Reads a frame; `bytes` are borrowed from it. There is one frame for each message: what is read is written again as the same
 * bytes. False: it is cut short or too long, of another version, of no kind, from the wrong side, or a field is none of its type. */
bool csi_message_decode(const void *frame, size_t length, enum csi_message_from from, struct csi_message *out);

/* ---- ENDS: csi_message.ends.list is `count` of these: take so many, then nothing may be left */

struct csi_wire_end {
    uint64_t index, attempt;
    uint64_t class; /* enum csi_class; any number may come */
    uint64_t took_us;
};
void csi_wire_end_add(struct csi_buf *list, const struct csi_wire_end *end);
/* Takes the next one off the front of `list`. False: it is none, or `list` is empty; `list` is as it was. */
bool csi_wire_end_next(struct csi_wire_bytes *list, struct csi_wire_end *end);

/* ---- BATCH: csi_message.batch.items is a list of `count` of these, packed by LZ4 if `packed` */

struct csi_wire_item {
    uint64_t index, weight;
    uint64_t attempt; /* the number of the attempt that this is */
    uint64_t failures, deaths, laters;
    bool alone, aside;
    struct csi_wire_bytes name; /* 1 to CFSPLIT_ITEM_BYTES_MAX bytes, no NUL; a NUL stands behind what was read */
};
void csi_wire_item_add(struct csi_buf *list, const struct csi_wire_item *item);
bool csi_wire_item_next(struct csi_wire_bytes *list, struct csi_wire_item *item);

/* Packs a list into the fields raw, packed and items of a BATCH: items points to `list` itself, or to `space` where that is
 * smaller (and there was memory for it). A list above CSI_WIRE_LIST_MAX is too large for a frame. */
void csi_wire_pack(struct csi_message *batch, const struct csi_buf *list, struct csi_buf *space);
/* The list of a BATCH: borrowed from the frame, or unpacked into `space`. False: it is none, or larger than CSI_WIRE_FRAME_MAX, or
 * there was no memory for it (csi_buf_check of `space` tells). */
bool csi_wire_unpack(const struct csi_message *batch, struct csi_buf *space, struct csi_wire_bytes *list);

#endif
