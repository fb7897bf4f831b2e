/* A growing byte buffer. A failed allocation is remembered: add as much as you like, ask once. */
#ifndef CSI_BASE_BUF_H
#define CSI_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cfsplit/error.h>

struct csi_buf {
    char *data; /* NUL-terminated whenever not NULL; the NUL is not counted */
    size_t length;
    size_t room;
    bool failed;
};

#define CSI_BUF_INIT                                                                                                   \
    {                                                                                                                  \
        0                                                                                                              \
    }

void csi_buf_release(struct csi_buf *buf); /* frees; the buffer is empty and usable again */
void csi_buf_clear(struct csi_buf *buf);   /* empties, keeps the memory and forgets a failure */

/* Makes room for `more` bytes past length; the pointer to them, or NULL. */
char *csi_buf_reserve(struct csi_buf *buf, size_t more);

void csi_buf_add(struct csi_buf *buf, const void *data, size_t length);
void csi_buf_add_text(struct csi_buf *buf, const char *text);
void csi_buf_add_char(struct csi_buf *buf, char c);
void csi_buf_addf(struct csi_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Removes the first `count` bytes. */
void csi_buf_consume(struct csi_buf *buf, size_t count);

/* CFSPLIT_MEMORY if any addition since the last clear failed. */
cfsplit_status csi_buf_check(const struct csi_buf *buf, struct cfsplit_error *err);

#endif
