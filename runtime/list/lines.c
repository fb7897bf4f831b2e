#include <cfsplit/list.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "list/blocks.h"
#include "list/list.h"

enum {
    read_bytes = 65536,
    line_bytes_max = CFSPLIT_ITEM_BYTES_MAX + 32, /* with the weight, a TAB and CR */
    magic_bytes = 4
};

/* Bytes go from the file (through `packed` and liblz4 if it is an LZ4 frame) into `text`; items are cut from there. */
struct cfsplit_lines {
    int fd;
    bool is_stdin; /* not ours to close */
    unsigned flags;
    struct cfsplit_quoted shown; /* the file, for messages */
    off_t start;                 /* where the items begin; -1: it cannot be gone back to */
    struct stat seen;            /* as it was at first, if it can */
    struct csi_buf text;
    size_t at; /* in text: the next item */
    uint64_t line;
    bool ended;         /* the file is */
    LZ4F_dctx *unpacks; /* NULL: not LZ4 */
    struct csi_buf packed;
    size_t packed_wants;      /* bytes that the frame still wants; 0: between frames */
    struct csi_blocks blocks; /* of a regular file; counted: kept for when it is read again */
    bool is_odd;              /* it is not for them */
};

/* Appends what one read gives. */
static cfsplit_status read_more(struct cfsplit_lines *lines, struct csi_buf *to, struct cfsplit_error *err)
{
    char *room = csi_buf_reserve(to, read_bytes);
    if (!room)
        return csi_fail_memory(err);
    ssize_t got;
    do
        got = read(lines->fd, room, read_bytes);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot read %s",
                              lines->shown.text);
    to->length += (size_t)got;
    to->data[to->length] = '\0';
    lines->ended = got == 0;
    return CFSPLIT_OK;
}

static cfsplit_status unpack(struct cfsplit_lines *lines, struct cfsplit_error *err)
{
    size_t used = 0;
    while (used < lines->packed.length) {
        char *room = csi_buf_reserve(&lines->text, read_bytes);
        if (!room)
            return csi_fail_memory(err);
        size_t made = read_bytes, took = lines->packed.length - used;
        size_t wants = LZ4F_decompress(lines->unpacks, room, &made, lines->packed.data + used, &took, NULL);
        if (LZ4F_isError(wants))
            return csi_fail(err, CFSPLIT_USAGE, "%s is a damaged LZ4 file: %s", lines->shown.text,
                            LZ4F_getErrorName(wants));
        lines->packed_wants = wants;
        lines->text.length += made;
        lines->text.data[lines->text.length] = '\0';
        used += took;
    }
    csi_buf_clear(&lines->packed);
    return CFSPLIT_OK;
}

/* More text, or lines->ended. */
static cfsplit_status fill(struct cfsplit_lines *lines, struct cfsplit_error *err)
{
    csi_buf_consume(&lines->text, lines->at);
    lines->at = 0;
    if (!lines->unpacks)
        return read_more(lines, &lines->text, err);
    cfsplit_status status = read_more(lines, &lines->packed, err);
    if (status == CFSPLIT_OK && lines->ended && lines->packed_wants > 0)
        return csi_fail(err, CFSPLIT_USAGE, "%s ends in the middle of an LZ4 frame", lines->shown.text);
    return status == CFSPLIT_OK ? unpack(lines, err) : status;
}

/* With -0 its bytes would pass for items. */
static cfsplit_status check_packing(const struct cfsplit_lines *lines, struct cfsplit_error *err)
{
    static const struct {
        char magic[magic_bytes];
        size_t length;
        const char *name;
    } others[] = {{"\x1f\x8b", 2, "gzip"},
                  {{'\xfd', '7', 'z', 'X'}, 4, "xz"},
                  {{'\x28', '\xb5', '\x2f', '\xfd'}, 4, "zstd"},
                  {{'\x02', '\x21', '\x4c', '\x18'}, 4, "lz4 -l"}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (lines->text.length >= magic_bytes && memcmp(lines->text.data, others[i].magic, others[i].length) == 0)
            return csi_fail(err, CFSPLIT_USAGE,
                            "%s is packed by %s: only LZ4 frames are read through, so unpack it before",
                            lines->shown.text, others[i].name);
    return CFSPLIT_OK;
}

/* Reads enough to see the magic number of an LZ4 frame, and readies liblz4 if it is there. */
static cfsplit_status recognise(struct cfsplit_lines *lines, struct cfsplit_error *err)
{
    static const char magic[magic_bytes] = {0x04, 0x22, 0x4d, 0x18};
    cfsplit_status status = CFSPLIT_OK;
    while (status == CFSPLIT_OK && !lines->ended && lines->text.length < magic_bytes)
        status = read_more(lines, &lines->text, err);
    if (status != CFSPLIT_OK || lines->text.length < magic_bytes || memcmp(lines->text.data, magic, magic_bytes) != 0)
        return status == CFSPLIT_OK ? check_packing(lines, err) : status;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&lines->unpacks, LZ4F_VERSION)))
        return csi_fail_memory(err);
    struct csi_buf empty = lines->packed;
    lines->packed = lines->text;
    lines->text = empty;
    return unpack(lines, err);
}

