#include "rundir/journal.h"

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

enum { reserve_step = 64 << 10, reserve_step_max = 1 << 20, zeros_at_once = 16 << 10 }; /* multiples of the next */

/* ---- writing */

static cfsplit_status broken(struct csi_journal *j, int number, const char *what, struct cfsplit_error *err)
{
    j->broken = true;
    return csi_fail_errno(err, CFSPLIT_STORAGE, number, "cannot %s '%s'", what, j->name);
}

static cfsplit_status refuse(const struct csi_journal *j, struct cfsplit_error *err)
{
    return csi_fail(err, CFSPLIT_STORAGE, "'%s' failed before and is not written to again", j->name);
}

/* In small writes: what a large one leaves in the page cache is one large folio, and every line that is written into that later
 * costs the file system a walk over all of its blocks. */
static int write_zeros(const struct csi_journal *j, uint64_t bytes)
{
    static const char zeros[zeros_at_once];
    CSI_KILL_POINT_HALF("journal.zeros-half-written", j->fd, zeros, zeros_at_once, j->reserved);
    for (uint64_t at = 0; at < bytes; at += zeros_at_once)
        if (csi_io_pwrite_all(j->fd, zeros, zeros_at_once, j->reserved + at) != 0)
            return -1;
    return 0;
}

cfsplit_status csi_journal_reserve(struct csi_journal *j, uint64_t bytes, struct cfsplit_error *err)
{
    if (j->broken)
        return refuse(j, err);
    if (j->length + j->group.length + bytes <= j->reserved)
        return CFSPLIT_OK;
    uint64_t step = j->reserved < reserve_step_max ? reserve_step : reserve_step_max;
    while (j->length + j->group.length + bytes > j->reserved + step)
        step += reserve_step;
    cfsplit_status status = CFSPLIT_OK;
    if (write_zeros(j, step) != 0) {
        /* no room for more: what was reserved is still there, for the ends of what runs */
        int number = errno;
        status = ftruncate(j->fd, (off_t)j->reserved) == 0
                     ? csi_fail_errno(err, CFSPLIT_STORAGE, number, "cannot make room in '%s'", j->name)
                     : broken(j, errno, "make room in", err);
    } else if (fdatasync(j->fd) != 0) {
        status = broken(j, errno, "make room in", err);
    } else {
        j->synced = j->length;
        j->reserved += step;
    }
    CSI_KILL_POINT("journal.reserved");
    return status;
}

