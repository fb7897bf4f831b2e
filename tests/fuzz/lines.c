/* A file of items, as --from reads it: lines, NUL, columns, LZ4. */
#include <cfsplit/list.h>

#include "lib/fuzz.h"

static size_t mend(uint8_t *data, size_t size, size_t room)
{
    (void)data;
    (void)room;
    return size; /* it has no digest of ours */
}

FUZZ_MENDS(mend)

static const char *path_of(const char *name)
{
    static char path[sizeof fuzz_folder + 16];
    snprintf(path, sizeof path, "%s/%s", fuzz_folder, name);
    return path;
}

/* Reads file `name` to the end or to the first error; adds WEIGHT TAB ITEM NUL of each to `out`. */
static cfsplit_status read_all(const char *name, unsigned flags, struct csi_buf *out, uint64_t *count)
{
    struct cfsplit_error err = {0};
    struct cfsplit_lines *lines = NULL;
    struct cfsplit_item item;
    *count = 0;
    cfsplit_status status = cfsplit_lines_open(path_of(name), flags, &lines, &err);
    while (status == CFSPLIT_OK && (status = cfsplit_lines_next(lines, &item, &err)) == CFSPLIT_OK) {
        FUZZ_MUST(item.length > 0 && item.length <= CFSPLIT_ITEM_BYTES_MAX && strlen(item.name) == item.length);
        csi_buf_addf(out, "%" PRIu64 "\t", item.weight);
        csi_buf_add(out, item.name, item.length + 1);
        ++*count;
    }
    FUZZ_MUST(!out->failed && (status == CFSPLIT_END || status == CFSPLIT_USAGE));
    FUZZ_MUST(status == CFSPLIT_END || strstr(err.message, name));
    if (status == CFSPLIT_END) {
        uint64_t again;
        FUZZ_MUST(cfsplit_lines_can_rewind(lines) && cfsplit_lines_rewind(lines, &err) == CFSPLIT_OK);
        FUZZ_MUST(cfsplit_lines_count(lines, &again, &err) == CFSPLIT_OK && again == *count);
    }
    cfsplit_lines_close(lines);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)fuzz_run();
    fuzz_put("list", data, size);
    for (unsigned flags = 0; flags <= (CFSPLIT_LINES_NUL | CFSPLIT_LINES_COLUMN); flags++) {
        struct csi_buf items = CSI_BUF_INIT, again = CSI_BUF_INIT;
        uint64_t count, again_count;
        read_all("list", flags, &items, &count);
        fuzz_put("again", items.data, items.length); /* what was read, in the one form that holds anything */
        cfsplit_status status = read_all("again", CFSPLIT_LINES_NUL | CFSPLIT_LINES_COLUMN, &again, &again_count);
        FUZZ_MUST(status == CFSPLIT_END && again_count == count && again.length == items.length);
        FUZZ_MUST(count == 0 || memcmp(items.data, again.data, items.length) == 0);
        csi_buf_release(&items);
        csi_buf_release(&again);
    }
    return 0;
}