static cfsplit_status open_file(struct cfsplit_lines *lines, const char *path, struct cfsplit_error *err)
{
    lines->is_stdin = strcmp(path, "-") == 0;
    if (lines->is_stdin)
        strcpy(lines->shown.text, "standard input");
    else
        lines->shown = csi_quote(path);
    lines->fd = lines->is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (lines->fd < 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot open %s",
                              lines->shown.text);
    if (fstat(lines->fd, &lines->seen) != 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot read %s",
                              lines->shown.text);
    if (S_ISDIR(lines->seen.st_mode))
        return csi_fail(err, CFSPLIT_USAGE, "%s is a folder, not a file with a list", lines->shown.text);
    lines->start = S_ISREG(lines->seen.st_mode) ? lseek(lines->fd, 0, SEEK_CUR) : -1;
    return recognise(lines, err);
}

cfsplit_status cfsplit_lines_open(const char *path, unsigned flags, struct cfsplit_lines **out,
                                  struct cfsplit_error *err)
{
    struct cfsplit_lines *lines = calloc(1, sizeof *lines);
    *out = NULL;
    if (!lines) {
        csi_fail_memory(err);
        return CFSPLIT_MEMORY;
    }
    lines->flags = flags;
    cfsplit_status status = open_file(lines, path, err);
    if (status == CFSPLIT_OK)
        *out = lines;
    else
        cfsplit_lines_close(lines);
    return status;
}

void cfsplit_lines_close(struct cfsplit_lines *lines)
{
    if (!lines)
        return;
    if (lines->fd >= 0 && !lines->is_stdin)
        close(lines->fd);
    LZ4F_freeDecompressionContext(lines->unpacks);
    csi_buf_release(&lines->packed);
    csi_buf_release(&lines->text);
    csi_blocks_release(&lines->blocks);
    free(lines);
}

bool cfsplit_lines_can_rewind(const struct cfsplit_lines *lines)
{
    return lines->start >= 0;
}

cfsplit_status cfsplit_lines_rewind(struct cfsplit_lines *lines, struct cfsplit_error *err)
{
    if (lines->start < 0 || lseek(lines->fd, lines->start, SEEK_SET) < 0)
        return csi_fail(err, CFSPLIT_USAGE, "%s can be read only once", lines->shown.text);
    LZ4F_freeDecompressionContext(lines->unpacks);
    lines->unpacks = NULL;
    lines->packed_wants = 0;
    csi_buf_clear(&lines->packed);
    csi_buf_clear(&lines->text);
    lines->at = 0;
    lines->line = 0;
    lines->ended = false;
    return recognise(lines, err);
}

static cfsplit_status fail_line(const struct cfsplit_lines *lines, const char *what, struct cfsplit_error *err)
{
    const char *noun = lines->flags & CFSPLIT_LINES_NUL ? "item" : "line";
    return csi_fail(err, CFSPLIT_USAGE, "%s, %s %" PRIu64 ": %s", lines->shown.text, noun, lines->line, what);
}

/* All that was read is of one list, even if it was read more than once. */
static cfsplit_status check_same(const struct cfsplit_lines *lines, struct cfsplit_error *err)
{
    return lines->start < 0 ? CFSPLIT_OK : csi_blocks_check_same(lines->fd, &lines->seen, &lines->shown, err);
}

