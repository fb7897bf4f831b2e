/* One line of a journal. */
#include "base/text.h"
#include "lib/fuzz.h"
#include "rundir/journal.h"

static size_t mend(uint8_t *data, size_t size, size_t room)
{
    (void)data;
    (void)room;
    return size; /* it has no digest */
}

FUZZ_MENDS(mend)

/* As the journal would write it; text is unescaped first, as it stands in the record as it stood in the file. */
static void encode(struct csi_record r, struct csi_journal *to)
{
    struct csi_buf text = CSI_BUF_INIT;
    csi_buf_add(&text, r.text ? r.text : "", r.text_length);
    FUZZ_MUST(!text.failed);
    r.text = text.data;
    r.text_length = csi_text_unescape(text.data, text.length);
    csi_buf_clear(&to->group);
    csi_journal_add(to, &r);
    FUZZ_MUST(!to->group.failed && to->group.data[to->group.length - 1] == '\n');
    csi_buf_release(&text);
}

static void same(struct csi_record a, struct csi_record b)
{
    a.text = b.text = NULL; /* escapes may be written in more than one way */
    a.text_length = b.text_length = 0;
    FUZZ_MUST(a.kind == b.kind && a.generation == b.generation && a.index == b.index && a.attempt == b.attempt);
    FUZZ_MUST(a.time_ms == b.time_ms && a.hash == b.hash && a.class == b.class && a.exit_status == b.exit_status);
    FUZZ_MUST(a.took_ms == b.took_ms && a.cpu_ms == b.cpu_ms && a.rss_kib == b.rss_kib);
    FUZZ_MUST(a.output_from == b.output_from && a.output_to == b.output_to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csi_journal first = {.fd = -1}, second = {.fd = -1};
    struct csi_record record, again;
    if (csi_record_parse((const char *)data, size, &record)) {
        encode(record, &first);
        FUZZ_MUST(csi_record_parse(first.group.data, first.group.length - 1, &again));
        same(record, again);
        encode(again, &second);
        FUZZ_MUST(first.group.length == second.group.length);
        FUZZ_MUST(memcmp(first.group.data, second.group.data, first.group.length) == 0);
    }
    csi_buf_release(&first.group);
    csi_buf_release(&second.group);
    return 0;
}
