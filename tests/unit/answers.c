/* Lines of a command that is kept: answers and output, however the bytes come. */
#include "exec/answers.h"

#include <stdlib.h>

#include "lib/check.h"

/* What comes of some bytes that arrive `step` at a time: output as it is, an answer as "<d|f|r:text>". */
static const char *read_in_steps(const char *data, size_t length, size_t step)
{
    static struct csi_buf shown;
    struct csi_answers a = CSI_ANSWERS_INIT;
    char text[CSI_ANSWER_TEXT_BYTES];
    csi_buf_clear(&shown);
    csi_buf_add_text(&shown, "");
    for (size_t at = 0; at < length;) {
        enum csi_answer answer;
        size_t piece = length - at < step ? length - at : step;
        size_t taken = csi_answers_put(&a, data + at, piece, &shown, &answer, text);
        CHECK(taken > 0 && taken <= piece && (answer != CSI_ANSWER_NONE || taken == piece));
        at += taken;
        if (answer != CSI_ANSWER_NONE)
            csi_buf_addf(&shown, "<%c:%s>", "-dfr"[answer], text);
    }
    csi_answers_end(&a, &shown);
    return shown.data;
}

static void shows(const char *text, const char *wanted)
{
    for (size_t step = 1; step <= strlen(text); step++)
        CHECK_TEXT(read_in_steps(text, strlen(text), step), wanted);
}

static void answers_are_told(void)
{
    shows("done\n", "<d:>");
    shows("failed\n", "<f:>");
    shows("rejected\n", "<r:>");
    shows("failed no such file\n", "<f:no such file>");
    shows("rejected \t no image in it \r\n", "<r:no image in it>");
    shows("failed\tx\n", "<f:x>");
    shows("done \t\r\n", "<d:>");
    shows("done\ndone\nfailed a\n", "<d:><d:><f:a>");
}

static void other_lines_are_output(void)
{
    static const char *const lines[] = {"\n",       "\n\n",   "done in 3 s\n", "donee\n",
                                        " done\n",  "Done\n", "failed:\n",     "failedness\n",
                                        "reject\n", "don\n",  "rejected_it\n", "\r\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        shows(lines[i], lines[i]);
    shows("one\ntwo\ndone\nthree\n", "one\ntwo\n<d:>three\n");
}

static void line_without_end_is_output(void)
{
    shows("done", "done");
    shows("failed because", "failed because");
    shows("50%\r100%", "50%\r100%");
    struct csi_answers a = CSI_ANSWERS_INIT;
    struct csi_buf out = CSI_BUF_INIT;
    enum csi_answer answer;
    char text[CSI_ANSWER_TEXT_BYTES];
    csi_answers_put(&a, "do", 2, &out, &answer, text);
    csi_answers_end(&a, &out);
    csi_answers_put(&a, "ne\ndone\n", 8, &out, &answer, text);
    CHECK_EQUAL(answer, CSI_ANSWER_DONE);
    CHECK_TEXT(out.data, "done\n");
    csi_buf_release(&out);
}

static void progress_is_passed_on_before_its_line_ends(void)
{
    struct csi_answers a = CSI_ANSWERS_INIT;
    struct csi_buf out = CSI_BUF_INIT;
    enum csi_answer answer;
    char text[CSI_ANSWER_TEXT_BYTES];
    csi_answers_put(&a, "50%", 3, &out, &answer, text);
    CHECK_TEXT(out.data, "50%");
    csi_buf_release(&out);
}

static void long_lines_need_little_memory(void)
{
    size_t length = 3000000;
    char *line = malloc(length + 1);
    CU_ASSERT_FATAL(line != NULL);
    memset(line, 'x', length);
    line[length] = '\0';
    CHECK_TEXT(read_in_steps(line, length, 65536), line);
    memcpy(line, "failed ", 7);
    line[length - 1] = '\n';
    const char *shown = read_in_steps(line, length, 65536);
    CHECK_EQUAL(strlen(shown), 200 + strlen("<f:>"));
    CHECK(memcmp(shown, "<f:xxx", 6) == 0);
    memset(line, ' ', length - 1);
    memcpy(line, "done", 4);
    CHECK_TEXT(read_in_steps(line, length, 65536), "<d:>");
    free(line);
}

static void text_is_a_string(void)
{
    CHECK_TEXT(read_in_steps("failed a\0b\n", 11, 11), "<f:a b>");
    CHECK_TEXT(read_in_steps("failed \xff\xfe\n", 10, 2), "<f:\xff\xfe>");
}

int main(void)
{
    static const struct check_case cases[] = {
        {"done, failed and rejected are told, with their texts", answers_are_told},
        {"other lines are output, those that look alike too", other_lines_are_output},
        {"a line without its end is output", line_without_end_is_output},
        {"what can't be an answer is passed on before its line ends", progress_is_passed_on_before_its_line_ends},
        {"of a line of 3 MB little is held", long_lines_need_little_memory},
        {"a text is a string, whatever bytes it has", text_is_a_string},
    };
    return check_main("answers", cases, sizeof cases / sizeof *cases);
}
