#include <cfsplit/unstable.h>

#include <fcntl.h>
#include <lz4frame.h>
#include <sys/stat.h>

#include "lib/check.h"
#include "lib/scratch.h"

static struct cfsplit_error err;

/* The items of a file that holds `text`, joined by '|', or the error. */
static const char *read_bytes_of(const char *text, size_t length, unsigned flags)
{
    static char all[4096];
    struct cfsplit_list *list;
    scratch_write("list", text, length);
    CHECK_OK(cfsplit_list_new(&list, &err));
    all[0] = '\0';
    if (cfsplit_list_add_file(list, "list", flags, &err) != CFSPLIT_OK)
        snprintf(all, sizeof all, "%s", err.message);
    else
        for (uint64_t i = 0; i < cfsplit_list_count(list); i++) {
            struct cfsplit_item item = cfsplit_list_at(list, i);
            CHECK_EQUAL(strlen(item.name), item.length);
            size_t used = strlen(all);
            snprintf(all + used, sizeof all - used, "%s%s", i ? "|" : "", item.name);
        }
    cfsplit_list_free(list);
    return all;
}

static const char *read_text(const char *text, unsigned flags)
{
    return read_bytes_of(text, strlen(text), flags);
}

static void test_ends_of_lines(void)
{
    CHECK_TEXT(read_text("a\nb\n", 0), "a|b");
    CHECK_TEXT(read_text("a\nb", 0), "a|b");
    CHECK_TEXT(read_text("a\r\nb\r\n", 0), "a|b");
    CHECK_TEXT(read_text("a\r\nb\r", 0), "a|b");
    CHECK_TEXT(read_text("\n\na\n\n\r\n\nb\n\n", 0), "a|b");
    CHECK_TEXT(read_text(" a \n \n", 0), " a | ");
    CHECK_TEXT(read_text("a\rb\n", 0), "a\rb");
    CHECK_TEXT(read_text("", 0), "");
    CHECK_TEXT(read_text("\n\r\n", 0), "");
}

static void test_nul(void)
{
    CHECK_TEXT(read_bytes_of("a\nb\0c\r\0", 7, CFSPLIT_LINES_NUL), "a\nb|c\r");
    CHECK_TEXT(read_bytes_of("a\0b", 3, CFSPLIT_LINES_NUL), "a|b");
    CHECK_TEXT(read_bytes_of("a\0\0b\0", 5, CFSPLIT_LINES_NUL), "'list', item 2: the item is empty");
    CHECK_TEXT(read_bytes_of("x\na\0b\n", 6, 0),
               "'list', line 2: holds a NUL; are these items that end with NUL (-0)?");
}

static void test_column(void)
{
    CHECK_TEXT(read_text("12\ta b\tc\n\n0\td\n", CFSPLIT_LINES_COLUMN), "a b\tc|d");
    CHECK_TEXT(read_text("12\ta\nb\n", CFSPLIT_LINES_COLUMN),
               "'list', line 2: wanted WEIGHT TAB ITEM, the weight a number below 2^63");
    CHECK_TEXT(read_text("\n-1\ta\n", CFSPLIT_LINES_COLUMN),
               "'list', line 2: wanted WEIGHT TAB ITEM, the weight a number below 2^63");
    CHECK_TEXT(read_text("9223372036854775808\ta\n", CFSPLIT_LINES_COLUMN),
               "'list', line 1: wanted WEIGHT TAB ITEM, the weight a number below 2^63");
    CHECK_TEXT(read_text("9223372036854775807\ta\n1\tb\n", CFSPLIT_LINES_COLUMN),
               "the weights up to item 'b' add up to 2^63 or more");
    CHECK_TEXT(read_text("3\t\n", CFSPLIT_LINES_COLUMN), "'list', line 1: the item is empty");
}

static void test_longest(void)
{
    char line[CFSPLIT_ITEM_BYTES_MAX + 8];
    struct cfsplit_list *list;
    memset(line, 'x', sizeof line);
    line[0] = 'a';
    line[1] = '\n';
    line[2 + CFSPLIT_ITEM_BYTES_MAX] = '\n';
    scratch_write("list", line, CFSPLIT_ITEM_BYTES_MAX + 3);
    CHECK_OK(cfsplit_list_new(&list, &err));
    CHECK_OK(cfsplit_list_add_file(list, "list", 0, &err));
    CHECK_EQUAL(cfsplit_list_at(list, 1).length, CFSPLIT_ITEM_BYTES_MAX);
    cfsplit_list_free(list);
    line[2 + CFSPLIT_ITEM_BYTES_MAX] = 'x';
    CHECK_TEXT(read_bytes_of(line, CFSPLIT_ITEM_BYTES_MAX + 3, 0),
               "'list', line 2: too long: an item has at most 60000 bytes");
}

