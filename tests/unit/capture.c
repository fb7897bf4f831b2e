/* What is kept of an attempt's output. */
#include "exec/capture.h"

#include <stdlib.h>

#include "lib/check.h"

static struct cfsplit_error err;

/* What a limit keeps of `text`, put in pieces of `step` bytes. The caller's until the next call. */
static const char *keep(uint64_t limit, const char *text, size_t step)
{
    static char kept[512];
    struct csi_capture c;
    struct csi_buf out = CSI_BUF_INIT;
    size_t length = strlen(text);
    csi_capture_init(&c, limit);
    for (size_t at = 0; at < length; at += step)
        CHECK_OK(csi_capture_put(&c, text + at, length - at < step ? length - at : step, &out, &err));
    CHECK_OK(csi_capture_end(&c, &out, &err));
    CHECK_EQUAL(c.total, length);
    CHECK_EQUAL(csi_capture_dropped(&c), length > limit ? length - limit : 0);
    snprintf(kept, sizeof kept, "%s", out.data ? out.data : "");
    csi_buf_release(&out);
    csi_capture_fini(&c);
    return kept;
}

static const char *last_line(const char *text, size_t step)
{
    static char line[CSI_CAPTURE_LINE_BYTES + 8];
    struct csi_capture c;
    struct csi_buf out = CSI_BUF_INIT;
    csi_capture_init(&c, 0);
    for (size_t at = 0, length = strlen(text); at < length; at += step)
        CHECK_OK(csi_capture_put(&c, text + at, length - at < step ? length - at : step, &out, &err));
    csi_capture_last_line(&c, line);
    csi_buf_release(&out);
    csi_capture_fini(&c);
    return line;
}

static void both_ends_are_kept(void)
{
    static const char left_out[] = "01234\n[... 16 bytes left out ...]\nvwxyz";
    for (size_t step = 1; step <= 30; step++) {
        CHECK_TEXT(keep(10, "0123456789", step), "0123456789");
        CHECK_TEXT(keep(10, "0123456", step), "0123456");
        CHECK_TEXT(keep(10, "01234", step), "01234");
        CHECK_TEXT(keep(10, "", step), "");
        CHECK_TEXT(keep(10, "0123456789X", step), "01234\n[... 1 bytes left out ...]\n6789X");
        CHECK_TEXT(keep(10, "01234fghijklmnopqrstuvwxyz", step), left_out);
        CHECK_TEXT(keep(1, "abc", step), "a\n[... 2 bytes left out ...]\n");
        CHECK_TEXT(keep(3, "abcdef", step), "ab\n[... 3 bytes left out ...]\nf");
        CHECK_TEXT(keep(0, "abc", step), "");
        CHECK_TEXT(keep(UINT64_MAX, "abc", step), "abc");
    }
}

static void every_length_and_step_keeps_the_limit(void)
{
    char *text = malloc(20001), wanted[64];
    for (size_t i = 0; i < 20000; i++)
        text[i] = (char)('a' + i % 23);
    for (size_t length = 1; length <= 20000; length = length * 3 + 1) {
        struct csi_capture c;
        struct csi_buf out = CSI_BUF_INIT;
        csi_capture_init(&c, 9000);
        for (size_t at = 0, step = 1; at < length; at += step, step = step * 2 % 5003 + 1) {
            step = length - at < step ? length - at : step;
            CHECK_OK(csi_capture_put(&c, text + at, step, &out, &err));
        }
        CHECK_OK(csi_capture_end(&c, &out, &err));
        if (length <= 9000) {
            CHECK_EQUAL(out.length, length);
            CHECK(memcmp(out.data, text, length) == 0);
        } else {
            snprintf(wanted, sizeof wanted, "\n[... %zu bytes left out ...]\n", length - 9000);
            CHECK_EQUAL(out.length, 9000 + strlen(wanted));
            CHECK(memcmp(out.data, text, 4500) == 0);
            CHECK(memcmp(out.data + 4500, wanted, strlen(wanted)) == 0);
            CHECK(memcmp(out.data + out.length - 4500, text + length - 4500, 4500) == 0);
        }
        csi_buf_release(&out);
        csi_capture_fini(&c);
    }
    free(text);
}

