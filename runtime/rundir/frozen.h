/* The frozen list: items.lz4 and items.idx, and those of each generation that was added (docs/run-directory.md). An index is an
 * item's place in all of it, from 0; indices, blocks and pieces are numbered on from generation to generation. */
#ifndef CSI_RUNDIR_FROZEN_H
#define CSI_RUNDIR_FROZEN_H

#include "rundir/layout.h"

struct csi_block {
    uint64_t first, items;   /* indices */
    uint64_t offset, packed; /* bytes of the file */
    uint64_t unpacked, digest;
    uint32_t generation;
};

struct csi_piece {
    uint32_t share; /* replica id, from 1; 0: nobody's */
    uint64_t first, items;
};

struct csi_generation {
    int fd;          /* items.lz4 */
    char folder[24]; /* "" or "extend/<generation>/" */
    uint64_t first;  /* index of its first item */
    uint32_t first_piece;
    uint64_t items_digest;
};

struct csi_frozen {
    struct csi_generation *generations;
    uint32_t generation_count;
    struct csi_block *blocks;
    size_t block_count;
    struct csi_piece *pieces;
    size_t piece_count;
    uint64_t items;
};

/* Some consecutive items, unpacked. */
struct csi_items {
    uint64_t first, count;
    struct cfsplit_item *at;
    struct csi_buf bytes;
};

/* Writes both files of a generation, whose first item has index `first`, into folder `dir` and sets the two digests. */
CFSPLIT_MUST_USE cfsplit_status csi_frozen_write(int dir, const char *run_id, uint32_t generation, uint64_t first,
                                                 const struct cfsplit_list *list, const struct csi_layout *layout,
                                                 uint64_t *items_digest, uint64_t *index_digest,
                                                 struct cfsplit_error *err);

/* Reads the index of the next generation, of so many items, and opens its items; `dir` is the run directory. `frozen` is all
 * zeros before the first, and as it was after a failure. Errors: CFSPLIT_DAMAGED. Close in any case. */
CFSPLIT_MUST_USE cfsplit_status csi_frozen_add(struct csi_frozen *frozen, int dir, const char *run_id,
                                               uint64_t items_digest, uint64_t index_digest, uint64_t items,
                                               struct cfsplit_error *err);
void csi_frozen_close(struct csi_frozen *frozen);

/* Unpacks and verifies items first..first+count-1, reading no block but theirs; what `out` held before is dropped.
 * Errors: CFSPLIT_DAMAGED with file and offset. Release with csi_items_release. */
CFSPLIT_MUST_USE cfsplit_status csi_frozen_load(const struct csi_frozen *frozen, uint64_t first, uint64_t count,
                                                struct csi_items *out, struct cfsplit_error *err);
void csi_items_release(struct csi_items *items);
static inline const struct cfsplit_item *csi_items_at(const struct csi_items *items, uint64_t index)
{
    return &items->at[index - items->first];
}

/* The block and the piece that hold an item. */
size_t csi_frozen_block_of(const struct csi_frozen *frozen, uint64_t index);
uint32_t csi_frozen_piece_of(const struct csi_frozen *frozen, uint64_t index);

/* The generation that an item or a piece belongs to. */
uint32_t csi_frozen_generation_of(const struct csi_frozen *frozen, uint64_t index);
uint32_t csi_frozen_generation_of_piece(const struct csi_frozen *frozen, uint32_t piece);

/* Compares all of each items.lz4 with its digest. Errors: CFSPLIT_DAMAGED. */
CFSPLIT_MUST_USE cfsplit_status csi_frozen_check(const struct csi_frozen *frozen, struct cfsplit_error *err);

#endif
