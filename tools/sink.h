/* Where a filter's items go: standard output, as they are or as one LZ4 frame. */
#ifndef TOOLS_SINK_H
#define TOOLS_SINK_H

#include <lz4frame.h>

#include "tool.h"

struct sink {
    LZ4F_cctx *lz4; /* NULL: as they are */
    char *packed;
    size_t room;
};

cfsplit_status sink_open(struct sink *sink, bool lz4, struct cfsplit_error *err);

/* False once the output takes no more: main says so when it closes it. */
bool sink_write(struct sink *sink, const char *text, size_t length);

/* Ends the frame, unless the output took no more: a frame that is cut must not read as a shorter list. Whoever fails leaves
 * it out (sink_release alone), for the same reason. */
void sink_end(struct sink *sink);
void sink_release(struct sink *sink);

#endif
