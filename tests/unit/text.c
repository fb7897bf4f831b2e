#include "base/text.h"

#include "lib/check.h"

static bool is_number(const char *text, uint64_t *value)
{
    return csi_text_u64(text, strlen(text), value);
}

static void test_numbers(void)
{
    static const char *const bad[] = {"", " 1", "1 ", "-1", "+1", "0x1", "1e3", "18446744073709551616", "1\n", "one"};
    uint64_t value = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (is_number(bad[i], &value))
            printf("\n      '%s' was taken for a number", bad[i]);
        CHECK(!is_number(bad[i], &value));
    }
    CHECK_EQUAL(value, 7);
    CHECK(is_number("18446744073709551615", &value) && value == UINT64_MAX);
    CHECK(is_number("007", &value) && value == 7);
    CHECK(csi_text_u64("123", 2, &value) && value == 12);
}

static void test_hex(void)
{
    uint64_t value = 0;
    CHECK(csi_text_hex("ffffffffffffffff", 16, &value) && value == UINT64_MAX);
    CHECK(csi_text_hex("0a", 2, &value) && value == 10);
    CHECK(!csi_text_hex("", 0, &value));
    CHECK(!csi_text_hex("00000000000000000", 17, &value));
    CHECK(!csi_text_hex("0g", 2, &value));
    CHECK(!csi_text_hex("0A", 2, &value));
}

static void test_written_numbers(void)
{
    static const uint64_t numbers[] = {0, 9, 10, 99, 100, UINT64_C(1795246246707), UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct csi_buf buf = CSI_BUF_INIT;
        char wanted[64];
        snprintf(wanted, sizeof wanted, "%" PRIu64 "/%016" PRIx64, numbers[i], numbers[i]);
        csi_text_add_u64(&buf, numbers[i]);
        csi_buf_add_char(&buf, '/');
        csi_text_add_hex(&buf, numbers[i]);
        CHECK_TEXT(buf.data, wanted);
        csi_buf_release(&buf);
    }
}

static void test_cuts(void)
{
    static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\xad"; /* of 1, 2, 3 and 4 bytes */
    static const size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (size_t most = 0; most < sizeof kept / sizeof kept[0]; most++)
        CHECK_EQUAL(csi_text_cut(text, 10, most), kept[most]);
    CHECK_EQUAL(csi_text_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5); /* no UTF-8 at all */
}

static void test_every_byte_survives_escaping(void)
{
    char all[256];
    struct csi_buf buf = CSI_BUF_INIT;
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    csi_text_escape(&buf, all, sizeof all);
    CHECK(strlen(buf.data) == buf.length);
    CHECK(!strpbrk(buf.data, "\t\n\r"));
    CHECK_EQUAL(csi_text_unescape(buf.data, buf.length), sizeof all);
    CHECK(memcmp(buf.data, all, sizeof all) == 0);
    csi_buf_release(&buf);
}

static void test_unknown_escapes_stay(void)
{
    char text[] = "a\\qb\\x1\\";
    CHECK_EQUAL(csi_text_unescape(text, strlen(text)), strlen(text));
    CHECK_TEXT(text, "a\\qb\\x1\\");
}

static void test_fields(void)
{
    const char *field;
    size_t length;
    uint64_t number;
    struct csi_fields f = csi_fields_of("end\t12\tff\t\tlast", 15);
    CHECK(csi_fields_is(&f, "end"));
    CHECK(csi_fields_u64(&f, &number) && number == 12);
    CHECK(csi_fields_hex(&f, &number) && number == 255);
    CHECK(csi_fields_next(&f, &field, &length) && length == 0);
    CHECK(!csi_fields_done(&f));
    CHECK(csi_fields_next(&f, &field, &length) && length == 4);
    CHECK(csi_fields_done(&f));
    CHECK(!csi_fields_next(&f, &field, &length));
}

static const struct check_case cases[] = {
    {"a number is digits and nothing else, and fits 64 bits", test_numbers},
    {"a hexadecimal number is 1 to 16 small digits", test_hex},
    {"numbers are written as printf writes them", test_written_numbers},
    {"no character is cut in two", test_cuts},
    {"every byte survives escaping, on one line without a TAB", test_every_byte_survives_escaping},
    {"what is no escape stays as it is", test_unknown_escapes_stay},
    {"the fields of a line are read one by one, empty ones too", test_fields},
};

int main(void)
{
    return check_main("numbers and fields of text", cases, sizeof cases / sizeof cases[0]);
}
