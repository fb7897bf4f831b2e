/* What is kept of an attempt's output: the first half of a limit and the last half, with a line in between that says how
 * much was left out; and its last line that is not blank, for messages.
 *
 * Pure: bytes in, bytes out. The first half is handed on at once, so that it can be on disk while the command runs; what
 * comes after it is known only at the end, and waits in a ring. */
#ifndef CSI_EXEC_CAPTURE_H
#define CSI_EXEC_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define CSI_CAPTURE_LINE_BYTES 200u

struct csi_capture {
    uint64_t total; /* bytes put in */
    size_t head;    /* how many of the first bytes are handed on */
    size_t room;    /* how many of the last are kept */
    char *ring;     /* the kept ones; made when the first is, and only as large as needed */
    size_t ring_room;
    size_t line_length; /* of the line that has not ended yet */
    bool line_visible;  /* it holds more than blanks */
    char line[CSI_CAPTURE_LINE_BYTES];
    char last[CSI_CAPTURE_LINE_BYTES + 8]; /* the last whole line that was not blank */
};

void csi_capture_init(struct csi_capture *c, uint64_t limit); /* limit in bytes, 0: keep nothing */
void csi_capture_reset(struct csi_capture *c);                /* for the next attempt; keeps the memory */
void csi_capture_fini(struct csi_capture *c);

/* Takes bytes, and adds what is to be handed on now to `out`. Errors: CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_capture_put(struct csi_capture *c, const void *data, size_t length,
                                                struct csi_buf *out, struct cfsplit_error *err);

/* At the end: adds "\n[... N bytes left out ...]\n" if bytes were, and the kept end. Errors: CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_capture_end(const struct csi_capture *c, struct csi_buf *out,
                                                struct cfsplit_error *err);

/* How many bytes are left out so far. */
uint64_t csi_capture_dropped(const struct csi_capture *c);

/* The last line with something to see in it, its first CSI_CAPTURE_LINE_BYTES bytes, without blanks at its end; "" if there
 * was none. CR ends a line too: progress bars. NUL bytes are shown as spaces, other bytes are as they came. */
void csi_capture_last_line(const struct csi_capture *c, char out[CSI_CAPTURE_LINE_BYTES + 8]);

#endif
