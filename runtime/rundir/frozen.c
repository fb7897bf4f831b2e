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

static cfsplit_status damaged(struct cfsplit_error *err, const struct csi_generation *g, const char *name,
                              uint64_t offset, const char *what)
{
    return csi_fail(err, CFSPLIT_DAMAGED, "'%s%s' is damaged at byte %" PRIu64 ": %s", g->folder, name, offset, what);
}

enum { unpacked_max = 65536, item_bytes_min = 4 /* "1", TAB, a byte, NUL */ };

static bool parse_block(struct csi_frozen *f, struct csi_fields *line)
{
    struct csi_block b;
    if (!csi_fields_u64(line, &b.first) || !csi_fields_u64(line, &b.items) || !csi_fields_u64(line, &b.offset) ||
        !csi_fields_u64(line, &b.packed) || !csi_fields_u64(line, &b.unpacked) || !csi_fields_hex(line, &b.digest) ||
        !csi_fields_done(line) || b.first != f->items || b.unpacked > unpacked_max || b.items == 0 ||
        b.items > b.unpacked / item_bytes_min)
        return false;
    b.generation = f->generation_count;
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

/* How many items the pieces have so far. */
static uint64_t in_pieces(const struct csi_frozen *f)
{
    const struct csi_piece *last = f->piece_count ? &f->pieces[f->piece_count - 1] : NULL;
    return last ? last->first + last->items : 0;
}

static bool parse_piece(struct csi_frozen *f, struct csi_fields *line)
{
    uint64_t share;
    struct csi_piece p;
    if (!csi_fields_u64(line, &share) || !csi_fields_u64(line, &p.first) || !csi_fields_u64(line, &p.items) ||
        !csi_fields_done(line) || share > CFSPLIT_REPLICAS_MAX || p.first != in_pieces(f) || p.items == 0 ||
        p.items > f->items - p.first)
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

static cfsplit_status parse_index(struct csi_frozen *f, const struct csi_generation *g, const char *text, size_t length,
                                  const char *run_id, struct cfsplit_error *err)
{
    char head[80];
    int n = snprintf(head, sizeof head, "cfsplit-index\t1\t%s\t%" PRIu32 "\n", run_id, f->generation_count);
    if (length < (size_t)n || memcmp(text, head, (size_t)n) != 0)
        return damaged(err, g, index_name, 0, "it belongs to another run or is no index");
    const char *at = text + n, *end = text + length;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop && strncmp(at, "end\t", 4) == 0)
            return stop + 1 != end ? damaged(err, g, index_name, (uint64_t)(at - text), "something follows the end")
                   : in_pieces(f) != f->items
                       ? damaged(err, g, index_name, (uint64_t)(at - text), "items are missing from its pieces")
                       : CFSPLIT_OK;
        if (!stop || !parse_line(f, at, (size_t)(stop - at)))
            return damaged(err, g, index_name, (uint64_t)(at - text), "not a line of an index");
        at = stop + 1;
    }
    return damaged(err, g, index_name, length, "its end is missing");
}

static cfsplit_status read_index(struct csi_frozen *f, const struct csi_generation *g, int dir, const char *run_id,
                                 uint64_t index_digest, struct cfsplit_error *err)
{
    struct csi_buf text = CSI_BUF_INIT;
    char name[40];
    snprintf(name, sizeof name, "%s%s", g->folder, index_name);
    cfsplit_status status = csi_io_read(dir, name, SIZE_MAX / 4, &text, err);
    if (status == CFSPLIT_END)
        status = csi_fail(err, CFSPLIT_DAMAGED, "'%s' is missing", name);
    else if (status == CFSPLIT_OK && XXH64(text.data, text.length, 0) != index_digest)
        status = damaged(err, g, index_name, 0, "its bytes are not those that were planned");
    else if (status == CFSPLIT_OK)
        status = parse_index(f, g, text.data, text.length, run_id, err);
    csi_buf_release(&text);
    return status;
}

static cfsplit_status open_items(struct csi_generation *g, int dir, struct cfsplit_error *err)
{
    char name[40];
    snprintf(name, sizeof name, "%s%s", g->folder, items_name);
    g->fd = csi_io_open(dir, name, O_RDONLY);
    if (g->fd >= 0)
        return CFSPLIT_OK;
    return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_DAMAGED), errno, "cannot open '%s'", name);
}

cfsplit_status csi_frozen_add(struct csi_frozen *f, int dir, const char *run_id, uint64_t items_digest,
                              uint64_t index_digest, uint64_t items, struct cfsplit_error *err)
{
    const struct csi_frozen before = *f;
    struct csi_generation *more = realloc(f->generations, (f->generation_count + 1) * sizeof *more);
    if (!more)
        return csi_fail_memory(err);
    f->generations = more;
    struct csi_generation *g = &more[f->generation_count];
    *g = (struct csi_generation){
        .fd = -1, .first = f->items, .first_piece = (uint32_t)f->piece_count, .items_digest = items_digest};
    if (f->generation_count > 0)
        snprintf(g->folder, sizeof g->folder, "extend/%" PRIu32 "/", f->generation_count);
    cfsplit_status status = read_index(f, g, dir, run_id, index_digest, err);
    if (status == CFSPLIT_OK && f->items - before.items != items)
        status = damaged(err, g, index_name, 0, "it has another number of items than the plan");
    if (status == CFSPLIT_OK)
        status = open_items(g, dir, err);
    if (status == CFSPLIT_OK) {
        f->generation_count++;
    } else { /* the arrays may be longer, and hold no more */
        f->block_count = before.block_count;
        f->piece_count = before.piece_count;
        f->items = before.items;
    }
    return status;
}

