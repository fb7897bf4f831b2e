#include "base/text.h"

#include <string.h>

bool csi_text_u64(const char *text, size_t length, uint64_t *out)
{
    uint64_t value = 0;
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool csi_text_hex(const char *text, size_t length, uint64_t *out)
{
    uint64_t value = 0;
    if (length == 0 || length > 16)
        return false;
    for (size_t i = 0; i < length; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    *out = value;
    return true;
}

void csi_text_add_u64(struct csi_buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    csi_buf_add(buf, digits + at, sizeof digits - at);
}

void csi_text_add_hex(struct csi_buf *buf, uint64_t value)
{
    char digits[16];
    for (size_t at = sizeof digits; at-- > 0; value >>= 4)
        digits[at] = "0123456789abcdef"[value & 15];
    csi_buf_add(buf, digits, sizeof digits);
}

void csi_text_escape(struct csi_buf *buf, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        switch (c) {
        case '\\': csi_buf_add(buf, "\\\\", 2); break;
        case '\t': csi_buf_add(buf, "\\t", 2); break;
        case '\n': csi_buf_add(buf, "\\n", 2); break;
        case '\r': csi_buf_add(buf, "\\r", 2); break;
        default:
            if (c < ' ' || c == 0x7f)
                csi_buf_addf(buf, "\\x%02x", c);
            else
                csi_buf_add_char(buf, text[i]);
        }
    }
}

size_t csi_text_unescape(char *text, size_t length)
{
    size_t o = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i], next = i + 1 < length ? text[i + 1] : '\0';
        if (c == '\\' && next == 'x' && i + 3 < length && hex_digit(text[i + 2]) >= 0 && hex_digit(text[i + 3]) >= 0) {
            text[o++] = (char)(hex_digit(text[i + 2]) << 4 | hex_digit(text[i + 3]));
            i += 3;
        } else if (c == '\\' && (next == '\\' || next == 't' || next == 'n' || next == 'r')) {
            text[o++] = next == 't' ? '\t' : next == 'n' ? '\n' : next == 'r' ? '\r' : '\\';
            i++;
        } else {
            text[o++] = c;
        }
    }
    return o;
}

struct csi_fields csi_fields_of(const char *line, size_t length)
{
    return (struct csi_fields){.at = line, .end = line + length};
}

bool csi_fields_next(struct csi_fields *f, const char **field, size_t *length)
{
    if (f->at > f->end)
        return false;
    const char *tab = memchr(f->at, '\t', (size_t)(f->end - f->at));
    const char *stop = tab ? tab : f->end;
    *field = f->at;
    *length = (size_t)(stop - f->at);
    f->at = stop + 1;
    return true;
}

bool csi_fields_u64(struct csi_fields *f, uint64_t *out)
{
    const char *field;
    size_t length;
    return csi_fields_next(f, &field, &length) && csi_text_u64(field, length, out);
}

bool csi_fields_hex(struct csi_fields *f, uint64_t *out)
{
    const char *field;
    size_t length;
    return csi_fields_next(f, &field, &length) && csi_text_hex(field, length, out);
}

bool csi_fields_is(struct csi_fields *f, const char *word)
{
    const char *field;
    size_t length;
    return csi_fields_next(f, &field, &length) && strlen(word) == length && memcmp(word, field, length) == 0;
}

bool csi_fields_done(const struct csi_fields *f)
{
    return f->at > f->end;
}

size_t csi_text_utf8(const unsigned char *s, size_t left)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (n == 0 || n > left)
        return 0;
    uint32_t code = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    return code >= smallest[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? n : 0;
}

size_t csi_text_cut(const char *text, size_t length, size_t most)
{
    if (length <= most)
        return length;
    size_t kept = most;
    while (kept > 0 && most - kept < 3 && ((unsigned char)text[kept] & 0xc0) == 0x80)
        kept--;
    return ((unsigned char)text[kept] & 0xc0) == 0x80 ? most : kept;
}
