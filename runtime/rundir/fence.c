#include "rundir/fence.h"

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
#include "rundir/beat.h"

enum { name_bytes = 16 + CSI_INC_BYTES };

static bool parse_seal(const char *text, size_t length, const char *inc, struct csi_seal *out)
{
    const char *tab = length ? memrchr(text, '\t', length) : NULL, *by;
    uint64_t check, sequence, digest;
    size_t by_length;
    if (!tab || text[length - 1] != '\n' || !csi_text_hex(tab + 1, (size_t)(text + length - 1 - tab - 1), &check) ||
        check != XXH64(text, (size_t)(tab + 1 - text), 0))
        return false;
    struct csi_fields f = csi_fields_of(text, length - 1);
    if (!csi_fields_is(&f, "seal") || !csi_fields_is(&f, inc) || !csi_fields_next(&f, &by, &by_length) ||
        by_length >= sizeof out->by || !csi_fields_u64(&f, &out->length) || !csi_fields_u64(&f, &sequence) ||
        !csi_fields_hex(&f, &digest) || !csi_fields_hex(&f, &check) || !csi_fields_done(&f))
        return false;
    uint32_t replica;
    memcpy(out->by, by, by_length);
    out->by[by_length] = '\0';
    return csi_inc_is_name(out->by, &replica);
}

static cfsplit_status read_seal(const struct cfsplit_run *run, const char *inc, struct csi_seal *out,
                                struct cfsplit_error *err)
{
    char name[name_bytes];
    struct csi_buf text = CSI_BUF_INIT;
    snprintf(name, sizeof name, "fence/%.27s.seal", inc);
    cfsplit_status status = csi_io_read(run->fd, name, 4096, &text, err);
    if (status == CFSPLIT_OK && !parse_seal(text.data ? text.data : "", text.length, inc, out))
        status = csi_fail(err, CFSPLIT_DAMAGED, "'%s' is damaged at byte 0: not a seal", name);
    csi_buf_release(&text);
    if (status == CFSPLIT_OK)
        out->state = CSI_FENCE_SEALED;
    return status;
}

cfsplit_status csi_fence_look(const struct cfsplit_run *run, const char *inc, struct csi_seal *out,
                              struct cfsplit_error *err)
{
    char name[name_bytes];
    *out = (struct csi_seal){.state = CSI_FENCE_NONE};
    snprintf(name, sizeof name, "fence/%.27s", inc);
    /* the folder anew: an NFS client then asks again for names that it remembers as missing */
    int folder = csi_io_open(run->fd, "fence", O_RDONLY | O_DIRECTORY);
    if (folder < 0)
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot open folder 'fence'");
    int fd = csi_io_open(folder, inc, O_RDONLY), number = errno;
    close(folder);
    if (fd < 0 && number == ENOENT)
        return CFSPLIT_OK;
    if (fd < 0)
        return csi_fail_errno(err, CFSPLIT_STORAGE, number, "cannot look for '%s'", name);
    close(fd);
    out->state = CSI_FENCE_UNSEALED;
    cfsplit_status status = read_seal(run, inc, out, err);
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}

static cfsplit_status ignore_record(void *context, const struct csi_record *record, struct cfsplit_error *err)
{
    (void)context;
    (void)record;
    (void)err;
    return CFSPLIT_OK;
}

static cfsplit_status put_fence(const struct cfsplit_run *run, const struct csi_inc *by, const char *victim,
                                struct cfsplit_error *err)
{
    char identity[name_bytes], name[name_bytes];
    struct csi_inc who;
    snprintf(identity, sizeof identity, "replicas/%s", by->name);
    snprintf(name, sizeof name, "fence/%s", victim);
    CSI_KILL_POINT("fence.before-link");
    int number = linkat(run->fd, identity, run->fd, name, 0) == 0 ? 0 : errno;
    CSI_KILL_POINT("fence.linked");
    if (number == EEXIST)
        (void)csi_io_await(run->fd, name);
    cfsplit_status status = csi_inc_read(run, name, &who, err);
    if (status == CFSPLIT_END)
        return csi_fail_errno(err, CFSPLIT_STORAGE, number ? number : ENOENT, "cannot create '%s'", name);
    if (status == CFSPLIT_OK)
        status = csi_io_sync_folder(run->fd, "fence", err);
    CSI_KILL_POINT("fence.synced");
    return status;
}

static cfsplit_status put_seal(const struct cfsplit_run *run, const struct csi_inc *by, const struct csi_inc *victim,
                               struct cfsplit_error *err)
{
    struct csi_journal_reader reader = {0};
    struct csi_beat beat;
    struct csi_buf line = CSI_BUF_INIT;
    char name[name_bytes], nonce[17];
    int won = 0;
    cfsplit_status status = csi_beat_read(run, victim->name, &beat, err);
    if (status == CFSPLIT_OK || status == CFSPLIT_END)
        status = csi_journal_read(run, victim, &reader, beat.committed, UINT64_MAX, true, ignore_record, NULL, err);
    if (status == CFSPLIT_OK)
        status = csi_io_nonce(nonce, err);
    if (status != CFSPLIT_OK)
        return status;
    csi_buf_addf(&line, "seal\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%016" PRIx64 "\t", victim->name, by->name,
                 reader.length, reader.sequence, reader.digest);
    csi_buf_addf(&line, "%016" PRIx64 "\n", line.failed ? 0 : (uint64_t)XXH64(line.data, line.length, 0));
    snprintf(name, sizeof name, "%s.seal", victim->name);
    status = csi_buf_check(&line, err);
    CSI_KILL_POINT("seal.before-publish");
    if (status == CFSPLIT_OK)
        status =
            csi_io_publish_first(run->fd, "fence", name, csi_run_mode(run), nonce, line.data, line.length, &won, err);
    CSI_KILL_POINT("seal.published");
    csi_buf_release(&line);
    return status;
}

cfsplit_status csi_fence_end(const struct cfsplit_run *run, const struct csi_inc *by, const struct csi_inc *victim,
                             struct csi_seal *out, struct cfsplit_error *err)
{
    cfsplit_status status = csi_fence_look(run, victim->name, out, err);
    if (status == CFSPLIT_OK && out->state == CSI_FENCE_NONE)
        status = put_fence(run, by, victim->name, err);
    if (status == CFSPLIT_OK && out->state != CSI_FENCE_SEALED)
        status = put_seal(run, by, victim, err);
    if (status == CFSPLIT_OK)
        status = csi_fence_look(run, victim->name, out, err);
    if (status == CFSPLIT_OK && out->state != CSI_FENCE_SEALED)
        status = csi_fail(err, CFSPLIT_STORAGE, "the seal of replica %s cannot be seen", victim->name);
    return status;
}