static void test_line_without_end(void)
{
    struct cfsplit_lines *lines;
    struct cfsplit_item item;
    CHECK_OK(cfsplit_lines_open("/dev/zero", 0, &lines, &err));
    CHECK_EQUAL(cfsplit_lines_next(lines, &item, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "'/dev/zero', line 1: too long: an item has at most 60000 bytes");
    cfsplit_lines_close(lines);
}

/* 40,000 numbered lines, as one LZ4 frame. */
static size_t make_frame(char **frame)
{
    char *text = malloc(1000000);
    size_t length = 0;
    for (int i = 0; i < 40000; i++)
        length += (size_t)sprintf(text + length, "item %d\n", i);
    size_t room = LZ4F_compressFrameBound(length, NULL);
    *frame = malloc(room);
    size_t made = LZ4F_compressFrame(*frame, room, text, length, NULL);
    free(text);
    return made;
}

static void test_lz4(void)
{
    char *frame;
    size_t length = make_frame(&frame);
    struct cfsplit_lines *lines;
    uint64_t count;
    scratch_write("list", frame, length);
    CHECK_OK(cfsplit_lines_open("list", 0, &lines, &err));
    for (int pass = 0; pass < 2; pass++) {
        CHECK_OK(cfsplit_lines_count(lines, &count, &err));
        CHECK_EQUAL(count, 40000);
        CHECK_OK(cfsplit_lines_rewind(lines, &err));
    }
    struct cfsplit_item item;
    for (int i = 0; i < 40000; i++)
        CHECK_OK(cfsplit_lines_next(lines, &item, &err));
    CHECK_TEXT(item.name, "item 39999");
    CHECK_EQUAL(cfsplit_lines_next(lines, &item, &err), CFSPLIT_END);
    CHECK_EQUAL(cfsplit_lines_next(lines, &item, &err), CFSPLIT_END);
    cfsplit_lines_close(lines);
    free(frame);
}

static void test_damaged_lz4(void)
{
    char *frame;
    size_t length = make_frame(&frame);
    CHECK_TEXT(read_bytes_of(frame, length - 1, 0), "'list' ends in the middle of an LZ4 frame");
    CHECK_TEXT(read_bytes_of(frame, 4, 0), "'list' ends in the middle of an LZ4 frame");
    frame[5] ^= 1;
    CHECK(strstr(read_bytes_of(frame, length, 0), "'list' is a damaged LZ4 file: ") != NULL);
    free(frame);
}

static void test_two_frames(void)
{
    char frames[256], *at = frames;
    at += LZ4F_compressFrame(at, 128, "a\nb", 3, NULL);
    at += LZ4F_compressFrame(at, 128, "c\nd", 3, NULL);
    CHECK_TEXT(read_bytes_of(frames, (size_t)(at - frames), 0), "a|bc|d");
}

static void test_other_packing(void)
{
    static const char wanted[] = "'list' is packed by %s: only LZ4 frames are read through, so unpack it before";
    static const struct {
        const char *bytes, *name;
    } rows[] = {{"\x1f\x8b\x08\x08", "gzip"},
                {"\xfd"
                 "7zXZ",
                 "xz"},
                {"\x28\xb5\x2f\xfd", "zstd"},
                {"\x02\x21\x4c\x18", "lz4 -l"}};
    char message[128];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(message, sizeof message, wanted, rows[i].name);
        CHECK_TEXT(read_text(rows[i].bytes, 0), message);
        CHECK_TEXT(read_text(rows[i].bytes, CFSPLIT_LINES_NUL), message);
    }
    CHECK_TEXT(read_text("\x1f\x8b", CFSPLIT_LINES_NUL), "\x1f\x8b");
    CHECK_TEXT(read_text("7zXZ", 0), "7zXZ");
}

