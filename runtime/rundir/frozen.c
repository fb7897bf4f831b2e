#include "rundir/frozen.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/io.h"
#include "base/text.h"

static const char items_name[] = "items.lz4", index_name[] = "items.idx";

static cfsplit_status damaged(struct cfsplit_error *err, const char *name, uint64_t offset, const char *what)
{
    return csi_fail(err, CFSPLIT_DAMAGED, "'%s' is damaged at byte %" PRIu64 ": %s", name, offset, what);
}

static bool parse_block(struct csi_frozen *f, struct csi_fields *line)
{
    struct csi_block b;
    if (!csi_fields_u64(line, &b.first) || !csi_fields_u64(line, &b.items) || !csi_fields_u64(line, &b.offset) ||
        !csi_fields_u64(line, &b.packed) || !csi_fields_u64(line, &b.unpacked) || !csi_fields_hex(line, &b.digest) ||
        b.first != f->items || b.unpacked > 65536)
        return false;
    struct csi_block *more = f->blocks;
    if ((f->block_count & (f->block_count + 1)) == 0) /* full at 2^k - 1 */
        more = realloc(f->blocks, (2 * f->block_count + 2) * sizeof *more);
    if (!more)
        return false;
    f->blocks = more;
    f->blocks[f->block_count++] = b;
    f->items += b.items;
    return true;
}

static bool parse_piece(struct csi_frozen *f, struct csi_fields *line)
{
    uint64_t share;
    struct csi_piece p;
    if (!csi_fields_u64(line, &share) || !csi_fields_u64(line, &p.first) || !csi_fields_u64(line, &p.items) ||
        share == 0 || share > CFSPLIT_REPLICAS_MAX || p.first > f->items || p.items > f->items - p.first)
        return false;
    p.share = (uint32_t)share;
    struct csi_piece *more = f->pieces;
    if ((f->piece_count & (f->piece_count + 1)) == 0)
        more = realloc(f->pieces, (2 * f->piece_count + 2) * sizeof *more);
    if (!more)
        return false;
    f->pieces = more;
    f->pieces[f->piece_count++] = p;
    return true;
}

static bool parse_line(struct csi_frozen *f, const char *line, size_t length)
{
    struct csi_fields fields = csi_fields_of(line, length);
    const char *word;
    size_t n;
    if (!csi_fields_next(&fields, &word, &n))
        return false;
    if (n == 5 && memcmp(word, "block", 5) == 0)
        return parse_block(f, &fields);
    if (n == 5 && memcmp(word, "piece", 5) == 0)
        return parse_piece(f, &fields);
    return false;
}

static cfsplit_status parse_index(struct csi_frozen *f, const char *text, size_t length, const char *run_id,
                                  struct cfsplit_error *err)
{
    char head[80];
    int n = snprintf(head, sizeof head, "cfsplit-index\t1\t%s\t0\n", run_id);
    if (length < (size_t)n || memcmp(text, head, (size_t)n) != 0)
        return damaged(err, index_name, 0, "it belongs to another run or is no index");
    const char *at = text + n, *end = text + length;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop && strncmp(at, "end\t", 4) == 0)
            return stop + 1 == end ? CFSPLIT_OK
                                   : damaged(err, index_name, (uint64_t)(at - text), "something follows the end");
        if (!stop || !parse_line(f, at, (size_t)(stop - at)))
            return damaged(err, index_name, (uint64_t)(at - text), "not a line of an index");
        at = stop + 1;
    }
    return damaged(err, index_name, length, "its end is missing");
}

cfsplit_status csi_frozen_open(struct csi_frozen *f, int dir, const char *run_id, uint64_t index_digest, uint64_t items,
                               struct cfsplit_error *err)
{
    struct csi_buf text = CSI_BUF_INIT;
    *f = (struct csi_frozen){.fd = -1};
    cfsplit_status status = csi_io_read(dir, index_name, SIZE_MAX / 4, &text, err);
    if (status == CFSPLIT_END)
        status = csi_fail(err, CFSPLIT_DAMAGED, "'%s' is missing", index_name);
    if (status != CFSPLIT_OK)
        goto out;
    if (XXH64(text.data, text.length, 0) != index_digest)
        status = damaged(err, index_name, 0, "its bytes are not those that were planned");
    else
        status = parse_index(f, text.data, text.length, run_id, err);
    if (status == CFSPLIT_OK && f->items != items)
        status = damaged(err, index_name, 0, "it has another number of items than the plan");
    if (status != CFSPLIT_OK)
        goto out;
    f->fd = csi_io_open(dir, items_name, O_RDONLY);
    if (f->fd < 0)
        status =
            csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_DAMAGED), errno, "cannot open '%s'", items_name);
out:
    csi_buf_release(&text);
    return status;
}

void csi_frozen_close(struct csi_frozen *f)
{
    if (f->fd >= 0)
        close(f->fd);
    free(f->blocks);
    free(f->pieces);
    *f = (struct csi_frozen){.fd = -1};
}

