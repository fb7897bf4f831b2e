/* The journal: what was written is read, whole groups or not at all, whatever happened to the file. */
#include "rundir/journal.h"

#include "base/text.h"
#include "lib/random.h"
#include "lib/rundir.h"

static struct cfsplit_run *run;

enum { heard_max = 3000 };

/* What a reader handed out; texts end with NUL. */
struct heard {
    size_t count;
    struct csi_record at[heard_max];
    char first_text[256];
};
static struct heard heard;

static cfsplit_status hear(void *context, const struct csi_record *record, struct cfsplit_error *error)
{
    struct heard *h = context;
    (void)error;
    if (h->count == 0)
        snprintf(h->first_text, sizeof h->first_text, "%.*s", (int)record->text_length, record->text);
    if (h->count < heard_max)
        h->at[h->count++] = *record;
    return CFSPLIT_OK;
}

static cfsplit_status refuse(void *context, const struct csi_record *record, struct cfsplit_error *error)
{
    (void)context;
    (void)record;
    (void)error;
    return CFSPLIT_STOPPED;
}

static cfsplit_status read_on(const struct csi_inc *inc, struct csi_journal_reader *reader, uint64_t vouched,
                              uint64_t limit)
{
    heard.count = 0;
    return csi_journal_read(run, inc, reader, vouched, limit, false, hear, &heard, &err);
}

/* From the beginning. */
static cfsplit_status read_all(const struct csi_inc *inc, struct csi_journal_reader *reader, uint64_t vouched,
                               uint64_t limit)
{
    *reader = (struct csi_journal_reader){0};
    return read_on(inc, reader, vouched, limit);
}

static void same_record(const struct csi_record *a, const struct csi_record *b)
{
    CHECK_EQUAL(a->kind, b->kind);
    CHECK_EQUAL(a->generation, b->generation);
    CHECK_EQUAL(a->index, b->index);
    CHECK_EQUAL(a->attempt, b->attempt);
    CHECK_EQUAL(a->time_ms, b->time_ms);
    CHECK_EQUAL(a->hash, b->hash);
    CHECK_EQUAL(a->class, b->class);
    CHECK_EQUAL(a->exit_status, b->exit_status);
    CHECK_EQUAL(a->took_ms, b->took_ms);
    CHECK_EQUAL(a->cpu_ms, b->cpu_ms);
    CHECK_EQUAL(a->rss_kib, b->rss_kib);
    CHECK_EQUAL(a->output_from, b->output_from);
    CHECK_EQUAL(a->output_to, b->output_to);
}

static const struct csi_record full_start = {.kind = CSI_RECORD_START,
                                             .generation = 1,
                                             .index = 2,
                                             .attempt = UINT32_MAX,
                                             .time_ms = 4,
                                             .output_from = UINT64_MAX,
                                             .hash = UINT64_MAX - 1};
static const struct csi_record full_end = {.kind = CSI_RECORD_END,
                                           .generation = 1,
                                           .index = 2,
                                           .attempt = 3,
                                           .time_ms = 4,
                                           .exit_status = 5,
                                           .took_ms = 6,
                                           .cpu_ms = 7,
                                           .rss_kib = 8,
                                           .output_from = 9,
                                           .output_to = UINT64_MAX,
                                           .text = "",
                                           .text_length = 0};

static void records_go_round(void)
{
    struct csi_inc inc = rundir_inc(run, 1);
    struct csi_journal j;
    struct csi_journal_reader reader;
    struct csi_record records[4 + CSI_CLASS_COUNT] = {
        full_start,
        {.kind = CSI_RECORD_BOUND, .index = UINT64_MAX, .attempt = UINT64_MAX},
        {.kind = CSI_RECORD_RELEASED, .generation = 1, .index = 2, .attempt = 3},
        {.kind = CSI_RECORD_CLOSED, .text = "told to stop", .text_length = 12}};
    for (int c = 0; c < CSI_CLASS_COUNT; c++) {
        records[4 + c] = full_end;
        records[4 + c].class = (enum csi_class)c;
    }
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    for (size_t i = 0; i < 4 + CSI_CLASS_COUNT; i++)
        rundir_put(&j, records[i]);
    CHECK_OK(read_all(&inc, &reader, j.synced, UINT64_MAX));
    CHECK_EQUAL(heard.count, 4 + CSI_CLASS_COUNT);
    for (size_t i = 0; i < heard.count; i++)
        same_record(&heard.at[i], &records[i]);
    CHECK(reader.closed);
    CHECK_EQUAL(reader.length, j.length);
    CHECK_EQUAL(reader.sequence, 5 + CSI_CLASS_COUNT);
    CHECK_EQUAL(reader.digest, j.digest);
    CHECK_EQUAL(reader.tail, 0);
    CHECK_OK(csi_journal_close(&j, &err));
}