cfsplit_status csi_journal_open(struct csi_journal *j, const struct cfsplit_run *run, const struct csi_inc *inc,
                                struct cfsplit_error *err)
{
    *j = (struct csi_journal){.fd = -1};
    snprintf(j->name, sizeof j->name, "journal/%s", inc->name);
    j->fd = csi_io_create(run->fd, j->name, csi_run_mode(run));
    if (j->fd < 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot create '%s'", j->name);
    CSI_KILL_POINT("journal.created");
    csi_buf_addf(&j->group, "cfsplit-journal\t1\t%s\t%s\n", run->spec.run_id, inc->name);
    cfsplit_status status = csi_journal_reserve(j, 4096, err);
    if (status == CFSPLIT_OK)
        status = csi_journal_write(j, err);
    CSI_KILL_POINT("journal.head-written");
    if (status == CFSPLIT_OK)
        status = csi_journal_sync(j, err);
    if (status == CFSPLIT_OK)
        status = csi_io_sync_folder(run->fd, "journal", err);
    CSI_KILL_POINT("journal.opened");
    return status;
}

cfsplit_status csi_journal_write(struct csi_journal *j, struct cfsplit_error *err)
{
    if (j->broken)
        return refuse(j, err);
    if (j->group.length == 0)
        return csi_buf_check(&j->group, err);
    uint64_t digest = XXH64(j->group.data, j->group.length, j->digest);
    csi_buf_add_text(&j->group, "commit\t");
    csi_text_add_u64(&j->group, j->sequence + 1);
    csi_buf_add_char(&j->group, '\t');
    csi_text_add_hex(&j->group, digest);
    csi_buf_add_char(&j->group, '\n');
    if (j->group.failed) {
        j->broken = true;
        return csi_fail_memory(err);
    }
    CSI_KILL_POINT("journal.before-group");
    CSI_KILL_POINT_HALF("journal.group-half-written", j->fd, j->group.data, j->group.length, j->length);
    if (csi_io_pwrite_all(j->fd, j->group.data, j->group.length, j->length) != 0)
        return broken(j, errno, "write", err);
    CSI_KILL_POINT("journal.group-written");
    j->length += j->group.length;
    if (j->reserved < j->length)
        j->reserved = j->length;
    j->sequence++;
    j->digest = digest;
    csi_buf_clear(&j->group);
    return CFSPLIT_OK;
}

cfsplit_status csi_journal_sync(struct csi_journal *j, struct cfsplit_error *err)
{
    if (j->broken)
        return refuse(j, err);
    if (j->synced == j->length)
        return CFSPLIT_OK;
    if (fdatasync(j->fd) != 0)
        return broken(j, errno, "sync", err);
    CSI_KILL_POINT("journal.synced");
    j->synced = j->length;
    return CFSPLIT_OK;
}

cfsplit_status csi_journal_close(struct csi_journal *j, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    if (j->fd < 0)
        return CFSPLIT_OK;
    CSI_KILL_POINT("journal.before-cut");
    int failed = !j->broken && ftruncate(j->fd, (off_t)j->length) != 0;
    CSI_KILL_POINT("journal.cut");
    if (failed || (!j->broken && fsync(j->fd) != 0))
        status = broken(j, errno, "sync", err);
    if (close(j->fd) != 0 && status == CFSPLIT_OK)
        status = broken(j, errno, "close", err);
    CSI_KILL_POINT("journal.closed");
    j->fd = -1;
    csi_buf_release(&j->group);
    return status;
}

/* ---- reading */

typedef cfsplit_status take_record(void *context, const struct csi_record *record, struct cfsplit_error *err);

struct reading {
    struct csi_journal_reader *reader;
    const char *name, *run_id, *inc;
    take_record *take;
    void *context;
};

static bool is_head(const struct reading *r, const char *line, size_t length)
{
    struct csi_fields f = csi_fields_of(line, length);
    return csi_fields_is(&f, "cfsplit-journal") && csi_fields_is(&f, "1") && csi_fields_is(&f, r->run_id) &&
           csi_fields_is(&f, r->inc) && csi_fields_done(&f);
}

/* All lines of one whole group, which begins at byte `offset` of the file. */
static cfsplit_status take_group(struct reading *r, const char *group, size_t length, uint64_t offset,
                                 struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    if (offset == 0 && length == 0)
        return csi_fail(err, CFSPLIT_DAMAGED, "'%s' is damaged at byte 0: it has no head", r->name);
    for (const char *at = group; status == CFSPLIT_OK && at < group + length;) {
        const char *stop = memchr(at, '\n', (size_t)(group + length - at));
        struct csi_record record;
        uint64_t here = offset + (uint64_t)(at - group);
        if (here == 0 && is_head(r, at, (size_t)(stop - at))) {
            at = stop + 1;
            continue;
        }
        if (here == 0 || !csi_record_parse(at, (size_t)(stop - at), &record))
            return csi_fail(err, CFSPLIT_DAMAGED, "'%s' is damaged at byte %" PRIu64 ": not a record", r->name, here);
        record.at = here;
        r->reader->closed |= record.kind == CSI_RECORD_CLOSED;
        status = r->take(r->context, &record, err);
        at = stop + 1;
    }
    return status;
}

static bool is_commit(const char *line, size_t length, uint64_t *sequence, uint64_t *digest)
{
    struct csi_fields f = csi_fields_of(line, length);
    return length > 7 && memcmp(line, "commit\t", 7) == 0 && csi_fields_is(&f, "commit") &&
           csi_fields_u64(&f, sequence) && csi_fields_hex(&f, digest) && csi_fields_done(&f);
}

/* Takes the whole groups at the head of `window`; *used is their length. */
static cfsplit_status take_groups(struct reading *r, const char *window, size_t length, size_t *used,
                                  struct cfsplit_error *err)
{
    struct csi_journal_reader *reader = r->reader;
    const char *group = window, *end = window + length;
    *used = 0;
    for (const char *at = window; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        uint64_t sequence, digest;
        if (!stop || *at == '\0')
            break;
        if (is_commit(at, (size_t)(stop - at), &sequence, &digest)) {
            if (sequence != reader->sequence + 1 || XXH64(group, (size_t)(at - group), reader->digest) != digest)
                break;
            cfsplit_status status = take_group(r, group, (size_t)(at - group), reader->length, err);
            if (status != CFSPLIT_OK)
                return status;
            reader->length += (uint64_t)(stop + 1 - group);
            reader->sequence = sequence;
            reader->digest = digest;
            group = stop + 1;
            *used = (size_t)(group - window);
        }
        at = stop + 1;
    }
    return CFSPLIT_OK;
}

/* Reads on until the end, a NUL, or a group that is not whole. */
static cfsplit_status read_groups(struct reading *r, int fd, uint64_t limit, struct cfsplit_error *err)
{
    struct csi_buf window = CSI_BUF_INIT;
    size_t step = 4096;
    cfsplit_status status = CFSPLIT_OK;
    while (status == CFSPLIT_OK) {
        uint64_t offset = r->reader->length + window.length;
        char *to = csi_buf_reserve(&window, step);
        ssize_t got = !to               ? -1
                      : offset >= limit ? 0
                                        : pread(fd, to, step < limit - offset ? step : limit - offset, (off_t)offset);
        if (got < 0) {
            status =
                to ? csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot read '%s'", r->name) : csi_fail_memory(err);
            break;
        }
        window.length += (size_t)got;
        size_t used;
        status = take_groups(r, window.data, window.length, &used, err);
        csi_buf_consume(&window, used);
        const char *nul = memchr(window.data, '\0', window.length);
        if (got == 0 || nul) {
            r->reader->tail = nul ? (uint64_t)(nul - window.data) : window.length;
            break;
        }
        if (step < 65536 || (used == 0 && step < (64u << 20))) /* a group may be larger than the window */
            step *= 2;
    }
    csi_buf_release(&window);
    return status;
}

cfsplit_status csi_journal_read(const struct cfsplit_run *run, const struct csi_inc *inc,
                                struct csi_journal_reader *reader, uint64_t vouched, uint64_t limit, bool sync,
                                take_record *take, void *context, struct cfsplit_error *err)
{
    char name[8 + CSI_INC_BYTES];
    snprintf(name, sizeof name, "journal/%s", inc->name);
    struct reading r = {reader, name, run->spec.run_id, inc->name, take, context};
    int fd = csi_io_open(run->fd, name, O_RDONLY);
    if (fd < 0 && errno == ENOENT && vouched > 0 && csi_io_await(run->fd, name))
        fd = csi_io_open(run->fd, name, O_RDONLY);
    if (fd < 0 && errno == ENOENT && vouched == 0)
        return CFSPLIT_OK;
    if (fd < 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_DAMAGED), errno, "cannot open '%s'", name);
    cfsplit_status status = CFSPLIT_OK;
    if (sync && fdatasync(fd) != 0 && errno != EROFS && errno != EINVAL) {
        status = csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot sync '%s'", name);
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* who asks again is told what is on disk, not what should be */
    }
    if (status == CFSPLIT_OK)
        status = read_groups(&r, fd, limit, err);
    close(fd);
    if (status == CFSPLIT_OK && reader->length < vouched)
        status = csi_fail(err, CFSPLIT_DAMAGED,
                          "'%s' is damaged at byte %" PRIu64 ": %" PRIu64 " bytes were on disk and are not whole", name,
                          reader->length, vouched);
    return status;
}

cfsplit_status csi_journal_record_at(const struct cfsplit_run *run, const char *inc, uint64_t at, struct csi_buf *line,
                                     struct csi_record *out, struct cfsplit_error *err)
{
    char name[8 + CSI_INC_BYTES];
    snprintf(name, sizeof name, "journal/%.27s", inc);
    csi_buf_clear(line);
    int fd = csi_io_open(run->fd, name, O_RDONLY);
    char *to = csi_buf_reserve(line, 4096);
    ssize_t got = fd >= 0 && to ? pread(fd, to, 4096, (off_t)at) : -1;
    int number = errno;
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return csi_fail_errno(err, CFSPLIT_STORAGE, number, "cannot read '%s'", name);
    line->length = (size_t)got;
    const char *stop = memchr(line->data, '\n', line->length);
    if (!stop || !csi_record_parse(line->data, (size_t)(stop - line->data), out))
        return csi_fail(err, CFSPLIT_DAMAGED, "'%s' is damaged at byte %" PRIu64 ": not a record", name, at);
    out->at = at;
    return CFSPLIT_OK;
}
