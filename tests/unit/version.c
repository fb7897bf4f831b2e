#include <cfsplit/cfsplit.h>

#include "lib/check.h"

static uint32_t number(uint32_t major, uint32_t minor, uint32_t patch)
{
    return major * 1000000 + minor * 1000 + patch;
}

static void test_same(void)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", CFSPLIT_VERSION_MAJOR, CFSPLIT_VERSION_MINOR, CFSPLIT_VERSION_PATCH);
    CHECK_TEXT(cfsplit_version(), text);
    CHECK_EQUAL(cfsplit_version_number(), CFSPLIT_VERSION_NUMBER);
    CHECK_EQUAL(CFSPLIT_VERSION_NUMBER, number(CFSPLIT_VERSION_MAJOR, CFSPLIT_VERSION_MINOR, CFSPLIT_VERSION_PATCH));
    CHECK_EQUAL(cfsplit_version_check(CFSPLIT_VERSION_NUMBER, NULL), CFSPLIT_OK);
}

static void test_others(void)
{
    struct cfsplit_error err;
    uint32_t major = CFSPLIT_VERSION_MAJOR, minor = CFSPLIT_VERSION_MINOR, patch = CFSPLIT_VERSION_PATCH;
    const uint32_t wrong[] = {number(major, minor, patch + 1), number(major, minor + 1, 0), number(major + 1, 0, 0), 0};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK_EQUAL(cfsplit_version_check(wrong[i], NULL), CFSPLIT_USAGE);
    CHECK_EQUAL(cfsplit_version_check(number(12, 345, 678), &err), CFSPLIT_USAGE);
    char wanted[96];
    snprintf(wanted, sizeof wanted, "built for libcfsplit 12.345.678, which %s does not serve", cfsplit_version());
    CHECK_TEXT(err.message, wanted);
}

static const struct check_case cases[] = {
    {"the headers and the library agree on their version", test_same},
    {"a program built for a later or another version is told so", test_others},
};

int main(void)
{
    return check_main("versions of headers and library", cases, sizeof cases / sizeof cases[0]);
}
