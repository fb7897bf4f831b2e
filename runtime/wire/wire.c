/* Messages and their lists <-> bytes, both made from the fields that wire/messages.def names. */
#include "wire/wire.h"

#include <lz4.h>
#include <stddef.h>
#include <string.h>

#include <cfsplit/list.h>

enum {
    varint_max = 10,             /* bytes; the last one holds one bit */
    field_most = 1 + varint_max, /* bytes of a field, but for those that it points to; a name has a NUL behind them */
    lz4_ratio = 255              /* a packed byte stands for no more than so many */
};

static const unsigned char magic[] = {'C', 'Q', CSI_WIRE_VERSION}; /* and the kind, a byte */

/* ---- types of fields: put_<type> writes one and returns where it ends, take_<type> takes one off the front or returns false */

static unsigned char *put_u64(unsigned char *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *to++ = (unsigned char)(value | 0x80);
    *to++ = (unsigned char)value;
    return to;
}

static void drop(struct csi_wire_bytes *from, size_t count)
{
    from->data += count;
    from->length -= count;
}

static bool take_u64(struct csi_wire_bytes *from, uint64_t *field)
{
    uint64_t value = 0;
    for (size_t i = 0; i < varint_max && i < from->length; i++) {
        unsigned char byte = (unsigned char)from->data[i];
        if (i == varint_max - 1 && byte > 1)
            return false; /* more than 64 bits */
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            drop(from, i + 1);
            *field = value;
            return byte || i == 0; /* a zero at the end has no need to be there */
        }
    }
    return false;
}

static bool take_most(struct csi_wire_bytes *from, uint64_t *field, uint64_t most)
{
    return take_u64(from, field) && *field <= most;
}

static unsigned char *put_count(unsigned char *to, uint64_t value)
{
    return put_u64(to, value);
}

static bool take_count(struct csi_wire_bytes *from, uint64_t *field)
{
    return take_most(from, field, CSI_WIRE_BATCH_MAX);
}

static unsigned char *put_size(unsigned char *to, uint64_t value)
{
    return put_u64(to, value);
}

static bool take_size(struct csi_wire_bytes *from, uint64_t *field)
{
    return take_most(from, field, CSI_WIRE_FRAME_MAX);
}

static unsigned char *put_zero(unsigned char *to, uint64_t value)
{
    (void)value;
    *to++ = 0;
    return to;
}

static bool take_zero(struct csi_wire_bytes *from, uint64_t *field)
{
    return take_most(from, field, 0);
}

static unsigned char *put_flag(unsigned char *to, bool value)
{
    *to++ = value;
    return to;
}

static bool take_flag(struct csi_wire_bytes *from, bool *field)
{
    uint64_t value;
    if (!take_most(from, &value, 1))
        return false;
    *field = value != 0;
    return true;
}

static unsigned char *put_bytes(unsigned char *to, struct csi_wire_bytes value)
{
    to = put_u64(to, value.length);
    if (value.length)
        memcpy(to, value.data, value.length);
    return to + value.length;
}

static bool take_bytes(struct csi_wire_bytes *from, struct csi_wire_bytes *field)
{
    uint64_t length;
    if (!take_u64(from, &length) || length > from->length)
        return false;
    *field = (struct csi_wire_bytes){from->data, (size_t)length};
    drop(from, (size_t)length);
    return true;
}

static unsigned char *put_id(unsigned char *to, struct csi_wire_bytes value)
{
    return put_bytes(to, value);
}

static bool take_id(struct csi_wire_bytes *from, struct csi_wire_bytes *field)
{
    static const char legal[] = "-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (!take_bytes(from, field) || field->length < 1 || field->length > CSI_WIRE_ID_MAX)
        return false;
    for (size_t i = 0; i < field->length; i++)
        if (!memchr(legal, field->data[i], sizeof legal - 1))
            return false;
    return true;
}

static unsigned char *put_name(unsigned char *to, struct csi_wire_bytes value)
{
    to = put_bytes(to, value);
    *to++ = '\0';
    return to;
}

static bool take_name(struct csi_wire_bytes *from, struct csi_wire_bytes *field)
{
    if (!take_bytes(from, field) || field->length < 1 || field->length > CFSPLIT_ITEM_BYTES_MAX || from->length < 1 ||
        memchr(field->data, '\0', field->length + 1) != field->data + field->length)
        return false;
    drop(from, 1);
    return true;
}

/* ---- structs, field by field */

/* How many bytes a field points to. */
#define LENGTH_u64(field)   0
#define LENGTH_count(field) 0
#define LENGTH_size(field)  0
#define LENGTH_zero(field)  0
#define LENGTH_flag(field)  0
#define LENGTH_bytes(field) (field).length
#define LENGTH_id(field)    (field).length
#define LENGTH_name(field)  (field).length

#define ROOM(type, field) room += field_most + LENGTH_##type(from->field);
#define PUT(type, field)  to = put_##type(to, from->field);
#define TAKE(type, field) &&take_##type(from, &to->field)

/* Of a struct: room_<name>, the most bytes it takes; put_<name> and take_<name>, as those of a field. */
#define CODEC(name, tag, fields)                                                                                       \
    static size_t room_##name(const void *value)                                                                       \
    {                                                                                                                  \
        const struct tag *from = value;                                                                                \
        (void)from; /* of a struct without bytes */                                                                    \
        size_t room = 0;                                                                                               \
        fields(ROOM) return room;                                                                                      \
    }                                                                                                                  \
    static unsigned char *put_##name(unsigned char *to, const void *value)                                             \
    {                                                                                                                  \
        const struct tag *from = value;                                                                                \
        fields(PUT) return to;                                                                                         \
    }                                                                                                                  \
    static bool take_##name(struct csi_wire_bytes *from, void *value)                                                  \
    {                                                                                                                  \
        struct tag *to = value;                                                                                        \
        return true fields(TAKE);                                                                                      \
    }

