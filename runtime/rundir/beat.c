#include "rundir/beat.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/io.h"
#include "base/killpoint.h"
#include "base/text.h"

enum { slot_bytes = 256, slot_count = 2 };

static void encode(const struct csi_beat *b, char slot[slot_bytes + 1])
{
    int n = snprintf(slot, slot_bytes,
                     "beat\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
                     "\t%" PRIu64 "\t%" PRIu64 "\t",
                     b->sequence, b->committed, b->running, b->started, b->done, b->failed, b->rejected, b->state,
                     b->age_ms);
    n += snprintf(slot + n, (size_t)(slot_bytes - n), "%016" PRIx64, (uint64_t)XXH64(slot, (size_t)n, 0));
    memset(slot + n, ' ', (size_t)(slot_bytes - n));
    slot[slot_bytes - 1] = '\n';
}

static bool decode(const char *slot, struct csi_beat *b)
{
    const char *stop = memchr(slot, ' ', slot_bytes);
    size_t length = stop ? (size_t)(stop - slot) : 0;
    struct csi_fields f = csi_fields_of(slot, length);
    uint64_t check;
    return csi_fields_is(&f, "beat") && csi_fields_u64(&f, &b->sequence) && csi_fields_u64(&f, &b->committed) &&
           csi_fields_u64(&f, &b->running) && csi_fields_u64(&f, &b->started) && csi_fields_u64(&f, &b->done) &&
           csi_fields_u64(&f, &b->failed) && csi_fields_u64(&f, &b->rejected) && csi_fields_u64(&f, &b->state) &&
           csi_fields_u64(&f, &b->age_ms) && csi_fields_hex(&f, &check) && csi_fields_done(&f) &&
           check == XXH64(slot, length - 16, 0);
}

cfsplit_status csi_beat_open(const struct cfsplit_run *run, const char *inc, int *fd, struct cfsplit_error *err)
{
    char name[8 + CSI_INC_BYTES];
    snprintf(name, sizeof name, "beat/%.27s", inc);
    *fd = csi_io_create(run->fd, name, csi_run_mode(run));
    if (*fd < 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot create '%s'", name);
    CSI_KILL_POINT("beat.created");
    struct csi_beat first = {.sequence = 1};
    return csi_beat_write(*fd, &first, err);
}

cfsplit_status csi_beat_write(int fd, const struct csi_beat *beat, struct cfsplit_error *err)
{
    char slot[slot_bytes + 1];
    encode(beat, slot);
    uint64_t at = beat->sequence % slot_count * slot_bytes;
    CSI_KILL_POINT("beat.before-write");
    CSI_KILL_POINT_HALF("beat.half-written", fd, slot, slot_bytes, at);
    int failed = csi_io_pwrite_all(fd, slot, slot_bytes, at);
    CSI_KILL_POINT("beat.written");
    if (failed || fdatasync(fd) != 0)
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot write the beat");
    CSI_KILL_POINT("beat.synced");
    return CFSPLIT_OK;
}

cfsplit_status csi_beat_read(const struct cfsplit_run *run, const char *inc, struct csi_beat *out,
                             struct cfsplit_error *err)
{
    char name[8 + CSI_INC_BYTES];
    struct csi_buf text = CSI_BUF_INIT;
    *out = (struct csi_beat){0};
    snprintf(name, sizeof name, "beat/%.27s", inc);
    cfsplit_status status = csi_io_read(run->fd, name, (size_t)slot_bytes * slot_count, &text, err);
    for (size_t i = 0; status == CFSPLIT_OK && i < slot_count && (i + 1) * slot_bytes <= text.length; i++) {
        struct csi_beat one;
        if (decode(text.data + i * (size_t)slot_bytes, &one) && one.sequence > out->sequence)
            *out = one;
    }
    csi_buf_release(&text);
    if (status == CFSPLIT_OK && out->sequence == 0)
        status = CFSPLIT_END;
    return status;
}
