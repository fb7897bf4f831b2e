/* A list in a regular file, read in blocks by more than one thread. */
#ifndef CSI_LIST_BLOCKS_H
#define CSI_LIST_BLOCKS_H

#include <sys/stat.h>

#include <cfsplit/unstable.h>

#include "list/scan.h"

struct csi_blocks {
    int fd; /* borrowed */
    struct cfsplit_quoted shown;
    enum csi_scan_mode mode;
    uint64_t start, bytes; /* of the file, from where the list begins to its end */
    size_t block_bytes, count;
    uint64_t *before; /* count + 1 of them: items that begin before block i; they hold up to and with `known` */
    size_t known;
    struct stat seen; /* the file as it was at first */
};

/* Looks at an open file from `start` on; block_bytes 0: what is best. Nothing is read. Free with csi_blocks_release. */
CFSPLIT_MUST_USE cfsplit_status csi_blocks_init(struct csi_blocks *blocks, int fd, uint64_t start,
                                                enum csi_scan_mode mode, size_t block_bytes, struct cfsplit_error *err);
void csi_blocks_release(struct csi_blocks *blocks);

/* Whether an open file is still as it was. Errors: CFSPLIT_USAGE if it has changed. */
CFSPLIT_MUST_USE cfsplit_status csi_blocks_check_same(int fd, const struct stat *seen,
                                                      const struct cfsplit_quoted *shown, struct cfsplit_error *err);

/* Where a walk ended before the end of the file: at something that needs a closer look (list/scan.h). */
struct csi_blocks_end {
    bool odd;
    uint64_t at;   /* the place in the file, from `start`, from where to look: a line begins there */
    bool is_known; /* the item that begins there is counted, and put if it was to be */
};

/* Counts all items: `known` is `count` then, unless the end is odd. */
CFSPLIT_MUST_USE cfsplit_status csi_blocks_count(struct csi_blocks *blocks, struct csi_blocks_end *end,
                                                 struct cfsplit_error *err);

/* Puts the items that are picked, in order, one call at a time, perhaps in another thread. Where all is counted, only the
 * blocks that hold them are read. `pick` is what is left then, for the next file or for who takes the closer look.
 * Errors: CFSPLIT_USAGE if the file changes meanwhile. */
CFSPLIT_MUST_USE cfsplit_status csi_blocks_pick(struct csi_blocks *blocks, struct cfsplit_pick *pick,
                                                struct csi_blocks_end *end, struct cfsplit_error *err);

#endif
