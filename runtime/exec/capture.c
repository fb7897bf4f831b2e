#include "exec/capture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void csi_capture_init(struct csi_capture *c, uint64_t limit)
{
    *c = (struct csi_capture){0};
    if (limit > SIZE_MAX / 4)
        limit = SIZE_MAX / 4;
    c->room = (size_t)limit / 2;
    c->head = (size_t)limit - c->room;
}

void csi_capture_reset(struct csi_capture *c)
{
    c->total = 0;
    c->line_length = 0;
    c->line_visible = false;
    c->last[0] = '\0';
}

void csi_capture_fini(struct csi_capture *c)
{
    free(c->ring);
    *c = (struct csi_capture){0};
}

/* Bytes that came after the head, and how many of them the ring holds. */
static uint64_t after_head(const struct csi_capture *c)
{
    return c->total > c->head ? c->total - c->head : 0;
}

static size_t kept(const struct csi_capture *c)
{
    return after_head(c) < c->room ? (size_t)after_head(c) : c->room;
}

uint64_t csi_capture_dropped(const struct csi_capture *c)
{
    return after_head(c) - kept(c);
}

/* Below its full size the ring has not wrapped, so that it may move as it grows. */
static bool grow_ring(struct csi_capture *c, uint64_t need)
{
    if (need <= c->ring_room || c->ring_room == c->room)
        return true;
    size_t room = c->ring_room ? c->ring_room : 4096;
    while (room < need && room < c->room)
        room *= 2;
    if (room > c->room)
        room = c->room;
    char *ring = realloc(c->ring, room);
    if (!ring)
        return false;
    c->ring = ring;
    c->ring_room = room;
    return true;
}

static void put_in_ring(struct csi_capture *c, const char *data, size_t length)
{
    if (length > c->room) { /* only its end will last */
        c->total += length - c->room;
        data += length - c->room;
        length = c->room;
    }
    while (length > 0) {
        size_t at = (size_t)(after_head(c) % c->room);
        size_t step = length < c->room - at ? length : c->room - at;
        memcpy(c->ring + at, data, step);
        c->total += step;
        data += step;
        length -= step;
    }
}

static void add_to_line(struct csi_capture *c, const char *data, size_t length)
{
    if (length > CSI_CAPTURE_LINE_BYTES - c->line_length)
        length = CSI_CAPTURE_LINE_BYTES - c->line_length;
    for (size_t i = 0; i < length; i++) {
        char byte = data[i] ? data[i] : ' ';
        c->line[c->line_length++] = byte;
        c->line_visible |= byte != ' ' && byte != '\t';
    }
}

static void copy_line(const struct csi_capture *c, char out[CSI_CAPTURE_LINE_BYTES + 8])
{
    size_t length = c->line_length;
    while (length > 0 && (c->line[length - 1] == ' ' || c->line[length - 1] == '\t'))
        length--;
    memcpy(out, c->line, length);
    out[length] = '\0';
}

static const char *find_line_end(const char *data, size_t length)
{
    const char *feed = memchr(data, '\n', length);
    const char *carriage = memchr(data, '\r', feed ? (size_t)(feed - data) : length);
    return carriage ? carriage : feed;
}

static void follow_lines(struct csi_capture *c, const char *data, size_t length)
{
    for (const char *end; length > 0 && (end = find_line_end(data, length)) != NULL;) {
        size_t before = (size_t)(end - data);
        add_to_line(c, data, before);
        if (c->line_visible)
            copy_line(c, c->last);
        c->line_length = 0;
        c->line_visible = false;
        data += before + 1;
        length -= before + 1;
    }
    add_to_line(c, data, length);
}

cfsplit_status csi_capture_put(struct csi_capture *c, const void *data, size_t length, struct csi_buf *out,
                               struct cfsplit_error *err)
{
    const char *bytes = data;
    follow_lines(c, bytes, length);
    if (c->total < c->head) {
        size_t left = c->head - (size_t)c->total;
        size_t step = length < left ? length : left;
        csi_buf_add(out, bytes, step);
        c->total += step;
        bytes += step;
        length -= step;
    }
    if (c->room == 0)
        c->total += length;
    else if (length > 0 && grow_ring(c, after_head(c) + length))
        put_in_ring(c, bytes, length);
    else if (length > 0)
        return csi_fail_memory(err);
    return csi_buf_check(out, err);
}

cfsplit_status csi_capture_end(const struct csi_capture *c, struct csi_buf *out, struct cfsplit_error *err)
{
    uint64_t dropped = csi_capture_dropped(c);
    if (dropped > 0 && c->head > 0)
        csi_buf_addf(out, "\n[... %" PRIu64 " bytes left out ...]\n", dropped);
    size_t length = kept(c);
    if (length > 0) {
        size_t from = dropped > 0 ? (size_t)(after_head(c) % c->room) : 0;
        csi_buf_add(out, c->ring + from, length - from);
        csi_buf_add(out, c->ring, from);
    }
    return csi_buf_check(out, err);
}

void csi_capture_last_line(const struct csi_capture *c, char out[CSI_CAPTURE_LINE_BYTES + 8])
{
    if (c->line_visible)
        copy_line(c, out);
    else
        memcpy(out, c->last, strlen(c->last) + 1);
}
