#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const struct {
    int exit_code;
    const char *text;
} statuses[] = {
#define ROW(name, code, text) [name] = {code, text},
    CFSPLIT_STATUS_LIST(ROW)
#undef ROW
};

int cfsplit_status_exit_code(cfsplit_status status)
{
    return statuses[status].exit_code;
}

const char *cfsplit_status_text(cfsplit_status status)
{
    return statuses[status].text;
}

static void fill(struct cfsplit_error *err, cfsplit_status status, int number, const char *format, va_list args)
{
    if (err == NULL)
        return;
    err->status = status;
    err->system_errno = number;
    int used = vsnprintf(err->message, sizeof err->message, format, args);
    size_t at = used < 0 ? 0 : (size_t)used;
    if (number != 0 && at < sizeof err->message) {
        char reason[128];
        snprintf(err->message + at, sizeof err->message - at, ": %s", strerror_r(number, reason, sizeof reason));
    }
}

cfsplit_status csi_fail(struct cfsplit_error *err, cfsplit_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, status, 0, format, args);
    va_end(args);
    return status;
}

cfsplit_status csi_fail_errno(struct cfsplit_error *err, cfsplit_status status, int number, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, status, number, format, args);
    va_end(args);
    return status;
}

cfsplit_status csi_status_of_errno(int number, cfsplit_status otherwise)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EIO:
    case ESTALE:
    case EROFS:
    case EFBIG: return CFSPLIT_STORAGE;
    case ENOMEM: return CFSPLIT_MEMORY;
    default: return otherwise;
    }
}

cfsplit_status csi_fail_memory(struct cfsplit_error *err)
{
    return csi_fail(err, CFSPLIT_MEMORY, "out of memory");
}

/* Writes the shown form of some bytes; returns how many input bytes fitted. */
static size_t show(const char *name, size_t length, char *out, size_t room)
{
    size_t i = 0, o = 0;
    while (i < length) {
        const unsigned char *s = (const unsigned char *)name + i;
        size_t n = csi_text_utf8(s, length - i);
        if (n == 0 || (n == 1 && (*s < ' ' || *s == 0x7f))) {
            if (o + 5 > room)
                break;
            o += (size_t)snprintf(out + o, room - o, *s == '\n' ? "\\n" : *s == '\t' ? "\\t" : "\\x%02x", *s);
            i++;
        } else {
            if (o + n + 1 > room)
                break;
            memcpy(out + o, s, n);
            o += n;
            i += n;
        }
    }
    out[o] = '\0';
    return i;
}

struct cfsplit_quoted csi_quote_bytes(const char *name, size_t length)
{
    struct cfsplit_quoted q;
    char text[296];
    if (show(name, length, text, sizeof text) == length) {
        snprintf(q.text, sizeof q.text, "'%s'", text);
        return q;
    }
    char head[144], tail[144];
    show(name, length, head, sizeof head);
    size_t keep = 35; /* bytes of the end: at most four shown characters each */
    while (keep > 1 && ((unsigned char)name[length - keep] & 0xc0) == 0x80)
        keep--;
    show(name + length - keep, keep, tail, sizeof tail);
    snprintf(q.text, sizeof q.text, "'%s...%s'", head, tail);
    return q;
}

struct cfsplit_quoted csi_quote(const char *name)
{
    return csi_quote_bytes(name, strlen(name));
}

struct cfsplit_quoted cfsplit_quote(const char *name)
{
    return csi_quote(name);
}
