#include "base/error.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/check.h"

static void test_codes(void)
{
    CHECK_EQUAL(cfsplit_status_exit_code(CFSPLIT_OK), 0);
    CHECK_EQUAL(cfsplit_status_exit_code(CFSPLIT_USAGE), 2);
    CHECK_EQUAL(cfsplit_status_exit_code(CFSPLIT_DAMAGED), 3);
    CHECK_EQUAL(cfsplit_status_exit_code(CFSPLIT_STORAGE), 5);
    CHECK_EQUAL(cfsplit_status_exit_code(CFSPLIT_STOPPED), 75);
    CHECK_TEXT(cfsplit_status_text(CFSPLIT_OK), "done");
}

static void test_sentence(void)
{
    struct cfsplit_error err = {0};
    CHECK_EQUAL(csi_fail_errno(&err, CFSPLIT_USAGE, ENOENT, "cannot open %s", csi_quote("a b").text), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "cannot open 'a b': No such file or directory");
    CHECK_EQUAL(err.system_errno, ENOENT);
    CHECK_EQUAL(csi_fail(NULL, CFSPLIT_USAGE, "nobody listens"), CFSPLIT_USAGE);
}

static void test_storage(void)
{
    CHECK_EQUAL(csi_status_of_errno(EDQUOT, CFSPLIT_USAGE), CFSPLIT_STORAGE);
    CHECK_EQUAL(csi_status_of_errno(ENOENT, CFSPLIT_USAGE), CFSPLIT_USAGE);
}

static void test_quotes(void)
{
    CHECK_TEXT(csi_quote("plain").text, "'plain'");
    CHECK_TEXT(csi_quote("a\nb\tc\x01").text, "'a\\nb\\tc\\x01'");
    CHECK_TEXT(csi_quote("\xc3\xa9\xff").text, "'\xc3\xa9\\xff'");
    CHECK_TEXT(csi_quote("\xc0\xaf \xed\xa0\x80").text, "'\\xc0\\xaf \\xed\\xa0\\x80'"); /* overlong; a surrogate */
    CHECK_TEXT(csi_quote("").text, "''");
}

static void test_long_names(void)
{
    for (unsigned first = 1; first < 256; first++) {
        char name[5001];
        memset(name, (int)first, 5000);
        name[5000] = '\0';
        struct cfsplit_quoted q = csi_quote(name);
        CHECK(strlen(q.text) < sizeof q.text);
        CHECK(strstr(q.text, "...") != NULL);
    }
}

static const struct check_case cases[] = {
    {"every status has its exit code", test_codes},
    {"an error is one sentence with the system's reason", test_sentence},
    {"a full disk is storage, a missing file is not", test_storage},
    {"a name is shown in quotes, what cannot be shown as \\xNN", test_quotes},
    {"a long name is cut in the middle, whatever its bytes are", test_long_names},
};

int main(void)
{
    return check_main("errors and how names are shown", cases, sizeof cases / sizeof cases[0]);
}
