#include "sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { piece = 65536 };

/* Independent blocks, as in a run directory: any part can be read by itself. */
static const LZ4F_preferences_t preferences = {
    .frameInfo = {.blockSizeID = LZ4F_max64KB,
                  .blockMode = LZ4F_blockIndependent,
                  .contentChecksumFlag = LZ4F_contentChecksumEnabled},
};

static bool put_bytes(const void *bytes, size_t length)
{
    if (fwrite(bytes, 1, length, stdout) == length)
        return true;
    tool_output_failed(errno);
    return false;
}

static bool put(struct sink *sink, size_t packed)
{
    if (!LZ4F_isError(packed))
        return put_bytes(sink->packed, packed);
    tool_output_failed(ENOMEM); /* the one reason there is: room for what is packed there is */
    return false;
}

cfsplit_status sink_open(struct sink *sink, bool lz4, struct cfsplit_error *err)
{
    *sink = (struct sink){0};
    if (!lz4)
        return CFSPLIT_OK;
    sink->room = LZ4F_compressBound(piece, &preferences) + LZ4F_HEADER_SIZE_MAX;
    sink->packed = malloc(sink->room);
    if (!sink->packed || LZ4F_isError(LZ4F_createCompressionContext(&sink->lz4, LZ4F_VERSION)))
        return tool_fail(err, CFSPLIT_MEMORY, "out of memory");
    (void)put(sink, LZ4F_compressBegin(sink->lz4, sink->packed, sink->room, &preferences));
    return CFSPLIT_OK;
}

bool sink_write(struct sink *sink, const char *text, size_t length)
{
    if (!sink->lz4)
        return put_bytes(text, length);
    while (length > 0) {
        size_t now = length < piece ? length : piece;
        if (!put(sink, LZ4F_compressUpdate(sink->lz4, sink->packed, sink->room, text, now, NULL)))
            return false;
        text += now;
        length -= now;
    }
    return true;
}

void sink_end(struct sink *sink)
{
    if (sink->lz4 && !tool_output_error())
        (void)put(sink, LZ4F_compressEnd(sink->lz4, sink->packed, sink->room, NULL));
}

void sink_release(struct sink *sink)
{
    LZ4F_freeCompressionContext(sink->lz4);
    free(sink->packed);
}
