/* Picking items block by block against picking them one by one. */
#include <stdlib.h>

#include "lib/check.h"
#include "lib/random.h"
#include "lib/scratch.h"
#include "base/buf.h"
#include "list/blocks.h"

static struct cfsplit_error err;
static struct random seed = {5};

static uint64_t below(uint64_t bound)
{
    return random_below(&seed, bound);
}

/* ---- the simple way */

struct simple {
    size_t starts[4096]; /* where items begin */
    size_t count;
};

static void find_simply(const char *text, size_t length, char end, struct simple *out)
{
    out->count = 0;
    for (size_t at = 0; at < length;) {
        const char *stop = memchr(text + at, end, length - at);
        size_t line = (stop ? (size_t)(stop - text) : length) - at;
        size_t item = line - (end == '\n' && line > 0 && text[at + line - 1] == '\r');
        if (item > 0)
            out->starts[out->count++] = at;
        at += line + 1;
    }
}

/* ---- texts */

/* Up to `room` bytes of lines, with all that lines may have; or of items that end with NUL. */
static size_t make_text(char *text, size_t room, char end)
{
    size_t length = below(room);
    static const char *const some[] = {"\n", "\n", "\n\n", "\r\n", "\r", "\r\r\n", "\n\r\n", " ", "\t"};
    size_t usual = 1 + below(200);
    for (size_t i = 0; i < length; i++)
        text[i] = (char)('a' + below(20));
    for (size_t i = 0; i < length; i += 1 + below(usual)) {
        if (end == '\0') {
            text[i] = i > 0 && text[i - 1] ? '\0' : 'x';
            continue;
        }
        const char *put = some[below(usual % 3 ? 9 : 2)];
        for (size_t k = 0; put[k] && i + k < length; k++)
            text[i + k] = put[k];
    }
    return length;
}

typedef size_t (*finder)(struct csi_scan *, enum csi_scan_mode, size_t);

/* Each mark is the number of items that begin before its place. */
static void check_marks(finder find, enum csi_scan_mode mode, const char *text, size_t length,
                        const struct simple *wanted)
{
    uint32_t marks[4096 / CSI_SCAN_MARK + 1];
    struct csi_scan scan = {.text = text, .length = length, .skip = UINT64_MAX, .marks = marks};
    find(&scan, mode, 0);
    CHECK(scan.marked == 0 || scan.marked == length / CSI_SCAN_MARK);
    for (size_t i = 0, passed = 0; i < scan.marked; i++) {
        while (passed < wanted->count && wanted->starts[passed] < CSI_SCAN_MARK * (i + 1))
            passed++;
        CHECK_EQUAL(marks[i], passed);
    }
}

static void check_finder(finder find, const char *text, size_t length, char end, const struct simple *wanted)
{
    enum csi_scan_mode mode = end ? CSI_SCAN_LINES : CSI_SCAN_NUL;
    struct csi_scan scan = {.text = text, .length = length, .skip = UINT64_MAX};
    find(&scan, mode, 0);
    CHECK(!scan.odd);
    CHECK_EQUAL(UINT64_MAX - scan.skip, wanted->count);
    check_marks(find, mode, text, length, wanted);
    for (size_t i = 0; i < wanted->count; i += 1 + below(20)) {
        scan.skip = i;
        CHECK_EQUAL(find(&scan, mode, 0), wanted->starts[i]);
        uint64_t more = below(wanted->count - i);
        if (more == 0)
            continue;
        scan.skip = more - 1;
        CHECK_EQUAL(find(&scan, mode, wanted->starts[i] + 1), wanted->starts[i + more]);
    }
    scan.skip = wanted->count;
    CHECK_EQUAL(find(&scan, mode, 0), length);
}

static void test_finding(void)
{
    static char room[4098];
    static struct simple wanted;
    for (int round = 0; round < 2000; round++) {
        char end = round % 4 ? '\n' : '\0', *text = room + 1;
        size_t length = make_text(text, 4096, end);
        text[-1] = end;
        text[length] = end;
        find_simply(text, length, end, &wanted);
        check_finder(csi_scan_find_plain, text, length, end, &wanted);
        check_finder(csi_scan_find, text, length, end, &wanted);
        if (csi_scan_is_wide())
            check_finder(csi_scan_find_wide, text, length, end, &wanted);
    }
}

static bool is_odd(finder find, const char *text, size_t length, enum csi_scan_mode mode)
{
    struct csi_scan scan = {.text = text, .length = length, .skip = UINT64_MAX};
    find(&scan, mode, 0);
    return scan.odd;
}