/* Cuts the next line, blank or not, and ends it with NUL. CFSPLIT_END behind the last one. */
static cfsplit_status cut(struct cfsplit_lines *lines, char **line, size_t *length, struct cfsplit_error *err)
{
    char end = lines->flags & CFSPLIT_LINES_NUL ? '\0' : '\n';
    char *stop = NULL;
    size_t left;
    for (;;) {
        left = lines->text.length - lines->at;
        stop = left ? memchr(lines->text.data + lines->at, end, left) : NULL;
        if (stop || lines->ended || left > line_bytes_max)
            break;
        cfsplit_status status = fill(lines, err);
        if (status != CFSPLIT_OK)
            return status;
    }
    if (left == 0) {
        cfsplit_status status = check_same(lines, err);
        return status == CFSPLIT_OK ? CFSPLIT_END : status;
    }
    lines->line++;
    *line = lines->text.data + lines->at;
    *length = stop ? (size_t)(stop - *line) : left;
    if (*length > line_bytes_max)
        return fail_line(lines, "too long: an item has at most 60000 bytes", err);
    (*line)[*length] = '\0';
    lines->at += *length + (stop != NULL);
    return CFSPLIT_OK;
}

static cfsplit_status make_item(const struct cfsplit_lines *lines, const char *line, size_t length,
                                struct cfsplit_item *out, struct cfsplit_error *err)
{
    struct cfsplit_item item = {.name = line, .length = length, .weight = 1};
    if (lines->flags & CFSPLIT_LINES_COLUMN) {
        const char *tab = memchr(line, '\t', length);
        size_t digits = tab ? (size_t)(tab - line) : 0;
        if (!csi_text_u64(line, digits, &item.weight) || item.weight > CSI_WEIGHT_MAX)
            return fail_line(lines, "wanted WEIGHT TAB ITEM, the weight a number below 2^63", err);
        item.name += digits + 1;
        item.length -= digits + 1;
    }
    if (item.length == 0)
        return fail_line(lines, "the item is empty", err);
    if (item.length > CFSPLIT_ITEM_BYTES_MAX)
        return fail_line(lines, "too long: an item has at most 60000 bytes", err);
    if (memchr(item.name, '\0', item.length))
        return fail_line(lines, "holds a NUL; are these items that end with NUL (-0)?", err);
    *out = item;
    return CFSPLIT_OK;
}

cfsplit_status cfsplit_lines_next(struct cfsplit_lines *lines, struct cfsplit_item *out, struct cfsplit_error *err)
{
    for (;;) {
        char *line = NULL;
        size_t length = 0;
        cfsplit_status status = cut(lines, &line, &length, err);
        if (status != CFSPLIT_OK)
            return status;
        if (lines->flags & CFSPLIT_LINES_NUL)
            return make_item(lines, line, length, out, err);
        if (length > 0 && line[length - 1] == '\r')
            line[--length] = '\0';
        if (length > 0)
            return make_item(lines, line, length, out, err);
    }
}

/* ---- many at a time */

/* Is this a regular file of plain items, large enough and not begun? Then its blocks are ready. */
static bool in_blocks(struct cfsplit_lines *lines)
{
    bool begun = lines->line > 0 || lines->at > 0 || (lines->ended && lines->text.length == 0);
    if (lines->start < 0 || lines->unpacks || lines->flags & CFSPLIT_LINES_COLUMN || lines->is_odd || begun)
        return false;
    if (lines->blocks.before)
        return true;
    enum csi_scan_mode mode = lines->flags & CFSPLIT_LINES_NUL ? CSI_SCAN_NUL : CSI_SCAN_LINES;
    lines->blocks.shown = lines->shown;
    lines->is_odd = csi_blocks_init(&lines->blocks, lines->fd, (uint64_t)lines->start, mode, 0, NULL) != CFSPLIT_OK ||
                    lines->blocks.bytes <= read_bytes;
    return !lines->is_odd;
}

static void be_at_end(struct cfsplit_lines *lines)
{
    csi_buf_clear(&lines->text);
    lines->at = 0;
    lines->ended = true;
}

