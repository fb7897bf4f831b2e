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

/* The last line of an order: the digest of those before. */
static void add_end(struct csi_buf *text)
{
    csi_buf_addf(text, "end\t%016" PRIx64 "\n", text->failed ? 0 : (uint64_t)XXH64(text->data, text->length, 0));
}

/* Is `line` the last line of the order `text`, and does its digest fit? */
static bool is_end(const char *text, const char *line, const char *end)
{
    uint64_t digest;
    if (line == end || end[-1] != '\n')
        return false;
    struct csi_fields f = csi_fields_of(line, (size_t)(end - 1 - line));
    return csi_fields_is(&f, "end") && csi_fields_hex(&f, &digest) && csi_fields_done(&f) &&
           digest == XXH64(text, (size_t)(line - text), 0);
}

cfsplit_status csi_order_retry(const struct cfsplit_run *run, const struct csi_reopened *items, size_t count,
                               struct cfsplit_error *err)
{
    struct csi_buf text = CSI_BUF_INIT;
    csi_buf_addf(&text, "cfsplit-retry\t1\t%s\t%" PRIu64 "\n", run->spec.run_id, csi_clock_wall_ms());
    for (size_t i = 0; i < count; i++)
        csi_buf_addf(&text, "item\t%" PRIu32 "\t%" PRIu64 "\t%" PRIu32 "\n",
                     csi_frozen_generation_of(&run->frozen, items[i].index), items[i].index, items[i].attempts);
    add_end(&text);
    cfsplit_status status = publish_next(run, "retry", &text, err);
    csi_buf_release(&text);
    return status;
}

/* *unknown: it names items of a generation that was added after we looked. */
static bool parse_retry(const struct cfsplit_run *run, const char *text, size_t length, struct csi_reopened *items,
                        size_t *count, bool *unknown)
{
    const char *at = text, *end = text + length, *stop = memchr(at, '\n', length);
    if (!stop)
        return false;
    struct csi_fields f = csi_fields_of(at, (size_t)(stop - at));
    if (!csi_fields_is(&f, "cfsplit-retry") || !csi_fields_is(&f, "1") || !csi_fields_is(&f, run->spec.run_id))
        return false;
    for (at = stop + 1; at < end; at = stop + 1) {
        uint64_t generation, attempts;
        stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            return false;
        if (*at == 'e')
            return is_end(text, at, end);
        f = csi_fields_of(at, (size_t)(stop - at));
        if (!csi_fields_is(&f, "item") || !csi_fields_u64(&f, &generation) ||
            !csi_fields_u64(&f, &items[*count].index) || !csi_fields_u64(&f, &attempts) || attempts > UINT32_MAX)
            return false;
        if (generation >= run->frozen.generation_count)
            *unknown = true;
        else if (items[*count].index >= run->frozen.items ||
                 generation != csi_frozen_generation_of(&run->frozen, items[*count].index))
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
    bool unknown = false;
    *items = NULL;
    *count = 0;
    snprintf(name, sizeof name, "retry/%" PRIu32, number);
    cfsplit_status status = csi_io_read(run->fd, name, SIZE_MAX / 4, &text, err);
    size_t lines = 1;
    for (size_t i = 0; status == CFSPLIT_OK && i < text.length; i++)
        lines += text.data[i] == '\n';
    if (status == CFSPLIT_OK) {
        *items = calloc(lines, sizeof **items);
        if (!*items)
            status = csi_fail_memory(err);
        else if (text.length == 0 || !parse_retry(run, text.data, text.length, *items, count, &unknown))
            status = csi_fail(err, CFSPLIT_DAMAGED, "'%s' is damaged at byte 0: not the retry file of this run", name);
    }
    if (status == CFSPLIT_OK && unknown)
        status = CFSPLIT_END;
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
    csi_buf_addf(&text, "cfsplit-stop\t1\t%s\t%" PRIu64 "\t%s\n", run->spec.run_id, csi_clock_wall_ms(),
                 now ? "now" : "finish");
    add_end(&text);
    cfsplit_status status = publish_next(run, "stop", &text, err);
    csi_buf_release(&text);
    return status;
}

static bool parse_stop(const struct cfsplit_run *run, const char *text, size_t length, bool *now)
{
    const char *stop = length ? memchr(text, '\n', length) : NULL, *word;
    size_t word_length;
    uint64_t time_ms;
    if (!stop)
        return false;
    struct csi_fields f = csi_fields_of(text, (size_t)(stop - text));
    if (!csi_fields_is(&f, "cfsplit-stop") || !csi_fields_is(&f, "1") || !csi_fields_is(&f, run->spec.run_id) ||
        !csi_fields_u64(&f, &time_ms) || !csi_fields_next(&f, &word, &word_length))
        return false;
    *now = word_length == 3 && memcmp(word, "now", 3) == 0;
    return is_end(text, stop + 1, text + length);
}

static cfsplit_status read_stop(const struct cfsplit_run *run, uint32_t number, bool *now, struct cfsplit_error *err)
{
    char name[24];
    struct csi_buf text = CSI_BUF_INIT;
    snprintf(name, sizeof name, "stop/%" PRIu32, number);
    cfsplit_status status = csi_io_read(run->fd, name, 4096, &text, err);
    if (status == CFSPLIT_OK && !parse_stop(run, text.data, text.length, now))
        status = csi_fail(err, CFSPLIT_DAMAGED, "'%s' is damaged at byte 0: not a stop file of this run", name);
    csi_buf_release(&text);
    return status;
}

cfsplit_status csi_order_last_stop(const struct cfsplit_run *run, uint32_t from, uint32_t *last, bool *now,
                                   struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    for (*last = from; status == CFSPLIT_OK; (*last)++)
        if ((status = read_stop(run, *last + 1, now, err)) != CFSPLIT_OK)
            break;
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}