static void check_odd(finder find)
{
    enum { length = 100000 };
    char *room = malloc(length + 2), *text = room + 1;
    memset(room, '\n', length + 2);
    memset(text, 'x', length);
    CHECK(is_odd(find, text, length, CSI_SCAN_LINES)); /* too long */
    for (size_t i = 0; i < length; i += 50)
        text[i] = '\n';
    CHECK(!is_odd(find, text, length, CSI_SCAN_LINES));
    for (int i = 0; i < 200; i++) {
        size_t at = 1 + below(length - 2);
        char was = text[at], before = text[at - 1];
        text[at] = '\0';
        CHECK(is_odd(find, text, length, CSI_SCAN_LINES));
        text[at - 1] = '\0';
        CHECK(is_odd(find, text, length, CSI_SCAN_NUL));
        text[at] = was;
        text[at - 1] = before;
    }
    for (size_t i = 40000; i < 90000; i++)
        text[i] = '\r';
    CHECK(is_odd(find, text, length, CSI_SCAN_LINES));
    free(room);
}

static void test_odd(void)
{
    check_odd(csi_scan_find_plain);
    if (csi_scan_is_wide())
        check_odd(csi_scan_find_wide);
}

/* ---- files */

static struct csi_buf got;

static bool put(void *context, const char *text, size_t length)
{
    (void)context;
    csi_buf_add(&got, text, length);
    return true;
}

/* The text of the items that a pick takes. */
static void pick_simply(const char *text, size_t length, char end, const struct simple *all, struct cfsplit_pick pick,
                        struct csi_buf *out)
{
    csi_buf_clear(out);
    for (uint64_t i = pick.skip; i < all->count && pick.left > 0; i += pick.step, pick.left--) {
        const char *from = text + all->starts[i], *stop = memchr(from, end, length - all->starts[i]);
        size_t n = stop ? (size_t)(stop - from) : length - all->starts[i];
        csi_buf_add(out, from, n - (end == '\n' && from[n - 1] == '\r'));
        csi_buf_add_char(out, end);
    }
}

static void check_pick(struct csi_blocks *blocks, const char *text, size_t length, char end, const struct simple *all)
{
    struct csi_buf wanted = CSI_BUF_INIT;
    struct csi_blocks_end where;
    struct cfsplit_pick pick = {.skip = below(all->count + 3),
                                .step = 1 + below(below(2) ? 3 : 100),
                                .left = below(2) ? 1 + below(50) : INT64_MAX,
                                .put = put};
    const struct cfsplit_pick before = pick;
    pick_simply(text, length, end, all, pick, &wanted);
    csi_buf_clear(&got);
    CHECK_OK(csi_blocks_pick(blocks, &pick, &where, &err));
    CHECK(!where.odd);
    CHECK_EQUAL(got.length, wanted.length);
    CHECK(got.length == 0 || memcmp(got.data, wanted.data, got.length) == 0);
    if (pick.left > 0) {
        CHECK_EQUAL(pick.seen, all->count);
        CHECK_EQUAL(pick.skip, before.skip + (before.left - pick.left) * before.step - all->count);
    }
    csi_buf_release(&wanted);
}

static void test_picking(void)
{
    static char text[4096];
    static struct simple all;
    for (int round = 0; round < 300; round++) {
        char end = round % 4 ? '\n' : '\0';
        enum csi_scan_mode mode = end ? CSI_SCAN_LINES : CSI_SCAN_NUL;
        size_t length = make_text(text, sizeof text, end), from = length && end ? below(length) / 2 : 0;
        struct csi_blocks blocks = {0};
        struct csi_blocks_end where;
        scratch_write("list", text, length);
        find_simply(text + from, length - from, end, &all);
        int fd = open("list", O_RDONLY);
        CHECK_OK(csi_blocks_init(&blocks, fd, from, mode, 1 + below(500), &err));
        check_pick(&blocks, text + from, length - from, end, &all);
        CHECK_OK(csi_blocks_count(&blocks, &where, &err));
        CHECK_EQUAL(blocks.before[blocks.known], all.count);
        check_pick(&blocks, text + from, length - from, end, &all);
        csi_blocks_release(&blocks);
        close(fd);
    }
    csi_buf_release(&got);
}

/* ---- whole lists, larger than a block */

/* Lines of that many bytes in all, with something odd in one of them or without. */
static size_t write_list(size_t bytes, const char *odd, size_t odd_length)
{
    struct csi_buf text = CSI_BUF_INIT;
    size_t odd_at = below(bytes), lines = 0;
    while (text.length < bytes) {
        csi_buf_addf(&text, "some/folder/item-%zu%s", lines++, below(50) ? "\n" : "\r\n\n");
        if (odd && text.length > odd_at) {
            csi_buf_add(&text, odd, odd_length);
            odd = NULL;
        }
    }
    if (below(2))
        text.length--;
    scratch_write("list", text.data, text.length);
    csi_buf_release(&text);
    return lines;
}

/* All that cfsplit_lines_next gives of a pick, and what it fails with. */
static cfsplit_status next_all(struct cfsplit_pick pick, struct csi_buf *out, struct cfsplit_error *failure)
{
    struct cfsplit_lines *lines;
    struct cfsplit_item item;
    cfsplit_status status;
    uint64_t i = 0;
    csi_buf_clear(out);
    CHECK_OK(cfsplit_lines_open("list", 0, &lines, &err));
    for (; (status = cfsplit_lines_next(lines, &item, failure)) == CFSPLIT_OK; i++)
        if (i >= pick.skip && (i - pick.skip) % pick.step == 0) {
            csi_buf_add(out, item.name, item.length);
            csi_buf_add_char(out, '\n');
        }
    cfsplit_lines_close(lines);
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}

