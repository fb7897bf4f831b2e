/* What a command that is kept says on its stdout: lines that are answers, and lines that are output.
 *
 * An answer is a line `done`, or `failed` or `rejected` with or without a text behind a blank. Blanks and CR at a line's end
 * don't count. Any other line is output, `done` with words behind it too.
 *
 * Pure: bytes in, bytes and answers out. Of a line no more is held than may still become an answer. */
#ifndef CSI_EXEC_ANSWERS_H
#define CSI_EXEC_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define CSI_ANSWER_TEXT_BYTES 208u /* up to 200 bytes and a NUL */

enum csi_answer { CSI_ANSWER_NONE, CSI_ANSWER_DONE, CSI_ANSWER_FAILED, CSI_ANSWER_REJECTED };

struct csi_answers {
    bool passing;   /* the line that has not ended yet is output */
    size_t length;  /* of what is held of it otherwise */
    char held[224]; /* the rest of a longer answer is dropped */
};

#define CSI_ANSWERS_INIT                                                                                               \
    {                                                                                                                  \
        0                                                                                                              \
    }

/* Takes bytes up to the end of the first answer and says how many; what of them is output is added to `out`. *answer is
 * CSI_ANSWER_NONE if all were taken without one; `text` is that of an answer: "" for none, NUL bytes as blanks. */
size_t csi_answers_put(struct csi_answers *a, const char *data, size_t length, struct csi_buf *out,
                       enum csi_answer *answer, char text[CSI_ANSWER_TEXT_BYTES]);

/* No more bytes come: a line that has not ended is output. Ready for another command's. */
void csi_answers_end(struct csi_answers *a, struct csi_buf *out);

#endif
