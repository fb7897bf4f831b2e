#include "rundir/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lz4frame.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/io.h"
#include "base/killpoint.h"

enum { magic = 0x184D2A50, head_bytes = 8, note_bytes = 32, checked_bytes = 32, piece_max = 64 << 10 };

static const LZ4F_preferences_t preferences = {.frameInfo = {.contentChecksumFlag = LZ4F_contentChecksumEnabled}};

struct note {
    uint32_t generation, attempt;
    uint64_t index;
    uint32_t unpacked, packed;
};

static void put_le(unsigned char *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get_le(const unsigned char *from, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}

static void encode_note(unsigned char *to, const struct note *n)
{
    put_le(to, magic, 4);
    put_le(to + 4, note_bytes, 4);
    put_le(to + 8, n->generation, 4);
    put_le(to + 12, n->attempt, 4);
    put_le(to + 16, n->index, 8);
    put_le(to + 24, n->unpacked, 4);
    put_le(to + 28, n->packed, 4);
    put_le(to + checked_bytes, XXH64(to, checked_bytes, 0), 8);
}

static bool decode_note(const unsigned char *from, struct note *n)
{
    *n = (struct note){.generation = (uint32_t)get_le(from + 8, 4),
                       .attempt = (uint32_t)get_le(from + 12, 4),
                       .index = get_le(from + 16, 8),
                       .unpacked = (uint32_t)get_le(from + 24, 4),
                       .packed = (uint32_t)get_le(from + 28, 4)};
    return get_le(from + checked_bytes, 8) == XXH64(from, checked_bytes, 0) && get_le(from, 4) == magic &&
           get_le(from + 4, 4) == note_bytes && n->unpacked <= piece_max && n->packed <= 2 * piece_max;
}

cfsplit_status csi_output_open(struct csi_output *o, const struct cfsplit_run *run, const char *inc,
                               struct cfsplit_error *err)
{
    *o = (struct csi_output){.fd = -1};
    snprintf(o->name, sizeof o->name, "output/%.27s", inc);
    o->fd = csi_io_create(run->fd, o->name, csi_run_mode(run));
    if (o->fd < 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot create '%s'", o->name);
    CSI_KILL_POINT("output.created");
    return CFSPLIT_OK;
}

cfsplit_status csi_output_add(struct csi_output *o, uint32_t generation, uint64_t index, uint32_t attempt,
                              const void *data, size_t length, struct cfsplit_error *err)
{
    size_t bound = LZ4F_compressFrameBound(length, &preferences);
    csi_buf_clear(&o->frame);
    char *to = csi_buf_reserve(&o->frame, head_bytes + note_bytes + bound);
    if (!to)
        return csi_fail_memory(err);
    size_t packed = LZ4F_compressFrame(to + head_bytes + note_bytes, bound, data, length, &preferences);
    if (LZ4F_isError(packed))
        return csi_fail(err, CFSPLIT_MEMORY, "cannot compress output: %s", LZ4F_getErrorName(packed));
    struct note note = {generation, attempt, index, (uint32_t)length, (uint32_t)packed};
    encode_note((unsigned char *)to, &note);
    size_t total = head_bytes + note_bytes + packed;
    CSI_KILL_POINT("output.before-write");
    CSI_KILL_POINT_HALF("output.half-written", o->fd, to, total, o->length);
    if (csi_io_pwrite_all(o->fd, to, total, o->length) != 0)
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot write '%s'", o->name);
    CSI_KILL_POINT("output.written");
    o->length += total;
    return CFSPLIT_OK;
}

cfsplit_status csi_output_close(struct csi_output *o, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    if (o->fd < 0)
        return status;
    if (fsync(o->fd) != 0)
        status = csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot sync '%s'", o->name);
    if (close(o->fd) != 0 && status == CFSPLIT_OK)
        status = csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot close '%s'", o->name);
    CSI_KILL_POINT("output.closed");
    o->fd = -1;
    csi_buf_release(&o->frame);
    return status;
}

static bool unpack(const char *packed, const struct note *note, char *to)
{
    LZ4F_dctx *lz4;
    size_t in = note->packed, out = note->unpacked;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&lz4, LZ4F_VERSION)))
        return false;
    size_t rest = LZ4F_decompress(lz4, to, &out, packed, &in, NULL);
    LZ4F_freeDecompressionContext(lz4);
    return rest == 0 && out == note->unpacked && in == note->packed;
}

cfsplit_status csi_output_read(const struct cfsplit_run *run, const char *inc, uint32_t generation, uint64_t index,
                               uint32_t attempt, uint64_t from, uint64_t to,
                               cfsplit_status (*take)(void *context, const void *data, size_t length,
                                                      struct cfsplit_error *err),
                               void *context, bool *torn, struct cfsplit_error *err)
{
    char name[8 + CSI_INC_BYTES], *packed = malloc((size_t)2 * piece_max), *plain = malloc(piece_max);
    cfsplit_status status = packed && plain ? CFSPLIT_OK : csi_fail_memory(err);
    snprintf(name, sizeof name, "output/%.27s", inc);
    int fd = csi_io_open(run->fd, name, O_RDONLY);
    *torn = false;
    if (fd < 0 && status == CFSPLIT_OK)
        status = csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_DAMAGED), errno, "cannot open '%s'", name);
    while (status == CFSPLIT_OK && from < to) {
        unsigned char head[head_bytes + note_bytes];
        struct note note = {0};
        ssize_t got = pread(fd, head, sizeof head, (off_t)from);
        if (got == 0 && to == UINT64_MAX)
            break;
        bool good = got == (ssize_t)sizeof head && decode_note(head, &note);
        bool wanted = good && note.generation == generation && note.index == index && note.attempt == attempt;
        if (wanted)
            good = pread(fd, packed, note.packed, (off_t)(from + sizeof head)) == (ssize_t)note.packed &&
                   unpack(packed, &note, plain);
        if (!good && to == UINT64_MAX)
            *torn = true;
        else if (!good)
            status = csi_fail(err, CFSPLIT_DAMAGED, "'%s' is damaged at byte %" PRIu64, name, from);
        if (!good)
            break;
        if (wanted)
            status = take(context, plain, note.unpacked, err);
        from += sizeof head + note.packed;
    }
    if (fd >= 0)
        close(fd);
    free(packed);
    free(plain);
    return status;
}