static void check_list(void)
{
    struct cfsplit_lines *lines;
    struct cfsplit_error wanted_err = {0}, got_err = {0};
    struct csi_buf wanted = CSI_BUF_INIT;
    struct cfsplit_pick pick = {.skip = below(30), .step = 1 + below(30), .left = INT64_MAX, .put = put};
    cfsplit_status wanted_status = next_all(pick, &wanted, &wanted_err);
    csi_buf_clear(&got);
    CHECK_OK(cfsplit_lines_open("list", 0, &lines, &err));
    CHECK_EQUAL(cfsplit_lines_pick(lines, &pick, &got_err), wanted_status);
    CHECK_TEXT(got_err.message, wanted_err.message);
    CHECK_EQUAL(got.length, wanted.length);
    CHECK(got.length == 0 || memcmp(got.data, wanted.data, got.length) == 0);
    cfsplit_lines_close(lines);
    uint64_t count;
    CHECK_OK(cfsplit_lines_open("list", 0, &lines, &err));
    CHECK_EQUAL(cfsplit_lines_count(lines, &count, &got_err), wanted_status);
    if (wanted_status == CFSPLIT_OK)
        CHECK_EQUAL(count, pick.seen);
    cfsplit_lines_close(lines);
    csi_buf_release(&wanted);
}

static void test_lists(void)
{
    static char huge[CFSPLIT_ITEM_BYTES_MAX + 100];
    memset(huge, 'h', sizeof huge);
    for (int round = 0; round < 24; round++) {
        size_t bytes = 100000 + below(2500000);
        static const size_t lengths[] = {20000, 31000, CFSPLIT_ITEM_BYTES_MAX, CFSPLIT_ITEM_BYTES_MAX + 80};
        if (round % 4 == 0)
            write_list(bytes, NULL, 0);
        else if (round % 4 == 1)
            write_list(bytes, "with\0nul\n", 9);
        else {
            size_t length = lengths[below(4)];
            huge[length] = '\n';
            write_list(bytes, huge, length + 1);
            huge[length] = 'h';
        }
        check_list();
    }
    csi_buf_release(&got);
}

/* What is put for the first time changes the list behind its back. */
static bool put_and_change(void *context, const char *text, size_t length)
{
    int *left = context;
    (void)text;
    (void)length;
    if ((*left)-- == 1) {
        FILE *file = fopen("list", "a");
        fputs("late\n", file);
        fclose(file);
    }
    return true;
}

static void test_changing(void)
{
    struct cfsplit_lines *lines;
    uint64_t count;
    int calls = 1;
    write_list(1000000, NULL, 0);
    struct cfsplit_pick pick = {.step = 7, .left = INT64_MAX, .put = put_and_change, .context = &calls};
    CHECK_OK(cfsplit_lines_open("list", 0, &lines, &err));
    CHECK_EQUAL(cfsplit_lines_pick(lines, &pick, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "'list' has changed while it was read");
    cfsplit_lines_close(lines);
    CHECK_OK(cfsplit_lines_open("list", 0, &lines, &err));
    CHECK_OK(cfsplit_lines_count(lines, &count, &err));
    CHECK_OK(cfsplit_lines_rewind(lines, &err));
    CHECK_EQUAL(truncate("list", 1000), 0);
    pick = (struct cfsplit_pick){.step = 1, .skip = count - 1, .left = 1, .put = put};
    CHECK_EQUAL(cfsplit_lines_pick(lines, &pick, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "'list' has become shorter while it was read");
    cfsplit_lines_close(lines);
    csi_buf_release(&got);
}

static bool refuse(void *context, const char *text, size_t length)
{
    (void)text;
    (void)length;
    ++*(int *)context;
    return false;
}

static void test_refused(void)
{
    struct cfsplit_lines *lines;
    int calls = 0;
    write_list(3000000, NULL, 0);
    struct cfsplit_pick pick = {.step = 1, .left = INT64_MAX, .put = refuse, .context = &calls};
    CHECK_OK(cfsplit_lines_open("list", 0, &lines, &err));
    CHECK_OK(cfsplit_lines_pick(lines, &pick, &err));
    CHECK(pick.refused);
    CHECK_EQUAL(calls, 1);
    cfsplit_lines_close(lines);
}

static const struct check_case cases[] = {
    {"the place of any item is found, byte by byte or wide, in any text", test_finding},
    {"what needs a closer look is seen", test_odd},
    {"any pick from blocks of any size is that of the simple way", test_picking},
    {"a long list gives the same items and errors as one by one", test_lists},
    {"a list that changes while it is read is an error", test_changing},
    {"who takes no more is asked no more", test_refused},
};

int main(void)
{
    scratch_enter();
    return check_main("picking items from a file", cases, sizeof cases / sizeof cases[0]);
}
