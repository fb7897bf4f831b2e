#include "wire/wire.h"

#include <cfsplit/list.h>
#include <stdlib.h>

#include "lib/check.h"
#include "lib/random.h"

enum { seed = 20, messages_of_a_kind = 300, lists = 200, long_bytes = 70000 };

#define INC    "3-0011223344556677"
#define RUN_ID "0123456789abcdef0123456789abcdef"
#define BYTES(text)                                                                                                    \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
#define HEAD(symbol)        .kind = CSI_MESSAGE_##symbol, .epoch = 2, .session = 3, .seq = 300
#define FRAME(kind, fields) BYTES("CQ\x01" kind "\x02\x03\xac\x02" fields)

/* One of every message, and what it is written as. */
static const struct example {
    struct csi_message message;
    struct csi_wire_bytes frame;
} examples[] = {
    {{HEAD(HELLO), .hello = {BYTES(INC), BYTES(RUN_ID), 4, 128}},
     FRAME("\x01", "\x12" INC "\x20" RUN_ID "\x04\x80\x01")},
    {{HEAD(WANT), .want = {127}}, FRAME("\x02", "\x7f")},
    {{HEAD(ENDS), .ends = {1, BYTES("\x07\x01\x00\x05")}}, FRAME("\x03", "\x01\x04\x07\x01\x00\x05")},
    {{HEAD(PING), .ping = {1, 2, 16384, 3}}, FRAME("\x04", "\x01\x02\x80\x80\x01\x03")},
    {{HEAD(BYE), .bye = {0}}, FRAME("\x05", "\x00")},
    {{HEAD(WELCOME), .welcome = {1000}}, FRAME("\x10", "\xe8\x07")},
    {{HEAD(BATCH), .batch = {32, 64, 1048576, true, BYTES("\x00xyz")}},
     FRAME("\x11", "\x20\x40\x80\x80\x40\x01\x04\x00xyz")},
    {{HEAD(PONG), .pong = {0, UINT64_MAX}}, FRAME("\x12", "\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
    {{HEAD(REVOKE), .revoke = {0}}, FRAME("\x13", "\x00")},
    {{HEAD(HOME), .home = {0}}, FRAME("\x14", "\x00")},
    {{HEAD(RESET), .reset = {0}}, FRAME("\x15", "\x00")},
    {{HEAD(OVER), .over = {3}}, FRAME("\x16", "\x03")},
    {{HEAD(ENDED), .ended = {0}}, FRAME("\x17", "\x00")},
};
enum { example_count = sizeof examples / sizeof examples[0] };

static const struct {
    enum csi_message_kind kind;
    enum csi_message_from from;
    const char *word;
} table[] = {
#define MESSAGE(symbol, number, from, member, fields) {number, from, #symbol},
#include "wire/messages.def"
#undef MESSAGE
};
enum { table_count = sizeof table / sizeof table[0] };
_Static_assert((int)example_count == (int)table_count, "one example of every message");

/* ---- of all messages, by the table */

static bool same_bytes(struct csi_wire_bytes a, struct csi_wire_bytes b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

#define SAME_u64(field)   &&a->field == b->field
#define SAME_count(field) SAME_u64(field)
#define SAME_size(field)  SAME_u64(field)
#define SAME_zero(field)  SAME_u64(field)
#define SAME_flag(field)  SAME_u64(field)
#define SAME_bytes(field) &&same_bytes(a->field, b->field)
#define SAME_id(field)    SAME_bytes(field)
#define SAME_name(field)  SAME_bytes(field)
#define SAME(type, field) SAME_##type(field)
#define SAMES(name, tag, fields)                                                                                       \
    static bool same_##name(const struct tag *a, const struct tag *b)                                                  \
    {                                                                                                                  \
        return true fields(SAME);                                                                                      \
    }
#define MESSAGE(symbol, number, from, member, fields) SAMES(member, csi_message_##member, fields)
#include "wire/messages.def"
#undef MESSAGE
SAMES(head, csi_message, CSI_HEAD_FIELDS)
SAMES(end, csi_wire_end, CSI_END_FIELDS)
SAMES(item, csi_wire_item, CSI_ITEM_FIELDS)

static bool same_message(const struct csi_message *a, const struct csi_message *b)
{
    if (a->kind != b->kind || !same_head(a, b))
        return false;
    switch (a->kind) {
#define MESSAGE(symbol, number, from, member, fields)                                                                  \
    case CSI_MESSAGE_##symbol:                                                                                         \
        return same_##member(&a->member, &b->member);
#include "wire/messages.def"
#undef MESSAGE
    }
    return false;
}

/* Values of each type: edges, and more at random. */
static char noise[long_bytes], letters[CSI_WIRE_ID_MAX];

static void make_noise(struct random *random)
{
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)(1 + random_below(random, 255));
    for (size_t i = 0; i < sizeof letters; i++)
        letters[i] = "-0189azAZ"[random_below(random, 9)];
}

static uint64_t any_u64(struct random *random)
{
    uint64_t shift = random_below(random, 65), edge = shift == 64 ? 0 : UINT64_C(1) << shift;
    return random_below(random, 2) ? edge - random_below(random, 2) : random_next(random) >> shift % 64;
}

static uint64_t any_below(struct random *random, uint64_t most)
{
    uint64_t dice = random_below(random, 4);
    return dice == 0 ? 0 : dice == 1 ? most : random_below(random, most + 1);
}

static uint64_t any_count(struct random *random)
{
    return any_below(random, CSI_WIRE_BATCH_MAX);
}

static uint64_t any_size(struct random *random)
{
    return any_below(random, CSI_WIRE_FRAME_MAX);
}

static uint64_t any_zero(struct random *random)
{
    (void)random;
    return 0;
}

static bool any_flag(struct random *random)
{
    return random_below(random, 2);
}

static struct csi_wire_bytes any_bytes(struct random *random)
{
    return (struct csi_wire_bytes){noise, any_below(random, random_below(random, 8) ? 300 : long_bytes)};
}

static struct csi_wire_bytes any_id(struct random *random)
{
    return (struct csi_wire_bytes){letters, 1 + any_below(random, CSI_WIRE_ID_MAX - 1)};
}

static struct csi_wire_bytes any_name(struct random *random)
{
    uint64_t most = random_below(random, 50) ? 100 : CFSPLIT_ITEM_BYTES_MAX;
    size_t length = 1 + any_below(random, most - 1);
    return (struct csi_wire_bytes){noise + random_below(random, long_bytes - length + 1), length};
}

#define ANY(type, field) value->field = any_##type(random);
#define ANYS(name, tag, fields)                                                                                        \
    static void make_##name(struct tag *value, struct random *random)                                                  \
    {                                                                                                                  \
        fields(ANY)                                                                                                    \
    }
#define MESSAGE(symbol, number, from, member, fields) ANYS(member, csi_message_##member, fields)
#include "wire/messages.def"
#undef MESSAGE
ANYS(head, csi_message, CSI_HEAD_FIELDS)
ANYS(end, csi_wire_end, CSI_END_FIELDS)
ANYS(item, csi_wire_item, CSI_ITEM_FIELDS)

static struct csi_message any_message(enum csi_message_kind kind, struct random *random)
{
    struct csi_message message = {.kind = kind};
    make_head(&message, random);
    switch (kind) {
#define MESSAGE(symbol, number, from, member, fields)                                                                  \
    case CSI_MESSAGE_##symbol:                                                                                         \
        make_##member(&message.member, random);                                                                        \
        break;
#include "wire/messages.def"
#undef MESSAGE
    }
    return message;
}

/* ---- reading what a sanitizer watches the ends of */

static char *exact(const void *bytes, size_t length)
{
    char *copy = malloc(length ? length : 1);
    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

/* Whether a frame is read from either side; what is read must be written again as it was. */
static bool reads(const void *bytes, size_t length)
{
    struct csi_message message;
    char *frame = exact(bytes, length);
    bool from_worker = csi_message_decode(frame, length, CSI_FROM_WORKER, &message);
    bool good = from_worker || csi_message_decode(frame, length, CSI_FROM_COORDINATOR, &message);
    if (good) {
        struct csi_buf again = CSI_BUF_INIT;
        csi_message_encode(&message, &again);
        CHECK(csi_message_from(message.kind) == (from_worker ? CSI_FROM_WORKER : CSI_FROM_COORDINATOR));
        CHECK(same_bytes((struct csi_wire_bytes){again.data, again.length}, (struct csi_wire_bytes){frame, length}));
        csi_buf_release(&again);
    }
    free(frame);
    return good;
}

static void check_refused(const char *what, const void *bytes, size_t length)
{
    bool read = reads(bytes, length);
    if (read)
        printf("\n      %s is read\n", what);
    CHECK(!read);
}

/* ---- messages */

static void test_examples(void)
{
    for (size_t i = 0; i < table_count; i++) {
        const struct example *e = &examples[i];
        struct csi_message message;
        struct csi_buf out = CSI_BUF_INIT;
        CHECK_EQUAL(e->message.kind, table[i].kind);
        csi_message_encode(&e->message, &out);
        CHECK(same_bytes((struct csi_wire_bytes){out.data, out.length}, e->frame));
        CHECK(csi_message_decode(e->frame.data, e->frame.length, table[i].from, &message));
        CHECK(same_message(&message, &e->message));
        csi_buf_release(&out);
    }
}

static void test_words(void)
{
    for (size_t i = 0; i < table_count; i++) {
        CHECK_TEXT(csi_message_word(table[i].kind), table[i].word);
        CHECK(csi_message_from(table[i].kind) == table[i].from);
    }
    CHECK_TEXT(csi_message_word(CSI_MESSAGE_HELLO), "HELLO");
    CHECK_TEXT(csi_message_word((enum csi_message_kind)0), "?");
    CHECK_TEXT(csi_message_word((enum csi_message_kind)15), "?");
    CHECK_TEXT(csi_message_word((enum csi_message_kind)255), "?");
}

static void test_every_message_comes_back(void)
{
    struct random random = {seed};
    struct csi_buf out = CSI_BUF_INIT;
    make_noise(&random);
    for (size_t i = 0; i < table_count; i++)
        for (int round = 0; round < messages_of_a_kind; round++) {
            struct csi_message message = any_message(table[i].kind, &random), back;
            csi_buf_clear(&out);
            csi_buf_add_text(&out, "before");
            csi_message_encode(&message, &out);
            CHECK(out.length < out.room && out.data[out.length] == '\0' && memcmp(out.data, "before", 6) == 0);
            char *frame = exact(out.data + 6, out.length - 6);
            CHECK(csi_message_decode(frame, out.length - 6, table[i].from, &back) && same_message(&message, &back));
            CHECK(!csi_message_decode(frame, out.length - 6, !table[i].from, &back));
            free(frame);
        }
    csi_buf_release(&out);
}

static void test_cut_frames(void)
{
    for (size_t i = 0; i < example_count; i++)
        for (size_t length = 0; length < examples[i].frame.length; length++)
            check_refused(table[i].word, examples[i].frame.data, length);
}

static void test_longer_frames(void)
{
    for (size_t i = 0; i < example_count; i++) {
        struct csi_buf frame = CSI_BUF_INIT;
        csi_buf_add(&frame, examples[i].frame.data, examples[i].frame.length);
        csi_buf_add_char(&frame, '\0');
        check_refused(table[i].word, frame.data, frame.length);
        csi_buf_release(&frame);
    }
}

static void test_flipped_bits(void)
{
    size_t read = 0, all = 0;
    for (size_t i = 0; i < example_count; i++)
        for (size_t bit = 0; bit < 8 * examples[i].frame.length; bit++, all++) {
            char *frame = exact(examples[i].frame.data, examples[i].frame.length);
            frame[bit / 8] ^= (char)(1 << bit % 8);
            bool good = reads(frame, examples[i].frame.length); /* and checks what is read */
            CHECK(!good || bit / 8 > 2);
            read += good;
            free(frame);
        }
    CHECK(read > 0 && read < all);
}

static void test_hostile_frames(void)
{
    static const struct {
        const char *what;
        struct csi_wire_bytes frame;
    } bad[] = {
        {"another magic", BYTES("CR\x01\x02\x01\x01\x01\x00")},
        {"version 0", BYTES("CQ\x00\x02\x01\x01\x01\x00")},
        {"version 2", BYTES("CQ\x02\x02\x01\x01\x01\x00")},
        {"kind 0", BYTES("CQ\x01\x00\x01\x01\x01\x00")},
        {"kind 6", BYTES("CQ\x01\x06\x01\x01\x01\x00")},
        {"kind 24", BYTES("CQ\x01\x18\x01\x01\x01\x00")},
        {"kind 255", BYTES("CQ\x01\xff\x01\x01\x01\x00")},
        {"a number of 11 bytes", BYTES("CQ\x01\x02\x01\x01\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00")},
        {"a number of 65 bits", BYTES("CQ\x01\x02\x01\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02")},
        {"a number of 10 bytes that go on", BYTES("CQ\x01\x02\x01\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81")},
        {"a number with a zero at its end", BYTES("CQ\x01\x02\x01\x01\x01\x81\x00")},
        {"such an epoch", BYTES("CQ\x01\x02\x80\x00\x01\x01\x01")},
        {"65 ends", BYTES("CQ\x01\x03\x01\x01\x01\x41\x00")},
        {"65 items", BYTES("CQ\x01\x11\x01\x01\x01\x01\x41\x00\x00\x00")},
        {"a list above 1 MiB", BYTES("CQ\x01\x11\x01\x01\x01\x01\x01\x81\x80\x40\x01\x01x")},
        {"a flag of 2", BYTES("CQ\x01\x11\x01\x01\x01\x01\x01\x01\x02\x01x")},
        {"something reserved", BYTES("CQ\x01\x14\x01\x01\x01\x01")},
        {"no incarnation", BYTES("CQ\x01\x01\x01\x01\x01\x00\x01r\x01\x01")},
        {"an incarnation in another folder", BYTES("CQ\x01\x01\x01\x01\x01\x04../x\x01r\x01\x01")},
        {"an incarnation with a NUL", BYTES("CQ\x01\x01\x01\x01\x01\x03i\x00i\x01r\x01\x01")},
        {"a run id of 65 bytes", BYTES("CQ\x01\x01\x01\x01\x01\x01i\x41" RUN_ID RUN_ID "r\x01\x01")},
        {"bytes behind the end", BYTES("CQ\x01\x03\x01\x01\x01\x01\x02x")},
        {"so many bytes that a sum would be small",
         BYTES("CQ\x01\x03\x01\x01\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x")},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_refused(bad[i].what, bad[i].frame.data, bad[i].frame.length);
    CHECK(reads("CQ\x01\x01\x01\x01\x01\x01i\x01r\x01\x01", 13));
    CHECK(!reads(NULL, 0));
}

/* A BATCH of so many bytes in all. */
static bool reads_frame_of(size_t length)
{
    struct csi_buf frame = CSI_BUF_INIT;
    struct csi_message batch = {HEAD(BATCH)};
    char *items = calloc(1, length);
    batch.batch.items = (struct csi_wire_bytes){items, length - 15}; /* 8 before the fields, 7 in them */
    csi_message_encode(&batch, &frame);
    CHECK_EQUAL(frame.length, length);
    bool good = reads(frame.data, frame.length);
    free(items);
    csi_buf_release(&frame);
    return good;
}

static void test_largest_frame(void)
{
    CHECK(reads_frame_of(CSI_WIRE_FRAME_MAX));
    CHECK(!reads_frame_of(CSI_WIRE_FRAME_MAX + 1));
}

/* ---- lists */

static void test_ends(void)
{
    static const struct csi_wire_end wanted[] = {{0, 1, 0, 0}, {300, 2, 7, 16384}, {UINT64_MAX, 1, 1, UINT64_MAX}};
    struct csi_buf list = CSI_BUF_INIT;
    for (size_t i = 0; i < 3; i++)
        csi_wire_end_add(&list, &wanted[i]);
    CHECK(list.length > 10 && memcmp(list.data, "\x00\x01\x00\x00\xac\x02\x02\x07\x80\x80\x01", 11) == 0);
    struct csi_wire_bytes rest = {list.data, list.length};
    struct csi_wire_end end;
    for (size_t i = 0; i < 3; i++)
        CHECK(csi_wire_end_next(&rest, &end) && same_end(&end, &wanted[i]));
    CHECK_EQUAL(rest.length, 0);
    CHECK(!csi_wire_end_next(&rest, &end));
    csi_buf_release(&list);
}

static void test_ends_come_back(void)
{
    struct random random = {seed};
    for (int round = 0; round < 20 * lists; round++) {
        struct csi_buf list = CSI_BUF_INIT;
        struct csi_wire_end end, back;
        make_end(&end, &random);
        csi_wire_end_add(&list, &end);
        char *copy = exact(list.data, list.length);
        for (size_t cut = 0; cut < list.length; cut++) {
            struct csi_wire_bytes rest = {copy, cut};
            CHECK(!csi_wire_end_next(&rest, &back) && rest.data == copy && rest.length == cut);
        }
        struct csi_wire_bytes rest = {copy, list.length};
        CHECK(csi_wire_end_next(&rest, &back) && same_end(&end, &back) && rest.length == 0);
        free(copy);
        csi_buf_release(&list);
    }
}

#define ITEM "\x05\x64\x02\x01\x00\x03\x01\x00"

static void test_item(void)
{
    static const struct csi_wire_item wanted = {5, 100, 2, 1, 0, 3, true, false, BYTES("x.fits")};
    static const char bytes[] = ITEM "\x06x.fits"; /* and a NUL */
    struct csi_buf list = CSI_BUF_INIT;
    struct csi_wire_item item;
    csi_wire_item_add(&list, &wanted);
    CHECK(same_bytes((struct csi_wire_bytes){list.data, list.length}, (struct csi_wire_bytes){bytes, sizeof bytes}));
    struct csi_wire_bytes rest = {list.data, list.length};
    CHECK(csi_wire_item_next(&rest, &item) && same_item(&item, &wanted) && rest.length == 0);
    CHECK_TEXT(item.name.data, "x.fits");
    CHECK(!csi_wire_item_next(&rest, &item));
    csi_buf_release(&list);
}

static bool reads_item(const void *bytes, size_t length)
{
    char *copy = exact(bytes, length);
    struct csi_wire_bytes rest = {copy, length};
    struct csi_wire_item item;
    bool good = csi_wire_item_next(&rest, &item);
    CHECK(good ? rest.length < length && item.name.data[item.name.length] == '\0'
               : rest.length == length && rest.data == copy);
    free(copy);
    return good;
}

static void test_hostile_items(void)
{
    static const struct {
        const char *what;
        struct csi_wire_bytes list;
    } bad[] = {
        {"no name", BYTES(ITEM "\x00\x00")},
        {"a name without NUL behind", BYTES(ITEM "\x02xyz")},
        {"a name at the end", BYTES(ITEM "\x02xy")},
        {"a name behind the end", BYTES(ITEM "\x03xy")},
        {"a name with a NUL in it", BYTES(ITEM "\x03x\x00y\x00")},
        {"a name that ends in NUL", BYTES(ITEM "\x02x\x00\x00")},
        {"a very long name", BYTES(ITEM "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01xy")},
        {"a flag of 2", BYTES("\x05\x64\x02\x01\x00\x03\x02\x00\x01x\x00")},
        {"another flag of 2", BYTES("\x05\x64\x02\x01\x00\x03\x00\x02\x01x\x00")},
        {"a long number", BYTES("\x85\x00\x64\x02\x01\x00\x03\x00\x00\x01x\x00")},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bool good = reads_item(bad[i].list.data, bad[i].list.length);
        if (good)
            printf("\n      %s is read\n", bad[i].what);
        CHECK(!good);
    }
}

static void test_name_lengths(void)
{
    struct random random = {seed};
    make_noise(&random);
    for (size_t length = CFSPLIT_ITEM_BYTES_MAX - 1; length <= CFSPLIT_ITEM_BYTES_MAX + 1; length++) {
        struct csi_buf list = CSI_BUF_INIT;
        struct csi_wire_item item = {.name = {noise, length}};
        csi_wire_item_add(&list, &item);
        CHECK(reads_item(list.data, list.length) == (length <= CFSPLIT_ITEM_BYTES_MAX));
        csi_buf_release(&list);
    }
}

/* ---- batches */

static void check_list(struct csi_wire_bytes list, const struct csi_wire_item *items, uint64_t count)
{
    struct csi_wire_item item;
    for (uint64_t i = 0; i < count; i++) {
        bool good =
            csi_wire_item_next(&list, &item) && same_item(&item, &items[i]) && item.name.data[item.name.length] == '\0';
        CHECK(good);
        if (!good)
            return;
    }
    CHECK_EQUAL(list.length, 0);
}

/* Packs the items, sends them, and looks at what comes. */
static bool check_batch(const struct csi_wire_item *items, uint64_t count)
{
    struct csi_buf list = CSI_BUF_INIT, space = CSI_BUF_INIT, frame = CSI_BUF_INIT, back = CSI_BUF_INIT;
    struct csi_message batch = {HEAD(BATCH), .batch = {.ahead = 2 * count, .count = count}}, got;
    struct csi_wire_bytes unpacked;
    for (uint64_t i = 0; i < count; i++)
        csi_wire_item_add(&list, &items[i]);
    csi_wire_pack(&batch, &list, &space);
    CHECK(batch.batch.raw == list.length && batch.batch.items.length <= list.length);
    CHECK(batch.batch.packed == (batch.batch.items.length < list.length));
    CHECK(batch.batch.packed || !list.length || batch.batch.items.data == list.data);
    csi_message_encode(&batch, &frame);
    char *copy = exact(frame.data, frame.length);
    CHECK(csi_message_decode(copy, frame.length, CSI_FROM_COORDINATOR, &got) && same_message(&batch, &got));
    CHECK(csi_wire_unpack(&got, &back, &unpacked));
    check_list(unpacked, items, got.batch.count);
    free(copy);
    csi_buf_release(&list);
    csi_buf_release(&space);
    csi_buf_release(&frame);
    csi_buf_release(&back);
    return batch.batch.packed;
}

static void test_batches_come_back(void)
{
    struct random random = {seed};
    struct csi_wire_item items[CSI_WIRE_BATCH_MAX] = {{0}};
    make_noise(&random);
    check_batch(items, 0);
    for (int round = 0; round < lists; round++) {
        uint64_t count = 1 + random_below(&random, CSI_WIRE_BATCH_MAX);
        for (uint64_t i = 0, bytes = 0; i < count; i++, bytes += items[i - 1].name.length + 80) {
            make_item(&items[i], &random);
            if (bytes + items[i].name.length > CSI_WIRE_LIST_MAX - 80)
                items[i].name.length = 1;
        }
        check_batch(items, count);
    }
}

static void test_what_is_packed(void)
{
    struct random random = {seed};
    char names[CSI_WIRE_BATCH_MAX][80];
    struct csi_wire_item items[CSI_WIRE_BATCH_MAX] = {{0}};
    make_noise(&random);
    for (unsigned i = 0; i < CSI_WIRE_BATCH_MAX; i++) {
        int n = snprintf(names[i], sizeof names[i], "survey/field-%u/exposure-%05u.fits", i / 8, i);
        items[i] = (struct csi_wire_item){.index = i, .weight = 2880, .attempt = 1, .name = {names[i], (size_t)n}};
    }
    CHECK(check_batch(items, CSI_WIRE_BATCH_MAX));
    for (unsigned i = 0; i < CSI_WIRE_BATCH_MAX; i++)
        items[i] = (struct csi_wire_item){random_next(&random),          random_next(&random), random_next(&random),
                                          random_next(&random),          random_next(&random), random_next(&random),
                                          .name = {noise + 100 * i, 100}};
    CHECK(!check_batch(items, CSI_WIRE_BATCH_MAX));
}

static void test_largest_list(void)
{
    struct csi_buf list = CSI_BUF_INIT, space = CSI_BUF_INIT, frame = CSI_BUF_INIT;
    struct csi_message batch = {CSI_MESSAGE_BATCH, UINT64_MAX, UINT64_MAX, UINT64_MAX, .batch = {.ahead = 0}}, got;
    batch.batch.ahead = UINT64_MAX;
    batch.batch.count = CSI_WIRE_BATCH_MAX;
    struct random random = {seed};
    while (list.length < CSI_WIRE_LIST_MAX)
        csi_buf_add_char(&list, (char)random_next(&random));
    csi_wire_pack(&batch, &list, &space);
    csi_message_encode(&batch, &frame);
    CHECK(!batch.batch.packed && frame.length <= CSI_WIRE_FRAME_MAX);
    CHECK(csi_message_decode(frame.data, frame.length, CSI_FROM_COORDINATOR, &got) && same_message(&batch, &got));
    memset(csi_buf_reserve(&list, CSI_WIRE_FRAME_MAX), 0, CSI_WIRE_FRAME_MAX);
    list.length += CSI_WIRE_FRAME_MAX;
    csi_wire_pack(&batch, &list, &space);
    CHECK(!batch.batch.packed && batch.batch.raw == list.length);
    csi_buf_release(&list);
    csi_buf_release(&space);
    csi_buf_release(&frame);
}

/* A packed list of 1000 zeros in `space`. */
static struct csi_message zeros(struct csi_buf *list, struct csi_buf *space)
{
    struct csi_message batch = {HEAD(BATCH), .batch = {.count = 1}};
    for (int i = 0; i < 1000; i++)
        csi_buf_add_char(list, '\0');
    csi_wire_pack(&batch, list, space);
    CHECK(batch.batch.packed);
    return batch;
}

static bool unpacks(struct csi_message batch)
{
    struct csi_buf space = CSI_BUF_INIT;
    struct csi_wire_bytes list;
    char *copy = exact(batch.batch.items.data, batch.batch.items.length);
    batch.batch.items.data = copy;
    bool good = csi_wire_unpack(&batch, &space, &list);
    CHECK(!good || list.length == batch.batch.raw);
    free(copy);
    csi_buf_release(&space);
    return good;
}

static void test_hostile_packing(void)
{
    struct csi_buf list = CSI_BUF_INIT, space = CSI_BUF_INIT;
    const struct csi_message good = zeros(&list, &space);
    struct csi_message bad = good;
    CHECK(unpacks(good));
    for (bad.batch.raw = 0; bad.batch.raw < 2000; bad.batch.raw++)
        CHECK(unpacks(bad) == (bad.batch.raw == 1000));
    bad = good;
    while (bad.batch.items.length-- > 0)
        CHECK(!unpacks(bad));
    bad = good;
    bad.batch.packed = false;
    CHECK(!unpacks(bad));
    bad.batch.items = (struct csi_wire_bytes){list.data, list.length};
    CHECK(unpacks(bad));
    bad.batch.raw--;
    CHECK(!unpacks(bad));
    for (size_t bit = 0; bit < 8 * space.length; bit++) {
        space.data[bit / 8] ^= (char)(1 << bit % 8);
        (void)unpacks(good); /* whatever it is, of that length and within its bytes */
        space.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    CHECK(unpacks(good));
    csi_buf_release(&list);
    csi_buf_release(&space);
}

static void test_promises_cost_nothing(void)
{
    struct csi_buf space = CSI_BUF_INIT;
    struct csi_message batch = {HEAD(BATCH), .batch = {0, 1, CSI_WIRE_FRAME_MAX, true, BYTES("\x1f\x00\x01\x00")}};
    struct csi_wire_bytes list;
    CHECK(!csi_wire_unpack(&batch, &space, &list));
    batch.batch.raw = UINT64_MAX;
    CHECK(!csi_wire_unpack(&batch, &space, &list));
    CHECK_EQUAL(space.room, 0);
}

static const struct check_case cases[] = {
    {"every message has its bytes", test_examples},
    {"every message has its word and its side", test_words},
    {"every message comes back as it was, whatever it holds", test_every_message_comes_back},
    {"a frame that is cut anywhere is refused", test_cut_frames},
    {"a frame with a byte behind it is refused", test_longer_frames},
    {"a frame with one bit changed is refused, or a message again", test_flipped_bits},
    {"what no encoder writes is refused", test_hostile_frames},
    {"a frame has 1 MiB at most", test_largest_frame},
    {"ends are listed one behind the other", test_ends},
    {"any end comes back as it was, and cut ones do not", test_ends_come_back},
    {"an item has its bytes, and a NUL behind its name", test_item},
    {"items that no encoder writes are refused", test_hostile_items},
    {"a name is as long as a name of the list may be", test_name_lengths},
    {"batches come back as they were", test_batches_come_back},
    {"like names are packed, noise is not", test_what_is_packed},
    {"the largest list fits a frame, a larger one is not packed", test_largest_list},
    {"what does not unpack to what was told is refused", test_hostile_packing},
    {"nothing is allocated for what cannot be there", test_promises_cost_nothing},
};

int main(void)
{
    printf("seed %d\n", seed);
    return check_main("messages and their bytes", cases, sizeof cases / sizeof cases[0]);
}