void csi_frozen_close(struct csi_frozen *f)
{
    for (uint32_t g = 0; g < f->generation_count; g++)
        close(f->generations[g].fd);
    free(f->generations);
    free(f->blocks);
    free(f->pieces);
    *f = (struct csi_frozen){0};
}

uint32_t csi_frozen_generation_of(const struct csi_frozen *f, uint64_t index)
{
    uint32_t g = f->generation_count;
    while (g > 1 && f->generations[g - 1].first > index)
        g--;
    return g ? g - 1 : 0;
}

uint32_t csi_frozen_generation_of_piece(const struct csi_frozen *f, uint32_t piece)
{
    uint32_t g = f->generation_count;
    while (g > 1 && f->generations[g - 1].first_piece > piece)
        g--;
    return g ? g - 1 : 0;
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
    const struct csi_generation *g = &f->generations[b->generation];
    char packed[4 + 65536];
    if (b->packed < 4 || b->packed > sizeof packed)
        return damaged(err, g, items_name, b->offset, "a block of impossible size");
    ssize_t got = pread(g->fd, packed, b->packed, (off_t)b->offset);
    if (got < 0)
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot read '%s'", items_name);
    if ((uint64_t)got != b->packed)
        return damaged(err, g, items_name, b->offset, "it is cut short");
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
        return damaged(err, g, items_name, b->offset, "a block does not unpack to what was planned");
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

/* All items of a block that was unpacked to `at`; those that were asked for are put into `out`. */
static cfsplit_status parse_items(const struct csi_frozen *f, const struct csi_block *b, char *at,
                                  struct csi_items *out, struct cfsplit_error *err)
{
    const struct csi_generation *g = &f->generations[b->generation];
    const char *end = at + b->unpacked;
    for (uint64_t i = b->first; i < b->first + b->items; i++) {
        struct cfsplit_item item;
        if (!parse_item(&at, end, &item))
            return damaged(err, g, items_name, b->offset, "a block does not hold the items that were planned");
        if (i >= out->first && i - out->first < out->count)
            out->at[i - out->first] = item;
    }
    if (at != end)
        return damaged(err, g, items_name, b->offset, "a block does not hold the items that were planned");
    return CFSPLIT_OK;
}

cfsplit_status csi_frozen_load(const struct csi_frozen *f, uint64_t first, uint64_t count, struct csi_items *out,
                               struct cfsplit_error *err)
{
    csi_items_release(out);
    out->first = first;
    if (count == 0)
        return CFSPLIT_OK;
    if (first >= f->items || count > f->items - first)
        return damaged(err, &f->generations[0], index_name, 0, "an item beyond the last one was asked for");
    size_t from = csi_frozen_block_of(f, first), to = csi_frozen_block_of(f, first + count - 1);
    out->at = calloc(count, sizeof *out->at);
    if (!out->at)
        return csi_fail_memory(err);
    out->count = count;
    cfsplit_status status = CFSPLIT_OK;
    for (size_t b = from; status == CFSPLIT_OK && b <= to; b++)
        status = unpack(f, &f->blocks[b], &out->bytes, err);
    uint64_t offset = 0;
    for (size_t b = from; status == CFSPLIT_OK && b <= to; offset += f->blocks[b++].unpacked)
        status = parse_items(f, &f->blocks[b], out->bytes.data + offset, out, err);
    return status;
}

void csi_items_release(struct csi_items *items)
{
    free(items->at);
    csi_buf_release(&items->bytes);
    *items = (struct csi_items){0};
}

static cfsplit_status check(const struct csi_generation *g, XXH64_state_t *state, char *window, size_t room,
                            struct cfsplit_error *err)
{
    uint64_t offset = 0;
    ssize_t got;
    XXH64_reset(state, 0);
    while ((got = pread(g->fd, window, room, (off_t)offset)) > 0) {
        XXH64_update(state, window, (size_t)got);
        offset += (uint64_t)got;
    }
    if (got < 0)
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot read '%s%s'", g->folder, items_name);
    if (XXH64_digest(state) != g->items_digest)
        return damaged(err, g, items_name, 0, "its bytes are not those that were planned");
    return CFSPLIT_OK;
}

cfsplit_status csi_frozen_check(const struct csi_frozen *f, struct cfsplit_error *err)
{
    enum { room = 1 << 20 };
    XXH64_state_t *state = XXH64_createState();
    char *window = malloc(room);
    cfsplit_status status = state && window ? CFSPLIT_OK : csi_fail_memory(err);
    for (uint32_t g = 0; status == CFSPLIT_OK && g < f->generation_count; g++)
        status = check(&f->generations[g], state, window, room, err);
    free(window);
    XXH64_freeState(state);
    return status;
}