size_t csi_frozen_block_of(const struct csi_frozen *f, uint64_t index)
{
    size_t low = 0, high = f->block_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (f->blocks[middle].first <= index)
            low = middle;
        else
            high = middle;
    }
    return low;
}

uint32_t csi_frozen_piece_of(const struct csi_frozen *f, uint64_t index)
{
    size_t low = 0, high = f->piece_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (f->pieces[middle].first <= index)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

/* Appends the bytes of one block to `to`, verified. */
static cfsplit_status unpack(const struct csi_frozen *f, const struct csi_block *b, struct csi_buf *to,
                             struct cfsplit_error *err)
{
    char packed[4 + 65536];
    if (b->packed < 4 || b->packed > sizeof packed)
        return damaged(err, items_name, b->offset, "a block of impossible size");
    ssize_t got = pread(f->fd, packed, b->packed, (off_t)b->offset);
    if (got < 0)
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot read '%s'", items_name);
    if ((uint64_t)got != b->packed)
        return damaged(err, items_name, b->offset, "it is cut short");
    const unsigned char *h = (const unsigned char *)packed;
    uint32_t size = h[0] | (uint32_t)h[1] << 8 | (uint32_t)h[2] << 16 | (uint32_t)h[3] << 24;
    bool plain = size >> 31;
    size &= 0x7fffffff;
    char *room = csi_buf_reserve(to, b->unpacked);
    if (!room)
        return csi_fail_memory(err);
    bool good = size == b->packed - 4;
    if (good && plain)
        good = size == b->unpacked && memcpy(room, packed + 4, size);
    else if (good)
        good = LZ4_decompress_safe(packed + 4, room, (int)size, (int)b->unpacked) == (int)b->unpacked;
    if (!good || XXH64(room, b->unpacked, 0) != b->digest)
        return damaged(err, items_name, b->offset, "a block does not unpack to what was planned");
    to->length += b->unpacked;
    room[b->unpacked] = '\0';
    return CFSPLIT_OK;
}

/* One WEIGHT TAB NAME NUL at *at; moves on behind it. */
static bool parse_item(char **at, const char *end, struct cfsplit_item *item)
{
    char *nul = memchr(*at, '\0', (size_t)(end - *at));
    char *tab = nul ? memchr(*at, '\t', (size_t)(nul - *at)) : NULL;
    if (!tab || !csi_text_u64(*at, (size_t)(tab - *at), &item->weight))
        return false;
    item->name = tab + 1;
    item->length = (size_t)(nul - tab - 1);
    *at = nul + 1;
    return true;
}

static cfsplit_status parse_items(const struct csi_block *from, uint64_t skip, struct csi_items *out,
                                  struct cfsplit_error *err)
{
    char *at = out->bytes.data, *end = at + out->bytes.length;
    struct cfsplit_item item;
    for (; skip > 0; skip--)
        if (!parse_item(&at, end, &item))
            return damaged(err, items_name, from->offset, "not an item");
    for (uint64_t i = 0; i < out->count; i++)
        if (!parse_item(&at, end, &out->at[i]))
            return damaged(err, items_name, from->offset, "not an item");
    return CFSPLIT_OK;
}

cfsplit_status csi_frozen_load(const struct csi_frozen *f, uint64_t first, uint64_t count, struct csi_items *out,
                               struct cfsplit_error *err)
{
    csi_items_release(out);
    out->first = first;
    if (count == 0)
        return CFSPLIT_OK;
    size_t from = csi_frozen_block_of(f, first), to = csi_frozen_block_of(f, first + count - 1);
    out->at = calloc(count, sizeof *out->at);
    if (!out->at)
        return csi_fail_memory(err);
    out->count = count;
    cfsplit_status status = CFSPLIT_OK;
    for (size_t b = from; status == CFSPLIT_OK && b <= to; b++)
        status = unpack(f, &f->blocks[b], &out->bytes, err);
    if (status == CFSPLIT_OK)
        status = parse_items(&f->blocks[from], first - f->blocks[from].first, out, err);
    return status;
}

void csi_items_release(struct csi_items *items)
{
    free(items->at);
    csi_buf_release(&items->bytes);
    *items = (struct csi_items){0};
}

cfsplit_status csi_frozen_check(const struct csi_frozen *f, uint64_t items_digest, struct cfsplit_error *err)
{
    XXH64_state_t *state = XXH64_createState();
    char *window = malloc(1 << 20);
    cfsplit_status status = state && window ? CFSPLIT_OK : csi_fail_memory(err);
    uint64_t offset = 0;
    if (status == CFSPLIT_OK)
        XXH64_reset(state, 0);
    while (status == CFSPLIT_OK) {
        ssize_t got = pread(f->fd, window, 1 << 20, (off_t)offset);
        if (got < 0)
            status = csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot read '%s'", items_name);
        if (got <= 0)
            break;
        XXH64_update(state, window, (size_t)got);
        offset += (uint64_t)got;
    }
    if (status == CFSPLIT_OK && XXH64_digest(state) != items_digest)
        status = damaged(err, items_name, 0, "its bytes are not those that were planned");
    free(window);
    XXH64_freeState(state);
    return status;
}