#define MESSAGE(symbol, number, side, member, fields) CODEC(member, csi_message_##member, fields)
#include "wire/messages.def"
#undef MESSAGE
CODEC(head, csi_message, CSI_HEAD_FIELDS)
CODEC(end, csi_wire_end, CSI_END_FIELDS)
CODEC(item, csi_wire_item, CSI_ITEM_FIELDS)

/* What was reserved of `out` is written up to `end`. */
static void finish(struct csi_buf *out, unsigned char *end)
{
    *end = '\0';
    out->length = (size_t)((char *)end - out->data);
}

/* ---- messages */

static const struct kind {
    const char *word;
    enum csi_message_from from;
    size_t offset; /* of its fields in struct csi_message */
    size_t (*room)(const void *value);
    unsigned char *(*put)(unsigned char *to, const void *value);
    bool (*take)(struct csi_wire_bytes *from, void *value);
} kinds[] = {
#define MESSAGE(symbol, number, side, member, fields)                                                                  \
    [number] = {#symbol, side, offsetof(struct csi_message, member), room_##member, put_##member, take_##member},
#include "wire/messages.def"
#undef MESSAGE
};

/* NULL: there is none of that number. */
static const struct kind *find_kind(unsigned number)
{
    return number < sizeof kinds / sizeof kinds[0] && kinds[number].word ? &kinds[number] : NULL;
}

const char *csi_message_word(enum csi_message_kind kind)
{
    const struct kind *found = find_kind(kind);
    return found ? found->word : "?";
}

enum csi_message_from csi_message_from(enum csi_message_kind kind)
{
    return kinds[kind].from;
}

void csi_message_encode(const struct csi_message *message, struct csi_buf *out)
{
    const struct kind *kind = &kinds[message->kind];
    const void *fields = (const char *)message + kind->offset;
    unsigned char *to =
        (unsigned char *)csi_buf_reserve(out, sizeof magic + 1 + room_head(message) + kind->room(fields));
    if (!to)
        return;
    memcpy(to, magic, sizeof magic);
    to[sizeof magic] = (unsigned char)message->kind;
    finish(out, kind->put(put_head(to + sizeof magic + 1, message), fields));
}

bool csi_message_decode(const void *frame, size_t length, enum csi_message_from from, struct csi_message *out)
{
    struct csi_wire_bytes rest = {frame, length};
    *out = (struct csi_message){0};
    if (length <= sizeof magic || length > CSI_WIRE_FRAME_MAX || memcmp(frame, magic, sizeof magic) != 0)
        return false;
    unsigned char number = (unsigned char)rest.data[sizeof magic];
    const struct kind *kind = find_kind(number);
    if (!kind || kind->from != from)
        return false;
    out->kind = (enum csi_message_kind)number;
    drop(&rest, sizeof magic + 1);
    return take_head(&rest, out) && kind->take(&rest, (char *)out + kind->offset) && rest.length == 0;
}

/* ---- lists */

void csi_wire_end_add(struct csi_buf *list, const struct csi_wire_end *end)
{
    unsigned char *to = (unsigned char *)csi_buf_reserve(list, room_end(end));
    if (to)
        finish(list, put_end(to, end));
}

bool csi_wire_end_next(struct csi_wire_bytes *list, struct csi_wire_end *end)
{
    struct csi_wire_bytes rest = *list;
    if (!take_end(&rest, end))
        return false;
    *list = rest;
    return true;
}

void csi_wire_item_add(struct csi_buf *list, const struct csi_wire_item *item)
{
    unsigned char *to = (unsigned char *)csi_buf_reserve(list, room_item(item));
    if (to)
        finish(list, put_item(to, item));
}

bool csi_wire_item_next(struct csi_wire_bytes *list, struct csi_wire_item *item)
{
    struct csi_wire_bytes rest = *list;
    if (!take_item(&rest, item))
        return false;
    *list = rest;
    return true;
}

/* The length of the list packed into `space`; 0 if that is not smaller. */
static size_t pack(const struct csi_buf *list, struct csi_buf *space)
{
    csi_buf_clear(space);
    if (list->length < 2 || list->length > CSI_WIRE_FRAME_MAX || !csi_buf_reserve(space, list->length))
        return 0;
    int packed = LZ4_compress_default(list->data, space->data, (int)list->length, (int)list->length - 1);
    finish(space, (unsigned char *)space->data + packed);
    return space->length;
}

void csi_wire_pack(struct csi_message *batch, const struct csi_buf *list, struct csi_buf *space)
{
    size_t packed = pack(list, space);
    batch->batch.raw = list->length;
    batch->batch.packed = packed > 0;
    batch->batch.items = packed ? (struct csi_wire_bytes){space->data, packed}
                                : (struct csi_wire_bytes){list->length ? list->data : "", list->length};
}

bool csi_wire_unpack(const struct csi_message *batch, struct csi_buf *space, struct csi_wire_bytes *list)
{
    struct csi_wire_bytes items = batch->batch.items;
    size_t raw = (size_t)batch->batch.raw;
    *list = items;
    csi_buf_clear(space);
    if (!batch->batch.packed)
        return items.length == batch->batch.raw;
    if (batch->batch.raw > CSI_WIRE_FRAME_MAX || items.length >= raw || raw > items.length * lz4_ratio ||
        !csi_buf_reserve(space, raw) ||
        LZ4_decompress_safe(items.data, space->data, (int)items.length, (int)raw) != (int)raw)
        return false;
    finish(space, (unsigned char *)space->data + raw);
    *list = (struct csi_wire_bytes){space->data, raw};
    return true;
}