static void any_text_fits_a_line(void)
{
    struct csi_inc inc = rundir_inc(run, 1);
    struct csi_journal j;
    struct csi_journal_reader reader;
    struct csi_record record = full_end, found;
    struct csi_buf line = CSI_BUF_INIT;
    char text[256], back[1200];
    for (int i = 0; i < 256; i++)
        text[i] = (char)i;
    record.text = text;
    record.text_length = sizeof text;
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    rundir_put(&j, record);
    CHECK_OK(read_all(&inc, &reader, j.synced, UINT64_MAX));
    CHECK_EQUAL(heard.count, 1);
    CHECK_OK(csi_journal_record_at(run, inc.name, heard.at[0].at, &line, &found, &err));
    same_record(&found, &record);
    memcpy(back, found.text, found.text_length);
    CHECK_EQUAL(csi_text_unescape(back, found.text_length), sizeof text);
    CHECK(memcmp(back, text, sizeof text) == 0);
    CHECK_EQUAL(csi_journal_record_at(run, inc.name, heard.at[0].at + 1, &line, &found, &err), CFSPLIT_DAMAGED);
    CHECK_EQUAL(csi_journal_record_at(run, inc.name, j.length, &line, &found, &err), CFSPLIT_DAMAGED);
    CHECK_EQUAL(csi_journal_record_at(run, inc.name, 1 << 30, &line, &found, &err), CFSPLIT_DAMAGED);
    csi_buf_release(&line);
    CHECK_OK(csi_journal_close(&j, &err));
}

static void reader_goes_on_where_it_was(void)
{
    struct csi_inc inc = rundir_inc(run, 1);
    struct csi_journal j;
    struct csi_journal_reader reader = {0};
    CHECK_OK(read_on(&inc, &reader, 0, UINT64_MAX)); /* no file yet */
    CHECK_EQUAL(read_on(&inc, &reader, 1, UINT64_MAX), CFSPLIT_DAMAGED);
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    CHECK_OK(read_on(&inc, &reader, j.synced, UINT64_MAX));
    CHECK_EQUAL(heard.count, 0);
    for (uint64_t i = 0; i < 20; i++) {
        struct csi_record start = rundir_start(i, 1), end = rundir_end(i, 1, CSI_DONE);
        csi_journal_add(&j, &start);
        CHECK_OK(read_on(&inc, &reader, j.synced, UINT64_MAX));
        CHECK_EQUAL(heard.count, 0); /* nothing is in the file before it is whole */
        rundir_put(&j, end);
        CHECK_OK(read_on(&inc, &reader, j.synced, UINT64_MAX));
        CHECK_EQUAL(heard.count, 2);
        CHECK_EQUAL(heard.at[0].index, i);
        CHECK_EQUAL(heard.at[1].kind, CSI_RECORD_END);
        CHECK_EQUAL(reader.length, j.length);
    }
    CHECK_OK(csi_journal_close(&j, &err));
    CHECK_OK(read_on(&inc, &reader, j.length, UINT64_MAX));
    CHECK_EQUAL(heard.count, 0);
}

static void group_may_be_larger_than_a_window(void)
{
    struct csi_inc inc = rundir_inc(run, 1);
    struct csi_journal j;
    struct csi_journal_reader reader;
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    for (uint64_t i = 0; i < heard_max; i++) {
        struct csi_record record = full_end;
        record.index = i;
        record.text = "the last line that it printed, which was neither short nor long, but of about this length";
        record.text_length = strlen(record.text);
        csi_journal_add(&j, &record);
        if (i % 500 == 0)
            CHECK_OK(csi_journal_write(&j, &err));
    }
    CHECK_OK(csi_journal_write(&j, &err));
    CHECK(j.length > 300000);
    CHECK_OK(read_all(&inc, &reader, j.length, UINT64_MAX));
    CHECK_EQUAL(heard.count, heard_max);
    CHECK_EQUAL(heard.at[heard_max - 1].index, heard_max - 1);
    CHECK_OK(csi_journal_close(&j, &err));
}

/* ---- damage */

enum { groups = 6 };

/* A closed journal of some groups of one to three records. */
struct sample {
    struct csi_inc inc;
    const char *file;
    struct csi_buf bytes;
    uint64_t length[groups]; /* up to which each group goes */
    size_t records[groups];  /* how many there are up to there */
};

