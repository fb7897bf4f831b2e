/* Numbers, durations and fields of text lines, read strictly. */
#ifndef CSI_BASE_TEXT_H
#define CSI_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* All of text[0..length) as a decimal (or hexadecimal) number: digits only, no sign, no space, no overflow. */
bool csi_text_u64(const char *text, size_t length, uint64_t *out);
bool csi_text_hex(const char *text, size_t length, uint64_t *out);

/* Adds a number in decimal, or as 16 hexadecimal digits; for lines that are written by the million. */
void csi_text_add_u64(struct csi_buf *buf, uint64_t value);
void csi_text_add_hex(struct csi_buf *buf, uint64_t value);

/* Adds bytes so that they fit one TAB-separated field: backslash, TAB, newline, CR, NUL and other control characters are
 * written \\ \t \n \r \xNN. */
void csi_text_escape(struct csi_buf *buf, const char *text, size_t length);

/* The reverse, in place; the new length. Unknown escapes are kept as they are. */
size_t csi_text_unescape(char *text, size_t length);

/* The length in bytes of the UTF-8 character at s, of which `left` bytes may be read; 0 if it is not a valid one. */
size_t csi_text_utf8(const unsigned char *s, size_t left);

/* How much of a text to keep so that at most `most` bytes are left and no UTF-8 character is cut in two. */
size_t csi_text_cut(const char *text, size_t length, size_t most);

/* A cursor over the TAB-separated fields of one line (without its newline). */
struct csi_fields {
    const char *at;
    const char *end; /* at > end: no field left */
};
struct csi_fields csi_fields_of(const char *line, size_t length);
bool csi_fields_next(struct csi_fields *f, const char **field, size_t *length);
bool csi_fields_u64(struct csi_fields *f, uint64_t *out);
bool csi_fields_hex(struct csi_fields *f, uint64_t *out);
bool csi_fields_is(struct csi_fields *f, const char *word); /* takes one field, true if it is `word` */
bool csi_fields_done(const struct csi_fields *f);

#endif
