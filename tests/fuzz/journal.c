/* journal/<inc>, and the ledger made from it */
#include "lib/fuzz.h"
#include "rundir/ledger.h"

#define NAME "journal/" FUZZ_INC

/* Every line that begins as a commit becomes the commit line of all since the one before. */
static size_t mend(uint8_t *data, size_t size, size_t room)
{
    struct csi_buf out = CSI_BUF_INIT;
    uint64_t sequence = 0, digest = 0;
    size_t group = 0;
    for (const uint8_t *at = data, *end = data + size, *next; at < end; at = next) {
        const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
        next = stop ? stop + 1 : end;
        if (!stop || stop - at < 7 || memcmp(at, "commit\t", 7) != 0) {
            csi_buf_add(&out, at, (size_t)(next - at));
            continue;
        }
        digest = XXH64(out.data ? out.data + group : "", out.length - group, digest);
        csi_buf_addf(&out, "commit\t%" PRIu64 "\t%016" PRIx64 "\n", ++sequence, digest);
        group = out.length;
    }
    if (!out.failed && out.length > 0 && out.length <= room) {
        memcpy(data, out.data, out.length);
        size = out.length;
    }
    csi_buf_release(&out);
    return size;
}

FUZZ_MENDS(mend)

struct taken {
    struct csi_ledger ledger;
    uint64_t count, last_at;
};

static cfsplit_status take(void *context, const struct csi_record *record, struct cfsplit_error *err)
{
    struct taken *t = context;
    (void)err;
    FUZZ_MUST(t->count == 0 || record->at > t->last_at);
    t->last_at = record->at;
    t->count++;
    csi_ledger_take(&t->ledger, 1, record, record->time_ms % 2 == 0);
    return CFSPLIT_OK;
}

static cfsplit_status read_to(struct csi_journal_reader *reader, uint64_t vouched, uint64_t limit, struct taken *taken,
                              struct cfsplit_error *err)
{
    struct csi_inc inc = {.name = FUZZ_INC, .replica = 3};
    cfsplit_status status = csi_journal_read(fuzz_run(), &inc, reader, vouched, limit, false, take, taken, err);
    fuzz_judge(status, err, NAME);
    FUZZ_MUST(reader->length <= limit);
    return status;
}

static void same(const struct csi_entry *a, const struct csi_entry *b)
{
    FUZZ_MUST(a->end_at == b->end_at && a->end_ms == b->end_ms && a->attempts == b->attempts && a->owner == b->owner);
    FUZZ_MUST(a->failures == b->failures && a->laters == b->laters && a->done == b->done && a->class == b->class);
    FUZZ_MUST(a->rejected == b->rejected && a->ended == b->ended);
}

/* A journal that is read while it grows tells what it tells at the end. */
static void read_in_two_goes(uint64_t size, const struct csi_journal_reader *whole, const struct taken *all)
{
    struct cfsplit_error err = {0};
    struct csi_journal_reader reader = {0};
    struct taken taken = {0};
    FUZZ_MUST(csi_ledger_init(&taken.ledger, 0, all->ledger.count, &err) == CFSPLIT_OK);
    FUZZ_MUST(read_to(&reader, 0, size / 2, &taken, &err) == CFSPLIT_OK);
    FUZZ_MUST(read_to(&reader, whole->length, UINT64_MAX, &taken, &err) == CFSPLIT_OK);
    FUZZ_MUST(reader.length == whole->length && reader.digest == whole->digest && reader.closed == whole->closed);
    FUZZ_MUST(reader.sequence == whole->sequence && reader.tail == whole->tail && taken.count == all->count);
    for (uint64_t i = 0; i < taken.ledger.count; i++)
        same(&taken.ledger.at[i], &all->ledger.at[i]);
    csi_ledger_fini(&taken.ledger);
}

static void read_last(const struct taken *taken)
{
    struct cfsplit_error err = {0};
    struct csi_buf line = CSI_BUF_INIT;
    struct csi_record record;
    fuzz_judge(csi_journal_record_at(fuzz_run(), FUZZ_INC, taken->last_at, &line, &record, &err), &err, NAME);
    csi_buf_release(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "cfsplit-journal\t1\t" FUZZ_RUN_ID "\t" FUZZ_INC "\n";
    struct cfsplit_error err = {0};
    struct csi_journal_reader reader = {0};
    struct taken taken = {0};
    fuzz_put(NAME, data, size);
    FUZZ_MUST(csi_ledger_init(&taken.ledger, 0, 20, &err) == CFSPLIT_OK);
    cfsplit_status status = read_to(&reader, 0, UINT64_MAX, &taken, &err);
    if (status == CFSPLIT_OK) {
        FUZZ_MUST(reader.length + reader.tail <= size);
        FUZZ_MUST(reader.length == 0 || (size >= strlen(head) && memcmp(data, head, strlen(head)) == 0));
        read_in_two_goes(size, &reader, &taken);
        struct csi_journal_reader more = reader;
        FUZZ_MUST(read_to(&more, reader.length + 1, UINT64_MAX, &taken, &err) == CFSPLIT_DAMAGED);
    }
    for (uint64_t i = 0; i < taken.ledger.count; i++)
        FUZZ_MUST(csi_entry_state(&taken.ledger.at[i], i % 2) <= CFSPLIT_SET_ASIDE);
    if (taken.count > 0)
        read_last(&taken);
    csi_ledger_fini(&taken.ledger);
    return 0;
}