static struct sample sample_open(void)
{
    struct sample s = {.inc = rundir_inc(run, 1)};
    struct csi_journal j;
    size_t records = 0;
    CHECK_OK(csi_journal_open(&j, run, &s.inc, &err));
    s.length[0] = j.length;
    for (size_t g = 1; g < groups; g++) {
        for (size_t i = 0; i < 1 + g % 3; i++, records++) {
            struct csi_record record = i % 2 ? rundir_end(g, i, CSI_FAILED) : rundir_start(g, i + 1);
            csi_journal_add(&j, &record);
        }
        CHECK_OK(csi_journal_write(&j, &err));
        s.length[g] = j.length;
        s.records[g] = records;
    }
    CHECK_OK(csi_journal_close(&j, &err));
    s.file = rundir_name(run, "journal", s.inc.name);
    s.bytes = rundir_read(s.file);
    CHECK_EQUAL(s.bytes.length, s.length[groups - 1]);
    return s;
}

/* The length and records of the whole groups within the first `intact` bytes. */
static void whole(const struct sample *s, uint64_t intact, uint64_t *length, size_t *records)
{
    *length = 0;
    *records = 0;
    for (size_t g = 0; g < groups && s->length[g] <= intact; g++) {
        *length = s->length[g];
        *records = s->records[g];
    }
}

static void damage_is_told(const struct sample *s, uint64_t length, uint64_t vouched)
{
    struct csi_journal_reader reader;
    char place[64];
    CHECK_EQUAL(read_all(&s->inc, &reader, vouched, UINT64_MAX), CFSPLIT_DAMAGED);
    snprintf(place, sizeof place, "%s' is damaged at byte %" PRIu64 ":", s->inc.name, length);
    if (!strstr(err.message, place))
        CHECK_TEXT(err.message, place);
}

/* What is left of a file of which only the first `intact` bytes are as they were. */
static void check_rest(const struct sample *s, uint64_t intact)
{
    struct csi_journal_reader reader;
    uint64_t length;
    size_t records;
    whole(s, intact, &length, &records);
    CHECK_OK(read_all(&s->inc, &reader, length, UINT64_MAX));
    CHECK_EQUAL(reader.length, length);
    CHECK_EQUAL(heard.count, records);
    if (length < s->bytes.length)
        damage_is_told(s, length, length + 1);
}

static uint64_t tail_of(const struct sample *s)
{
    struct csi_journal_reader reader;
    CHECK_OK(read_all(&s->inc, &reader, 0, UINT64_MAX));
    return reader.tail;
}

static void file_may_end_anywhere(void)
{
    struct sample s = sample_open();
    for (uint64_t cut = 0; cut <= s.bytes.length; cut++) {
        uint64_t length;
        size_t records;
        scratch_write(s.file, s.bytes.data, cut);
        check_rest(&s, cut);
        whole(&s, cut, &length, &records);
        CHECK_EQUAL(tail_of(&s), cut - length);
    }
    csi_buf_release(&s.bytes);
}

static void zeros_may_follow_anywhere(void)
{
    struct sample s = sample_open();
    char *file = calloc(1, 100000);
    for (uint64_t cut = 0; cut <= s.bytes.length; cut += 3) {
        uint64_t length;
        size_t records;
        memset(file, 0, 100000);
        memcpy(file, s.bytes.data, cut);
        scratch_write(s.file, file, 100000);
        check_rest(&s, cut);
        whole(&s, cut, &length, &records);
        CHECK_EQUAL(tail_of(&s), cut - length);
    }
    free(file);
    csi_buf_release(&s.bytes);
}

static void garbage_may_follow_anywhere(void)
{
    struct sample s = sample_open();
    struct random random = {1};
    char *file = malloc(s.bytes.length + 8192);
    for (uint64_t cut = 0; cut < s.bytes.length; cut += 7) {
        memcpy(file, s.bytes.data, s.bytes.length);
        file[cut] = (char)(file[cut] ^ 1);
        for (size_t i = cut + 1; i < s.bytes.length + 8192; i++)
            file[i] = (char)random_next(&random);
        scratch_write(s.file, file, s.bytes.length + 8192);
        check_rest(&s, cut);
    }
    free(file);
    csi_buf_release(&s.bytes);
}

