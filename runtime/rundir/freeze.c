/* The writing half of frozen.h. */
#include <inttypes.h>
#include <lz4frame.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/io.h"
#include "base/killpoint.h"
#include "base/text.h"
#include "list/list.h"
#include "rundir/frozen.h"

enum { block_bytes = 65536 };

struct freezer {
    int fd;
    LZ4F_cctx *lz4;
    XXH64_state_t *digest;
    struct csi_buf index, weight;
    char *packed;
    size_t packed_room;
    uint64_t offset, items; /* of the file so far; index of the next item */
    size_t used;            /* bytes of the open block */
    uint64_t block_items;
    char block[block_bytes];
};

static const LZ4F_preferences_t preferences = {
    .frameInfo = {.blockSizeID = LZ4F_max64KB,
                  .blockMode = LZ4F_blockIndependent,
                  .contentChecksumFlag = LZ4F_contentChecksumEnabled},
    .autoFlush = 1,
};

static cfsplit_status put(struct freezer *z, size_t packed, struct cfsplit_error *err)
{
    if (LZ4F_isError(packed))
        return csi_fail(err, CFSPLIT_MEMORY, "cannot compress the list: %s", LZ4F_getErrorName(packed));
    CSI_KILL_POINT_HALF("plan.items-half-written", z->fd, z->packed, packed, z->offset);
    if (csi_io_write_all(z->fd, z->packed, packed) != 0)
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot write 'items.lz4'");
    XXH64_update(z->digest, z->packed, packed);
    z->offset += packed;
    return CFSPLIT_OK;
}

static cfsplit_status end_block(struct freezer *z, struct cfsplit_error *err)
{
    if (z->used == 0)
        return CFSPLIT_OK;
    uint64_t offset = z->offset;
    size_t packed = LZ4F_compressUpdate(z->lz4, z->packed, z->packed_room, z->block, z->used, NULL);
    cfsplit_status status = put(z, packed, err);
    csi_buf_addf(&z->index, "block\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%zu\t%zu\t%016" PRIx64 "\n", z->items,
                 z->block_items, offset, packed, z->used, (uint64_t)XXH64(z->block, z->used, 0));
    z->items += z->block_items;
    z->block_items = 0;
    z->used = 0;
    return status;
}

static cfsplit_status add_item(struct freezer *z, const struct cfsplit_item *item, struct cfsplit_error *err)
{
    csi_buf_clear(&z->weight);
    csi_text_add_u64(&z->weight, item->weight);
    csi_buf_add_char(&z->weight, '\t');
    if (z->weight.failed)
        return csi_fail_memory(err);
    size_t digits = z->weight.length, need = digits + item->length + 1;
    cfsplit_status status = z->used + need > block_bytes ? end_block(z, err) : CFSPLIT_OK;
    if (status != CFSPLIT_OK)
        return status;
    memcpy(z->block + z->used, z->weight.data, digits);
    memcpy(z->block + z->used + digits, item->name, item->length + 1);
    z->used += need;
    z->block_items++;
    return CFSPLIT_OK;
}

/* The order of work jumps about in the list: what comes in a while is fetched ahead. */
static void fetch_ahead(const struct cfsplit_list *list, const uint64_t *order, uint64_t i)
{
    enum { bytes_ahead = 12, place_ahead = 24 };
    uint64_t n = cfsplit_list_count(list);
    if (i + place_ahead < n)
        csi_list_fetch_place(list, order[i + place_ahead]);
    if (i + bytes_ahead < n)
        csi_list_fetch_bytes(list, order[i + bytes_ahead]);
}

static cfsplit_status add_items(struct freezer *z, const struct cfsplit_list *list, const uint64_t *order,
                                struct cfsplit_error *err)
{
    cfsplit_status status = put(z, LZ4F_compressBegin(z->lz4, z->packed, z->packed_room, &preferences), err);
    uint64_t n = cfsplit_list_count(list);
    for (uint64_t i = 0; status == CFSPLIT_OK && i < n; i++) {
        if (order)
            fetch_ahead(list, order, i);
        struct cfsplit_item item = cfsplit_list_at(list, order ? order[i] : i);
        status = add_item(z, &item, err);
    }
    if (status == CFSPLIT_OK)
        status = end_block(z, err);
    if (status == CFSPLIT_OK)
        status = put(z, LZ4F_compressEnd(z->lz4, z->packed, z->packed_room, NULL), err);
    return status;
}

static void add_pieces(struct freezer *z, const struct csi_layout *layout, uint64_t first)
{
    for (size_t p = 0; p < layout->cut_count; p++) {
        csi_buf_addf(&z->index, "piece\t%" PRIu32 "\t%" PRIu64 "\t%" PRIu64 "\n", layout->cuts[p].share, first,
                     layout->cuts[p].items);
        first += layout->cuts[p].items;
    }
}

static cfsplit_status open_freezer(struct freezer *z, int dir, struct cfsplit_error *err)
{
    z->packed_room = LZ4F_compressBound(block_bytes, &preferences) + 64;
    z->packed = malloc(z->packed_room);
    z->digest = XXH64_createState();
    if (!z->packed || !z->digest || LZ4F_isError(LZ4F_createCompressionContext(&z->lz4, LZ4F_VERSION)))
        return csi_fail_memory(err);
    XXH64_reset(z->digest, 0);
    z->fd = openat(dir, "items.lz4", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (z->fd < 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot create 'items.lz4'");
    return CFSPLIT_OK;
}

cfsplit_status csi_frozen_write(int dir, const char *run_id, uint32_t generation, uint64_t first,
                                const struct cfsplit_list *list, const struct csi_layout *layout,
                                uint64_t *items_digest, uint64_t *index_digest, struct cfsplit_error *err)
{
    struct freezer *z = calloc(1, sizeof *z);
    if (!z)
        return csi_fail_memory(err);
    z->fd = -1;
    cfsplit_status status = open_freezer(z, dir, err);
    if (status != CFSPLIT_OK)
        goto out;
    z->items = first;
    csi_buf_addf(&z->index, "cfsplit-index\t1\t%s\t%" PRIu32 "\n", run_id, generation);
    if ((status = add_items(z, list, layout->order, err)) != CFSPLIT_OK)
        goto out;
    add_pieces(z, layout, first);
    csi_buf_addf(&z->index, "end\t%016" PRIx64 "\n", (uint64_t)XXH64(z->index.data, z->index.length, 0));
    if ((status = csi_buf_check(&z->index, err)) != CFSPLIT_OK)
        goto out;
    CSI_KILL_POINT("plan.items-written");
    int failed = fsync(z->fd) != 0 ? errno : 0;
    if (close(z->fd) != 0 && !failed)
        failed = errno;
    CSI_KILL_POINT("plan.items-synced");
    z->fd = -1;
    *items_digest = XXH64_digest(z->digest);
    *index_digest = XXH64(z->index.data, z->index.length, 0);
    status = failed ? csi_fail_errno(err, CFSPLIT_STORAGE, failed, "cannot write 'items.lz4'")
                    : csi_io_write_new(dir, "items.idx", 0600, z->index.data, z->index.length, err);
out:
    if (z->fd >= 0)
        close(z->fd);
    LZ4F_freeCompressionContext(z->lz4);
    XXH64_freeState(z->digest);
    csi_buf_release(&z->index);
    csi_buf_release(&z->weight);
    free(z->packed);
    free(z);
    return status;
}
