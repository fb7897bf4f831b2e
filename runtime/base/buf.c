#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void csi_buf_release(struct csi_buf *buf)
{
    free(buf->data);
    *buf = (struct csi_buf)CSI_BUF_INIT;
}

void csi_buf_clear(struct csi_buf *buf)
{
    buf->length = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

char *csi_buf_reserve(struct csi_buf *buf, size_t more)
{
    if (buf->failed)
        return NULL;
    if (buf->data && more < buf->room - buf->length)
        return buf->data + buf->length;
    size_t room = buf->room ? buf->room : 256;
    while (room - buf->length <= more)
        room *= 2;
    char *data = realloc(buf->data, room);
    if (!data) {
        buf->failed = true;
        return NULL;
    }
    buf->data = data;
    buf->room = room;
    return data + buf->length;
}

void csi_buf_add(struct csi_buf *buf, const void *data, size_t length)
{
    char *to = csi_buf_reserve(buf, length);
    if (!to)
        return;
    if (length)
        memcpy(to, data, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void csi_buf_add_text(struct csi_buf *buf, const char *text)
{
    csi_buf_add(buf, text, strlen(text));
}

void csi_buf_add_char(struct csi_buf *buf, char c)
{
    csi_buf_add(buf, &c, 1);
}

void csi_buf_addf(struct csi_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *to = need < 0 ? NULL : csi_buf_reserve(buf, (size_t)need);
    if (!to) {
        buf->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(to, (size_t)need + 1, format, args);
    va_end(args);
    buf->length += (size_t)need;
}

void csi_buf_consume(struct csi_buf *buf, size_t count)
{
    if (count == 0)
        return;
    memmove(buf->data, buf->data + count, buf->length - count);
    buf->length -= count;
    buf->data[buf->length] = '\0';
}

cfsplit_status csi_buf_check(const struct csi_buf *buf, struct cfsplit_error *err)
{
    return buf->failed ? csi_fail_memory(err) : CFSPLIT_OK;
}