/* How many lines, or items that end with NUL, are before `at`. */
static cfsplit_status number_of(const struct cfsplit_lines *lines, uint64_t at, uint64_t *out,
                                struct cfsplit_error *err)
{
    char text[4096], end = lines->flags & CFSPLIT_LINES_NUL ? '\0' : '\n';
    *out = 0;
    for (uint64_t done = 0; done < at;) {
        size_t wanted = at - done < sizeof text ? (size_t)(at - done) : sizeof text;
        ssize_t got = pread(lines->fd, text, wanted, (off_t)((uint64_t)lines->start + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return csi_fail(err, CFSPLIT_USAGE, "%s has become shorter while it was read", lines->shown.text);
        for (ssize_t i = 0; i < got; i++)
            *out += text[i] == end;
        done += (uint64_t)got;
    }
    return CFSPLIT_OK;
}

/* Goes on item by item where the blocks have met something odd. */
static cfsplit_status look_closely(struct cfsplit_lines *lines, const struct csi_blocks_end *end,
                                   struct cfsplit_error *err)
{
    struct cfsplit_item known;
    cfsplit_status status = number_of(lines, end->at, &lines->line, err);
    lines->is_odd = true;
    csi_buf_clear(&lines->text);
    lines->at = 0;
    lines->ended = false;
    if (status == CFSPLIT_OK && lseek(lines->fd, lines->start + (off_t)end->at, SEEK_SET) < 0)
        status = csi_fail_errno(err, CFSPLIT_USAGE, errno, "cannot read %s", lines->shown.text);
    if (status == CFSPLIT_OK && end->is_known)
        status = cfsplit_lines_next(lines, &known, err);
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}

static cfsplit_status count_one_by_one(struct cfsplit_lines *lines, uint64_t *count, struct cfsplit_error *err)
{
    struct cfsplit_item item = {0};
    cfsplit_status status;
    while ((status = cfsplit_lines_next(lines, &item, err)) == CFSPLIT_OK)
        ++*count;
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}

cfsplit_status cfsplit_lines_count(struct cfsplit_lines *lines, uint64_t *out, struct cfsplit_error *err)
{
    struct csi_blocks_end end;
    *out = 0;
    if (!in_blocks(lines))
        return count_one_by_one(lines, out, err);
    cfsplit_status status = csi_blocks_count(&lines->blocks, &end, err);
    if (status != CFSPLIT_OK)
        return status;
    *out = lines->blocks.before[lines->blocks.known];
    if (end.odd) {
        status = look_closely(lines, &end, err);
        return status == CFSPLIT_OK ? count_one_by_one(lines, out, err) : status;
    }
    be_at_end(lines);
    return CFSPLIT_OK;
}

static void flush_picked(struct csi_buf *text, struct cfsplit_pick *pick)
{
    if (text->length > 0 && !pick->put(pick->context, text->data, text->length))
        pick->refused = true;
    csi_buf_clear(text);
}

static cfsplit_status pick_one_by_one(struct cfsplit_lines *lines, struct cfsplit_pick *pick, struct cfsplit_error *err)
{
    struct csi_buf text = CSI_BUF_INIT;
    struct cfsplit_item item;
    cfsplit_status status = CFSPLIT_OK;
    while (pick->left > 0 && !pick->refused && (status = cfsplit_lines_next(lines, &item, err)) == CFSPLIT_OK) {
        pick->seen++;
        if (pick->skip > 0) {
            pick->skip--;
            continue;
        }
        csi_buf_add(&text, item.name, item.length);
        csi_buf_add_char(&text, lines->flags & CFSPLIT_LINES_NUL ? '\0' : '\n');
        pick->left--;
        pick->skip = pick->step - 1;
        if (text.length > read_bytes)
            flush_picked(&text, pick);
        if (text.failed) {
            status = csi_fail_memory(err);
            break;
        }
    }
    flush_picked(&text, pick);
    csi_buf_release(&text);
    if (status == CFSPLIT_OK && !pick->refused) /* the end was not reached, and what is behind it not seen */
        status = check_same(lines, err);
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}

cfsplit_status cfsplit_lines_pick(struct cfsplit_lines *lines, struct cfsplit_pick *pick, struct cfsplit_error *err)
{
    struct csi_blocks_end end;
    if (pick->left == 0 || !in_blocks(lines))
        return pick_one_by_one(lines, pick, err);
    cfsplit_status status = csi_blocks_pick(&lines->blocks, pick, &end, err);
    if (status == CFSPLIT_OK && end.odd)
        status = look_closely(lines, &end, err);
    else if (status == CFSPLIT_OK)
        be_at_end(lines);
    return status == CFSPLIT_OK && end.odd ? pick_one_by_one(lines, pick, err) : status;
}

cfsplit_status cfsplit_list_add_lines(struct cfsplit_list *list, struct cfsplit_lines *lines, struct cfsplit_error *err)
{
    struct cfsplit_item item = {0};
    cfsplit_status status;
    while ((status = cfsplit_lines_next(lines, &item, err)) == CFSPLIT_OK) {
        status = cfsplit_list_add(list, item.name, item.length, item.weight, err);
        if (status != CFSPLIT_OK)
            return status;
    }
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}

cfsplit_status cfsplit_list_add_file(struct cfsplit_list *list, const char *path, unsigned flags,
                                     struct cfsplit_error *err)
{
    struct cfsplit_lines *lines = NULL;
    cfsplit_status status = cfsplit_lines_open(path, flags, &lines, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_list_add_lines(list, lines, err);
    cfsplit_lines_close(lines);
    return status;
}