static void every_flipped_bit_is_found(void)
{
    struct sample s = sample_open();
    for (uint64_t bit = 0; bit < 8 * s.bytes.length; bit++) {
        rundir_flip(s.file, bit / 8, (int)(bit % 8));
        check_rest(&s, bit / 8);
        if (bit % 8 == 0)
            CHECK(tail_of(&s) > 0);
        rundir_flip(s.file, bit / 8, (int)(bit % 8));
    }
    check_rest(&s, s.bytes.length);
    csi_buf_release(&s.bytes);
}

static void journal_of_another_is_refused(void)
{
    struct sample s = sample_open();
    struct csi_inc other = rundir_inc(run, 1);
    struct csi_journal_reader reader;
    scratch_write(rundir_name(run, "journal", other.name), s.bytes.data, s.bytes.length);
    CHECK_EQUAL(read_all(&other, &reader, 0, UINT64_MAX), CFSPLIT_DAMAGED);
    CHECK_EQUAL(heard.count, 0);
    csi_buf_release(&s.bytes);
}

static void limit_is_honoured(void)
{
    struct sample s = sample_open();
    struct csi_journal_reader reader;
    for (uint64_t limit = 0; limit <= s.bytes.length; limit++) {
        uint64_t length;
        size_t records;
        whole(&s, limit, &length, &records);
        CHECK_OK(read_all(&s.inc, &reader, length, limit));
        CHECK_EQUAL(reader.length, length);
        CHECK_EQUAL(reader.tail, limit - length);
        CHECK_EQUAL(heard.count, records);
    }
    csi_buf_release(&s.bytes);
}

static void what_the_taker_says_is_returned(void)
{
    struct sample s = sample_open();
    struct csi_journal_reader reader = {0};
    CHECK_EQUAL(csi_journal_read(run, &s.inc, &reader, 0, UINT64_MAX, true, refuse, NULL, &err), CFSPLIT_STOPPED);
    csi_buf_release(&s.bytes);
}

/* ---- writing */

static void room_is_made_ahead_and_cut_off(void)
{
    struct csi_inc inc = rundir_inc(run, 1);
    struct csi_journal j;
    struct stat st;
    const char *file = rundir_name(run, "journal", inc.name);
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    CHECK_OK(csi_journal_reserve(&j, 200000, &err));
    CHECK(stat(file, &st) == 0 && (uint64_t)st.st_size >= j.length + 200000);
    CHECK_EQUAL(st.st_mode & 07777, 0600);
    rundir_put(&j, rundir_start(1, 1));
    CHECK(stat(file, &st) == 0 && (uint64_t)st.st_size == j.reserved);
    uint64_t length = j.length;
    CHECK_OK(csi_journal_close(&j, &err));
    CHECK(stat(file, &st) == 0 && (uint64_t)st.st_size == length);
    CHECK_OK(csi_journal_close(&j, &err));
}

static void refuses_for_ever(struct csi_journal *j)
{
    static const char again[] = "failed before and is not written to again";
    CHECK(j->broken);
    CHECK_EQUAL(csi_journal_write(j, &err), CFSPLIT_STORAGE);
    CHECK(strstr(err.message, again) != NULL);
    CHECK_EQUAL(csi_journal_sync(j, &err), CFSPLIT_STORAGE);
    CHECK(strstr(err.message, again) != NULL);
    CHECK_EQUAL(csi_journal_reserve(j, 1, &err), CFSPLIT_STORAGE);
    CHECK(strstr(err.message, again) != NULL);
}

static void full_disk_ends_a_journal(void)
{
    struct csi_inc inc = rundir_inc(run, 1);
    struct csi_journal j;
    struct csi_journal_reader reader;
    struct csi_record record = rundir_start(1, 1);
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    uint64_t length = j.length;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC), kept = fcntl(j.fd, F_DUPFD_CLOEXEC, 0);
    dup2(full, j.fd);
    csi_journal_add(&j, &record);
    CHECK_EQUAL(csi_journal_write(&j, &err), CFSPLIT_STORAGE);
    CHECK(strstr(err.message, "No space left on device") != NULL);
    dup2(kept, j.fd); /* there is room again */
    refuses_for_ever(&j);
    CHECK_OK(csi_journal_close(&j, &err));
    CHECK_OK(read_all(&inc, &reader, length, UINT64_MAX));
    CHECK_EQUAL(reader.length, length);
    close(full);
    close(kept);
}

static void full_disk_is_met_when_room_is_made(void)
{
    struct csi_inc inc = rundir_inc(run, 1);
    struct csi_journal j;
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    dup2(full, j.fd);
    CHECK_OK(csi_journal_reserve(&j, 1, &err)); /* there is some */
    CHECK_EQUAL(csi_journal_reserve(&j, 1 << 20, &err), CFSPLIT_STORAGE);
    refuses_for_ever(&j);
    CHECK_OK(csi_journal_close(&j, &err));
    close(full);
}

