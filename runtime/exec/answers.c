#include "exec/answers.h"

#include <string.h>

static const struct word {
    const char *text;
    size_t length;
    enum csi_answer answer;
    bool has_text;
} words[] = {
    {"done", 4, CSI_ANSWER_DONE, false},
    {"failed", 6, CSI_ANSWER_FAILED, true},
    {"rejected", 8, CSI_ANSWER_REJECTED, true},
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* Can a line that begins so be the answer of that word? */
static bool fits(const struct word *word, const char *line, size_t length)
{
    size_t common = length < word->length ? length : word->length;
    if (memcmp(line, word->text, common) != 0)
        return false;
    if (length > word->length && word->has_text)
        return is_blank(line[word->length]);
    for (size_t i = word->length; i < length; i++)
        if (!is_blank(line[i]))
            return false;
    return true;
}

static const struct word *find_word(const char *line, size_t length)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (fits(&words[i], line, length))
            return &words[i];
    return NULL;
}

/* Adds one byte to what is held; false, and nothing is added, if the line can't become an answer with it. */
static bool hold(struct csi_answers *a, char byte)
{
    if (a->length == sizeof a->held)
        return find_word(a->held, a->length)->has_text || is_blank(byte);
    a->held[a->length] = byte;
    if (!find_word(a->held, a->length + 1))
        return false;
    a->length++;
    return true;
}

static enum csi_answer take_line(struct csi_answers *a, char text[CSI_ANSWER_TEXT_BYTES])
{
    const struct word *word = a->length > 0 ? find_word(a->held, a->length) : NULL;
    if (!word || a->length < word->length)
        return CSI_ANSWER_NONE;
    const char *from = a->held + word->length, *to = a->held + a->length;
    while (from < to && is_blank(*from))
        from++;
    while (from < to && is_blank(to[-1]))
        to--;
    size_t length = (size_t)(to - from);
    length = length < CSI_ANSWER_TEXT_BYTES - 8 ? length : CSI_ANSWER_TEXT_BYTES - 8;
    for (size_t i = 0; i < length; i++)
        text[i] = (char)(from[i] ? from[i] : ' ');
    text[length] = '\0';
    a->length = 0;
    return word->answer;
}

static void pass_held(struct csi_answers *a, struct csi_buf *out)
{
    csi_buf_add(out, a->held, a->length);
    a->length = 0;
}

/* The rest of a line that is output, as far as it is there; how many bytes that is. */
static size_t pass_line(struct csi_answers *a, const char *data, size_t length, struct csi_buf *out)
{
    const char *end = memchr(data, '\n', length);
    size_t count = end ? (size_t)(end - data) + 1 : length;
    csi_buf_add(out, data, count);
    a->passing = !end;
    return count;
}

size_t csi_answers_put(struct csi_answers *a, const char *data, size_t length, struct csi_buf *out,
                       enum csi_answer *answer, char text[CSI_ANSWER_TEXT_BYTES])
{
    size_t at = 0;
    *answer = CSI_ANSWER_NONE;
    while (at < length) {
        if (a->passing) {
            at += pass_line(a, data + at, length - at, out);
        } else if (data[at] == '\n') {
            *answer = take_line(a, text);
            if (*answer != CSI_ANSWER_NONE)
                return at + 1;
            pass_held(a, out);
            a->passing = true;
        } else if (hold(a, data[at])) {
            at++;
        } else {
            pass_held(a, out);
            a->passing = true;
        }
    }
    return length;
}

void csi_answers_end(struct csi_answers *a, struct csi_buf *out)
{
    pass_held(a, out);
    a->passing = false;
}
