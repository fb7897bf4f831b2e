#include "base/buf.h"

#include "lib/check.h"

static void test_grows(void)
{
    struct cfsplit_error err = {0};
    struct csi_buf buf = CSI_BUF_INIT;
    for (int i = 0; i < 1000; i++)
        csi_buf_addf(&buf, "%d,", i);
    CHECK_EQUAL(buf.length, 3890);
    CHECK_EQUAL(strlen(buf.data), buf.length);
    CHECK_OK(csi_buf_check(&buf, &err));
    csi_buf_release(&buf);
    CHECK(buf.data == NULL);
}

static void test_consumes(void)
{
    struct csi_buf buf = CSI_BUF_INIT;
    csi_buf_add_text(&buf, "abc");
    csi_buf_add_char(&buf, 'd');
    csi_buf_add(&buf, "", 0);
    csi_buf_consume(&buf, 0);
    CHECK_TEXT(buf.data, "abcd");
    csi_buf_consume(&buf, 3);
    CHECK_TEXT(buf.data, "d");
    csi_buf_clear(&buf);
    CHECK_TEXT(buf.data, "");
    CHECK_EQUAL(buf.length, 0);
    csi_buf_release(&buf);
}

static void test_holds_nul(void)
{
    struct csi_buf buf = CSI_BUF_INIT;
    csi_buf_add(&buf, "a\0b", 3);
    CHECK_EQUAL(buf.length, 3);
    CHECK(memcmp(buf.data, "a\0b", 4) == 0);
    csi_buf_release(&buf);
}

static void test_remembers_failure(void)
{
    struct cfsplit_error err = {0};
    struct csi_buf buf = {.failed = true};
    csi_buf_add_text(&buf, "x");
    csi_buf_addf(&buf, "%d", 1);
    CHECK(csi_buf_reserve(&buf, 1) == NULL);
    CHECK_EQUAL(csi_buf_check(&buf, &err), CFSPLIT_MEMORY);
    csi_buf_clear(&buf);
    CHECK_OK(csi_buf_check(&buf, &err));
}

static const struct check_case cases[] = {
    {"a buffer grows as far as is needed and stays terminated", test_grows},
    {"bytes are taken from the front, and the memory is kept when it is cleared", test_consumes},
    {"a NUL is a byte like any other", test_holds_nul},
    {"a failed addition is remembered until the buffer is cleared", test_remembers_failure},
};

int main(void)
{
    return check_main("a growing buffer", cases, sizeof cases / sizeof cases[0]);
}