static void failed_sync_ends_a_journal(void)
{
    struct csi_inc inc = rundir_inc(run, 1);
    struct csi_journal j;
    struct csi_record record = rundir_start(1, 1);
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    csi_journal_add(&j, &record);
    CHECK_OK(csi_journal_write(&j, &err));
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC); /* cannot be synced at all */
    dup2(full, j.fd);
    CHECK_EQUAL(csi_journal_sync(&j, &err), CFSPLIT_STORAGE);
    refuses_for_ever(&j);
    CHECK_OK(csi_journal_close(&j, &err));
    close(full);
}

static void journal_is_made_once(void)
{
    struct csi_inc inc = rundir_inc(run, 1);
    struct csi_journal j, second;
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    CHECK_EQUAL(csi_journal_open(&second, run, &inc, &err), CFSPLIT_USAGE);
    CHECK_OK(csi_journal_close(&second, &err));
    CHECK_OK(csi_journal_close(&j, &err));
}

static void only_records_parse(void)
{
    static const char *const lines[] = {"",
                                        "start",
                                        "start\t0\t1\t2\t3\t4\t5",
                                        "start\t0\t1\t2\t3\t4\t5\t0\t6",
                                        "start\t0\t1\t2\t3\t4\t5\t2",
                                        "start\t0\t1\t2\t3\t4\tX\t0",
                                        "start\t0\t-1\t2\t3\t4\t5\t0",
                                        "start \t0\t1\t2\t3\t4\t5",
                                        "end\t0\t1\t2\t3\tdoned\t0\t0\t0\t0\t0\t0\t",
                                        "end\t0\t1\t2\t3\tdone\t0\t0\t0\t0\t0\t0",
                                        "released\t0\t1",
                                        "closed",
                                        "bound",
                                        "bound\t",
                                        "bound\t0\t0",
                                        "bound\t1",
                                        "bound\t1\t2",
                                        "bound\t1\t0",
                                        "bound\t1\t0\t0",
                                        "bound\t0\t0\t5",
                                        "bound\t1\t1\t5",
                                        "bound\t1\t0\t5\t0",
                                        "bound\t18446744073709551615\t2\t5",
                                        "bound\t18446744073709551616\t0\t5",
                                        "commit\t1\t0000000000000000"};
    struct csi_record record;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (csi_record_parse(lines[i], strlen(lines[i]), &record))
            CHECK_TEXT(lines[i], "no record");
    CHECK(csi_record_parse("closed\t", 7, &record));
    CHECK(csi_record_parse("bound\t7\t0\t51", 12, &record));
    CHECK_EQUAL(record.kind, CSI_RECORD_BOUND);
    CHECK_EQUAL(record.index, 7);
    CHECK_EQUAL(record.alone, 0);
    CHECK_EQUAL(record.attempt, 51);
    CHECK(csi_record_parse("bound\t0\t1\t0", 11, &record)); /* no coordinator was ever heard of */
}

int main(void)
{
    static const struct check_case cases[] = {
        {"every record goes round", records_go_round},
        {"a text of any bytes fits one line", any_text_fits_a_line},
        {"a reader goes on where it was", reader_goes_on_where_it_was},
        {"a group may be larger than what is read at once", group_may_be_larger_than_a_window},
        {"a file may end at any byte: whole groups count, the rest is told", file_may_end_anywhere},
        {"zeros may follow at any byte", zeros_may_follow_anywhere},
        {"garbage may follow at any byte", garbage_may_follow_anywhere},
        {"every flipped bit is damage below the vouched length and a tail above it", every_flipped_bit_is_found},
        {"a journal of another incarnation is refused", journal_of_another_is_refused},
        {"nothing is read beyond a limit", limit_is_honoured},
        {"what the taker answers is returned", what_the_taker_says_is_returned},
        {"room is made ahead, and cut off at the end", room_is_made_ahead_and_cut_off},
        {"a full disk ends a journal for ever", full_disk_ends_a_journal},
        {"a full disk is met when room is made", full_disk_is_met_when_room_is_made},
        {"a failed sync ends a journal for ever", failed_sync_ends_a_journal},
        {"a journal is made once", journal_is_made_once},
        {"only records are taken for records", only_records_parse},
    };
    scratch_enter();
    run = rundir_new("run", 40, 1);
    int failed = check_main("the journal", cases, sizeof cases / sizeof *cases);
    cfsplit_run_close(run);
    return failed;
}