static void test_pipe_reads_once(void)
{
    struct cfsplit_lines *lines;
    struct cfsplit_item item;
    int ends[2], stdin_before = dup(0);
    CHECK_EQUAL(pipe(ends), 0);
    CHECK_EQUAL(write(ends[1], "a\nb", 3), 3);
    close(ends[1]);
    dup2(ends[0], 0);
    CHECK_OK(cfsplit_lines_open("-", 0, &lines, &err));
    CHECK(!cfsplit_lines_can_rewind(lines));
    CHECK_OK(cfsplit_lines_next(lines, &item, &err));
    CHECK_EQUAL(cfsplit_lines_rewind(lines, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "standard input can be read only once");
    CHECK_OK(cfsplit_lines_next(lines, &item, &err));
    CHECK_TEXT(item.name, "b");
    cfsplit_lines_close(lines);
    CHECK(fcntl(0, F_GETFD) >= 0);
    dup2(stdin_before, 0);
    close(stdin_before);
    close(ends[0]);
}

static bool ignore(void *context, const char *text, size_t length)
{
    (void)context;
    return text != NULL && length > 0;
}

/* Counted, then another list of as many bytes is written over it, so that only its time tells. */
static void change_between(const char *text, size_t length, const char *later, size_t later_length, bool pick)
{
    static const struct timespec times[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    struct cfsplit_pick first = {.step = 1, .left = 1, .put = ignore};
    struct cfsplit_lines *lines;
    struct cfsplit_item item;
    uint64_t count;
    scratch_write("list", text, length);
    CHECK_OK(cfsplit_lines_open("list", 0, &lines, &err));
    CHECK_OK(cfsplit_lines_count(lines, &count, &err));
    CHECK_EQUAL(count, 2);
    int fd = open("list", O_WRONLY);
    CHECK_EQUAL(write(fd, later, later_length), later_length);
    CHECK_EQUAL(futimens(fd, times), 0);
    close(fd);
    CHECK_OK(cfsplit_lines_rewind(lines, &err));
    if (pick) {
        CHECK_EQUAL(cfsplit_lines_pick(lines, &first, &err), CFSPLIT_USAGE);
    } else {
        CHECK_OK(cfsplit_lines_next(lines, &item, &err));
        CHECK_OK(cfsplit_lines_next(lines, &item, &err));
        CHECK_EQUAL(cfsplit_lines_next(lines, &item, &err), CFSPLIT_USAGE);
    }
    CHECK_TEXT(err.message, "'list' has changed while it was read");
    cfsplit_lines_close(lines);
}

static void test_changing(void)
{
    char frame[128], later[128];
    size_t length = LZ4F_compressFrame(frame, sizeof frame, "a\nb", 3, NULL);
    size_t later_length = LZ4F_compressFrame(later, sizeof later, "c\nd", 3, NULL);
    for (int pick = 0; pick < 2; pick++) {
        change_between("a\nb\n", 4, "c\nd\n", 4, pick);
        change_between(frame, length, later, later_length, pick);
    }
}

static void test_not_a_file(void)
{
    struct cfsplit_lines *lines;
    CHECK_EQUAL(cfsplit_lines_open("none", 0, &lines, &err), CFSPLIT_USAGE);
    CHECK(lines == NULL);
    CHECK_TEXT(err.message, "cannot open 'none': No such file or directory");
    CHECK_EQUAL(cfsplit_lines_open(".", 0, &lines, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "'.' is a folder, not a file with a list");
}

static const struct check_case cases[] = {
    {"a line ends with a newline, CR LF or the file; empty lines are no items", test_ends_of_lines},
    {"items that end with NUL may hold newlines, and are never empty", test_nul},
    {"a weight stands before a TAB, and is a number below 2^63", test_column},
    {"an item of 60,000 bytes is fine, one more is not", test_longest},
    {"a line without an end is refused before it fills the memory", test_line_without_end},
    {"an LZ4 frame is read through, again after going back", test_lz4},
    {"an LZ4 frame that is cut or damaged is an error, not a shorter list", test_damaged_lz4},
    {"frames behind each other are one file, as for lz4 -dc", test_two_frames},
    {"a list that is packed otherwise is named as what it is", test_other_packing},
    {"a pipe is read once, and standard input is left open", test_pipe_reads_once},
    {"a list that changes while it is read is an error, short or packed as it may be", test_changing},
    {"what is missing or a folder is named", test_not_a_file},
};

int main(void)
{
    scratch_enter();
    return check_main("reading items from files", cases, sizeof cases / sizeof cases[0]);
}
