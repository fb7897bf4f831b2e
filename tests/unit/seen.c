/* What is read of what a coordinator told of its queue. */
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "view/survey.h"

#define NAME   "c3-0123456789abcdef"
#define HEAD   "cfsplit-seen\t1\t" NAME "\t2\t7\t3\t140\t12\n"
#define FIRST  "1-0000000000000001"
#define SECOND "0-0000000000000002"

static struct cfsplit_queue_view view;
static struct cfsplit_queue_worker workers[4];
static char names[4][CSI_INC_BYTES];
static size_t count;

static void add(void *context, const char *name, const struct cfsplit_queue_worker *worker)
{
    CHECK(context == &view && count < 4);
    if (count == 4)
        return;
    memcpy(names[count], name, strlen(name) + 1);
    workers[count++] = *worker;
}

/* From memory of just that size, so that a sanitizer sees what is read beside it. */
static bool parse_bytes(const char *text, size_t length)
{
    char *copy = malloc(length ? length : 1);
    view = (struct cfsplit_queue_view){.name = NAME, .number = 5};
    count = 0;
    memcpy(copy, text, length);
    bool known = csi_survey_queue_parse(copy, length, &view, add, &view);
    free(copy);
    CHECK_EQUAL(view.told, known);
    CHECK_EQUAL(view.number, 5);
    return known;
}

static bool parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static void all_of_it_is_read(void)
{
    CHECK(parse(HEAD "worker\t" FIRST "\t2\t4\t30\t1500000\t250\n"
                     "worker\t" SECOND "\t1\t0\t0\t0\t0\n"));
    CHECK_EQUAL(view.connected, 2);
    CHECK_EQUAL(view.refused, 7);
    CHECK_EQUAL(view.strange, 3);
    CHECK_EQUAL(view.ready, 140);
    CHECK_EQUAL(view.held, 12);
    CHECK_EQUAL(count, 2);
    CHECK_TEXT(names[0], FIRST);
    CHECK_TEXT(names[1], SECOND);
    CHECK_EQUAL(workers[0].connected, 1);
    CHECK_EQUAL(workers[0].slots, 2);
    CHECK_EQUAL(workers[0].held, 4);
    CHECK_EQUAL(workers[0].ended, 30);
    CHECK_EQUAL(workers[0].mean_us, 1500000);
    CHECK_EQUAL(workers[0].heard_ms, 250);
}

static void what_another_told_is_not_known(void)
{
    static const char *const texts[] = {
        "",
        "\n",
        "cfsplit-seen\n",
        "cfsplit-seen\t2\t" NAME "\t2\t7\t3\t140\t12\n",
        "cfsplit-seen\t1\tc3-0123456789abcdee\t2\t7\t3\t140\t12\n",
        "cfsplit-seen\t1\t" NAME "\t2\t7\t3\t140\n",
        "cfsplit-seen\t1\t" NAME "\t2\t7\t3\t140\t-1\n",
        "cfsplit-seen\t1\t" NAME "\t2\t7\t3\t140\t9223372036854775808\n",
        "cfsplit-seen\t1\t" NAME "\t2\t7\t3\t140\t12", /* torn */
        "worker\t" FIRST "\t2\t4\t30\t1500000\t250\n" HEAD,
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK(!parse(texts[i]));
        CHECK_EQUAL(count, 0);
        CHECK_EQUAL(view.connected, 0);
    }
}

static void lines_that_make_no_sense_are_left_out(void)
{
    CHECK(parse(HEAD "\n"
                     "weather\tfine\n"
                     "worker\n"
                     "worker\t\t2\t4\t30\t1\t250\n"
                     "worker\t1-000000000000000\t2\t4\t30\t1\t250\n"
                     "worker\t1-0000000000000001000000000000000000000000\t2\t4\t30\t1\t250\n"
                     "worker\t" FIRST "\t2\t4\t30\tnan\t250\n"
                     "worker\t" FIRST "\t2\t4\t30\t1\n"
                     "worker\t" FIRST "\t18446744073709551616\t4\t30\t1\t250\n"
                     "worker\t" SECOND "\t9\t4\t30\t1\t250\tsomething new\n"
                     "worker\t" FIRST "\t2\t4\t30\t1\t25"));
    CHECK_EQUAL(count, 1);
    CHECK_TEXT(names[0], SECOND);
    CHECK_EQUAL(workers[0].slots, 9);
}

static void a_nul_is_no_end(void)
{
    static const char text[] = HEAD "worker\t1-0000000000000001\0\t2\t4\t30\t1\t250\n"
                                    "worker\t" SECOND "\t9\t4\t30\t1\t250\n";
    CHECK(parse_bytes(text, sizeof text - 1));
    CHECK_EQUAL(count, 1);
    CHECK_TEXT(names[0], SECOND);
}

/* Cut anywhere, it is read up to the last whole line. */
static void a_torn_one_is_no_error(void)
{
    static const char text[] = HEAD "worker\t" FIRST "\t2\t4\t30\t1500000\t250\n"
                                    "worker\t" SECOND "\t1\t0\t0\t0\t0\n";
    size_t head = strlen(HEAD), second = (size_t)(strstr(text, "worker\t" SECOND) - text);
    for (size_t length = 0; length < sizeof text; length++) {
        CHECK_EQUAL(parse_bytes(text, length), length >= head);
        CHECK_EQUAL(count, (length >= second) + (length == sizeof text - 1));
    }
}

int main(void)
{
    static const struct check_case cases[] = {
        {"all of it is read", all_of_it_is_read},
        {"what another told is not known", what_another_told_is_not_known},
        {"lines that make no sense are left out", lines_that_make_no_sense_are_left_out},
        {"a NUL is no end", a_nul_is_no_end},
        {"a torn one is no error", a_torn_one_is_no_error},
    };
    return check_main("what a coordinator told", cases, sizeof cases / sizeof *cases);
}