static void first_half_is_handed_on_at_once(void)
{
    struct csi_capture c;
    struct csi_buf out = CSI_BUF_INIT;
    csi_capture_init(&c, 8);
    CHECK_OK(csi_capture_put(&c, "ab", 2, &out, &err));
    CHECK_TEXT(out.data, "ab");
    CHECK_OK(csi_capture_put(&c, "cdef", 4, &out, &err));
    CHECK_TEXT(out.data, "abcd");
    csi_buf_release(&out);
    csi_capture_fini(&c);
}

static void last_line_is_the_last_visible_one(void)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"one", "one"},
        {"one\n", "one"},
        {"one\ntwo\n", "two"},
        {"one\n\n \t\n", "one"},
        {"one\n  two  ", "  two"},
        {"10%\r50%\r", "50%"},
        {"a\r\nb\r\n", "b"},
        {"\n\n", ""},
        {"Traceback:\n  File\nKeyError: 'EXPTIME'\n", "KeyError: 'EXPTIME'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 40; step++)
            CHECK_TEXT(last_line(rows[i][0], step), rows[i][1]);
}

static void long_line_is_cut(void)
{
    char text[1002], wanted[CSI_CAPTURE_LINE_BYTES + 1];
    memset(text, 'x', 1001);
    memset(wanted, 'x', sizeof wanted - 1);
    text[1001] = wanted[sizeof wanted - 1] = '\0';
    for (size_t step = 1; step <= 1001; step += 100)
        CHECK_TEXT(last_line(text, step), wanted);
    text[1000] = '\n';
    CHECK_TEXT(last_line(text, 7), wanted);
}

static void nul_bytes_do_not_cut(void)
{
    struct csi_capture c;
    struct csi_buf out = CSI_BUF_INIT;
    char line[CSI_CAPTURE_LINE_BYTES + 8];
    csi_capture_init(&c, 100);
    CHECK_OK(csi_capture_put(&c, "a\0b\n\0\0", 6, &out, &err));
    csi_capture_last_line(&c, line);
    CHECK_TEXT(line, "a b");
    CHECK_EQUAL(out.length, 6);
    csi_buf_release(&out);
    csi_capture_fini(&c);
}

static void reset_forgets(void)
{
    struct csi_capture c;
    struct csi_buf out = CSI_BUF_INIT;
    char line[CSI_CAPTURE_LINE_BYTES + 8];
    csi_capture_init(&c, 4);
    CHECK_OK(csi_capture_put(&c, "abcdefgh\nij", 11, &out, &err));
    csi_capture_reset(&c);
    csi_buf_clear(&out);
    csi_capture_last_line(&c, line);
    CHECK_TEXT(line, "");
    CHECK_OK(csi_capture_put(&c, "xyz", 3, &out, &err));
    CHECK_OK(csi_capture_end(&c, &out, &err));
    CHECK_TEXT(out.data, "xyz");
    CHECK_EQUAL(csi_capture_dropped(&c), 0);
    csi_buf_release(&out);
    csi_capture_fini(&c);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"the first and the last half of the limit are kept, and what is between is counted", both_ends_are_kept},
        {"for every length and way of writing the kept bytes are the right ones",
         every_length_and_step_keeps_the_limit},
        {"the first half is handed on at once, the rest waits for the end", first_half_is_handed_on_at_once},
        {"the last line is the last one with something to see in it", last_line_is_the_last_visible_one},
        {"a long last line is cut", long_line_is_cut},
        {"NUL bytes cut nothing", nul_bytes_do_not_cut},
        {"a reset forgets the attempt before", reset_forgets},
    };
    return check_main("what is kept of output", cases, sizeof cases / sizeof *cases);
}
