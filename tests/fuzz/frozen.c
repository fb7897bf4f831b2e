/* items.idx and, behind its last line, items.lz4 */
#include "rundir/frozen.h"
#include "base/text.h"
#include "lib/fuzz.h"

#include <lz4.h>

enum { block_bytes = 65536, block_head = 4, items_most = 1 << 20 };

/* Where items.lz4 begins: behind the first line that begins as the end of an index. */
static size_t split(const uint8_t *data, size_t size)
{
    for (const uint8_t *at = data, *end = data + size, *stop; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            break;
        if (stop - at >= 4 && memcmp(at, "end\t", 4) == 0)
            return (size_t)(stop + 1 - data);
    }
    return size;
}

struct block_line {
    uint64_t first, items, offset, packed, unpacked;
};

/* Whether it is a block's line, with a digest of all digits at its end. */
static bool read_block_line(const uint8_t *line, size_t length, struct block_line *b)
{
    struct csi_fields f = csi_fields_of((const char *)line, length);
    const char *digest;
    size_t digits;
    return csi_fields_is(&f, "block") && csi_fields_u64(&f, &b->first) && csi_fields_u64(&f, &b->items) &&
           csi_fields_u64(&f, &b->offset) && csi_fields_u64(&f, &b->packed) && csi_fields_u64(&f, &b->unpacked) &&
           csi_fields_next(&f, &digest, &digits) && digits == 16 && csi_fields_done(&f);
}

/* What the bytes of items.lz4 unpack to there, or false. */
static bool digest_of(const struct block_line *b, const uint8_t *items, size_t size, uint64_t *digest)
{
    static char plain[block_bytes];
    if (b->offset > size || b->packed > size - b->offset || b->packed < block_head || b->unpacked > sizeof plain)
        return false;
    const uint8_t *at = items + b->offset;
    if (at[3] & 0x80)
        *digest = XXH64(at + block_head, b->packed - block_head, 0);
    else if (LZ4_decompress_safe((const char *)at + block_head, plain, (int)b->packed - block_head, (int)b->unpacked) ==
             (int)b->unpacked)
        *digest = XXH64(plain, b->unpacked, 0);
    else
        return false;
    return true;
}

/* The digest of every block is that of what it unpacks to. */
static size_t mend(uint8_t *data, size_t size, size_t room)
{
    size_t index = split(data, size);
    (void)room;
    for (uint8_t *at = data, *end = data + index, *stop; at < end; at = stop + 1) {
        struct block_line b;
        uint64_t digest;
        char digits[17];
        stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            break;
        if (!read_block_line(at, (size_t)(stop - at), &b) || !digest_of(&b, data + index, size - index, &digest))
            continue;
        snprintf(digits, sizeof digits, "%016" PRIx64, digest);
        memcpy(stop - 16, digits, 16);
    }
    return size;
}

FUZZ_MENDS(mend)

/* As many items as the index says there are, which is what its plan would say. */
static uint64_t count_items(const uint8_t *data, size_t index)
{
    uint64_t count = 0;
    for (const uint8_t *at = data, *end = data + index, *stop; at < end; at = stop + 1) {
        struct block_line b;
        stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            break;
        if (read_block_line(at, (size_t)(stop - at), &b))
            count += b.items;
    }
    return count;
}

/* All items block by block, as `all` has them. */
static void load_blocks(const struct csi_frozen *f, const struct csi_items *all)
{
    struct cfsplit_error err = {0};
    struct csi_items some = {0};
    for (size_t b = 0; b < f->block_count; b++) {
        uint64_t first = f->blocks[b].first;
        FUZZ_MUST(csi_frozen_block_of(f, first) == b);
        FUZZ_MUST(csi_frozen_load(f, first, f->blocks[b].items, &some, &err) == CFSPLIT_OK);
        for (uint64_t i = first; i < first + f->blocks[b].items; i++) {
            const struct cfsplit_item *one = csi_items_at(&some, i), *same = csi_items_at(all, i);
            FUZZ_MUST(one->length == same->length && one->weight == same->weight && strlen(one->name) == one->length);
            FUZZ_MUST(strcmp(one->name, same->name) == 0);
        }
    }
    csi_items_release(&some);
}

/* Every item is in one piece, and can be loaded alone. */
static void load_pieces(const struct csi_frozen *f, const struct csi_items *all)
{
    struct cfsplit_error err = {0};
    struct csi_items some = {0};
    uint64_t next = 0;
    for (uint32_t p = 0; p < f->piece_count; p++) {
        const struct csi_piece *piece = &f->pieces[p];
        FUZZ_MUST(piece->first == next && piece->items > 0);
        next += piece->items;
        FUZZ_MUST(csi_frozen_piece_of(f, piece->first) == p && csi_frozen_piece_of(f, next - 1) == p);
        FUZZ_MUST(csi_frozen_load(f, next - 1, 1, &some, &err) == CFSPLIT_OK);
        FUZZ_MUST(strcmp(some.at->name, csi_items_at(all, next - 1)->name) == 0);
    }
    FUZZ_MUST(next == f->items);
    csi_items_release(&some);
}

static void load(const struct csi_frozen *f)
{
    struct cfsplit_error err = {0};
    struct csi_items all = {0};
    FUZZ_MUST(csi_frozen_load(f, f->items, 1, &all, &err) == CFSPLIT_DAMAGED);
    if (f->items > 0 && f->items <= items_most) {
        cfsplit_status status = csi_frozen_load(f, 0, f->items, &all, &err);
        fuzz_judge(status, &err, "'items.lz4' is damaged at byte ");
        if (status == CFSPLIT_OK) {
            load_blocks(f, &all);
            load_pieces(f, &all);
        }
    }
    csi_items_release(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cfsplit_error err = {0};
    struct csi_frozen frozen = {0};
    size_t index = split(data, size);
    uint64_t items = count_items(data, index), digest = XXH64(data, index, 0);
    int dir = fuzz_run()->fd;
    fuzz_put("items.idx", data, index);
    fuzz_put("items.lz4", data + index, size - index);
    FUZZ_MUST(csi_frozen_add(&frozen, dir, FUZZ_RUN_ID, digest, digest + 1, items, &err) == CFSPLIT_DAMAGED);
    csi_frozen_close(&frozen);
    cfsplit_status status = csi_frozen_add(&frozen, dir, FUZZ_RUN_ID, digest, digest, items, &err);
    fuzz_judge(status, &err, "'items.idx' is damaged at byte ");
    if (status == CFSPLIT_OK) {
        fuzz_judge(csi_frozen_check(&frozen, &err), &err, "'items.lz4' is damaged at byte 0");
        load(&frozen);
    }
    csi_frozen_close(&frozen);
    return 0;
}
