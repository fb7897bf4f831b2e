#include "rundir/order.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/io.h"
#include "base/killpoint.h"
#include "base/text.h"

/* Publishes data as the first number of `folder` that is free. */
static cfsplit_status publish_next(const struct cfsplit_run *run, const char *folder, const struct csi_buf *data,
                                   struct cfsplit_error *err)
{
    char nonce[17], name[16];
    int won = 0;
    cfsplit_status status = csi_buf_check(data, err);
    if (status == CFSPLIT_OK)
        status = csi_io_nonce(nonce, err);
    CSI_KILL_POINT("order.before-publish");
    for (uint32_t n = 1; status == CFSPLIT_OK && !won; n++) {
        snprintf(name, sizeof name, "%" PRIu32, n);
        status =
            csi_io_publish_first(run->fd, folder, name, csi_run_mode(run), nonce, data->data, data->length, &won, err);
    }
    CSI_KILL_POINT("order.published");
    return status;
}

cfsplit_status csi_order_retry(const struct cfsplit_run *run, const struct csi_reopened *items, size_t count,
                               struct cfsplit_error *err)
{
    struct csi_buf text = CSI_BUF_INIT;
    csi_buf_addf(&text, "cfsplit-retry\t1\t%s\t%" PRIu64 "\n", run->spec.run_id, csi_clock_wall_ms());
    for (size_t i = 0; i < count; i++)
        csi_buf_addf(&text, "item\t0\t%" PRIu64 "\t%" PRIu32 "\n", items[i].index, items[i].attempts);
    csi_buf_addf(&text, "end\t%016" PRIx64 "\n", text.failed ? 0 : (uint64_t)XXH64(text.data, text.length, 0));
    cfsplit_status status = publish_next(run, "retry", &text, err);
    csi_buf_release(&text);
    return status;
}

static bool parse_retry(const struct cfsplit_run *run, const char *text, size_t length, struct csi_reopened *items,
                        size_t *count)
{
    const char *at = text, *end = text + length, *stop = memchr(at, '\n', length);
    if (!stop)
        return false;
    struct csi_fields f = csi_fields_of(at, (size_t)(stop - at));
    if (!csi_fields_is(&f, "cfsplit-retry") || !csi_fields_is(&f, "1") || !csi_fields_is(&f, run->spec.run_id))
        return false;
    for (at = stop + 1; at < end; at = stop + 1) {
        uint64_t generation, attempts, digest;
        stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            return false;
        f = csi_fields_of(at, (size_t)(stop - at));
        if (*at == 'e')
            return csi_fields_is(&f, "end") && csi_fields_hex(&f, &digest) && stop + 1 == end &&
                   digest == XXH64(text, (size_t)(at - text), 0);
        if (!csi_fields_is(&f, "item") || !csi_fields_u64(&f, &generation) ||
            !csi_fields_u64(&f, &items[*count].index) || !csi_fields_u64(&f, &attempts) || attempts > UINT32_MAX ||
            items[*count].index >= run->spec.items)
            return false;
        items[(*count)++].attempts = (uint32_t)attempts;
    }
    return false;
}

cfsplit_status csi_order_read_retry(const struct cfsplit_run *run, uint32_t number, struct csi_reopened **items,
                                    size_t *count, struct cfsplit_error *err)
{
    char name[24];
    struct csi_buf text = CSI_BUF_INIT;
    *items = NULL;
    *count = 0;
    snprintf(name, sizeof name, "retry/%" PRIu32, number);
    cfsplit_status status = csi_io_read(run->fd, name, SIZE_MAX / 4, &text, err);
    size_t lines = 1;
    for (size_t i = 0; status == CFSPLIT_OK && i < text.length; i++)
        lines += text.data[i] == '\n';
    if (status == CFSPLIT_OK && !(*items = calloc(lines, sizeof **items)))
        status = csi_fail_memory(err);
    if (status == CFSPLIT_OK && (text.length == 0 || !parse_retry(run, text.data, text.length, *items, count)))
        status = csi_fail(err, CFSPLIT_DAMAGED, "'%s' is damaged at byte 0: not the retry file of this run", name);
    if (status != CFSPLIT_OK) {
        free(*items);
        *items = NULL;
    }
    csi_buf_release(&text);
    return status;
}

cfsplit_status csi_order_stop(const struct cfsplit_run *run, bool now, struct cfsplit_error *err)
{
    struct csi_buf text = CSI_BUF_INIT;
    csi_buf_addf(&text, "stop\t%s\t%" PRIu64 "\n", now ? "now" : "finish", csi_clock_wall_ms());
    cfsplit_status status = publish_next(run, "stop", &text, err);
    csi_buf_release(&text);
    return status;
}

cfsplit_status csi_order_last_stop(const struct cfsplit_run *run, uint32_t from, uint32_t *last, bool *now,
                                   struct cfsplit_error *err)
{
    struct csi_buf text = CSI_BUF_INIT;
    cfsplit_status status = CFSPLIT_OK;
    for (*last = from; status == CFSPLIT_OK; (*last)++) {
        char name[24];
        csi_buf_clear(&text);
        snprintf(name, sizeof name, "stop/%" PRIu32, *last + 1);
        status = csi_io_read(run->fd, name, 4096, &text, err);
        if (status != CFSPLIT_OK)
            break;
        *now = text.length > 8 && memcmp(text.data, "stop\tnow", 8) == 0;
    }
    csi_buf_release(&text);
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}
