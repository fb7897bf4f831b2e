/* What items printed: written in turns, found again by offsets. */
#include "rundir/output.h"

#include "lib/random.h"
#include "lib/rundir.h"

enum { attempts = 4 };

static struct cfsplit_run *run;

/* A file in which some attempts printed in turns. */
struct sample {
    struct csi_inc inc;
    const char *file;
    struct csi_buf text[attempts]; /* attempt 1 at items 0, 1, ... */
    uint64_t from[attempts], to[attempts];
};

static void print(struct sample *s, struct csi_output *o, uint64_t index, const void *data, size_t length)
{
    if (s->text[index].length == 0)
        s->from[index] = o->length;
    CHECK_OK(csi_output_add(o, 0, index, 1, data, length, &err));
    csi_buf_add(&s->text[index], data, length);
    s->to[index] = o->length;
}

static struct sample sample_open(void)
{
    struct sample s = {.inc = rundir_inc(run, 1)};
    struct random random = {3};
    struct csi_output o;
    char noise[1000];
    CHECK_OK(csi_output_open(&o, run, s.inc.name, &err));
    for (int turn = 0; turn < 12; turn++) {
        size_t length = 1 + random_below(&random, sizeof noise);
        for (size_t i = 0; i < length; i++)
            noise[i] = turn % 2 ? 'a' : (char)random_next(&random);
        print(&s, &o, (uint64_t)turn * 7 % attempts, noise, length);
    }
    CHECK_OK(csi_output_close(&o, &err));
    s.file = rundir_name(run, "output", s.inc.name);
    return s;
}

static void sample_release(struct sample *s)
{
    for (int i = 0; i < attempts; i++)
        csi_buf_release(&s->text[i]);
}

static cfsplit_status collect(void *context, const void *data, size_t length, struct cfsplit_error *error)
{
    (void)error;
    csi_buf_add(context, data, length);
    return CFSPLIT_OK;
}

static cfsplit_status refuse(void *context, const void *data, size_t length, struct cfsplit_error *error)
{
    (void)context;
    (void)data;
    (void)length;
    (void)error;
    return CFSPLIT_STOPPED;
}

static cfsplit_status read_item(const struct sample *s, uint64_t index, uint64_t to, struct csi_buf *got, bool *torn)
{
    csi_buf_clear(got);
    return csi_output_read(run, s->inc.name, 0, index, 1, s->from[index], to, collect, got, torn, &err);
}

static bool same(const struct csi_buf *a, const struct csi_buf *b)
{
    return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

static void turns_are_told_apart(void)
{
    struct sample s = sample_open();
    struct csi_buf got = CSI_BUF_INIT;
    bool torn;
    for (uint64_t i = 0; i < attempts; i++) {
        CHECK_OK(read_item(&s, i, s.to[i], &got, &torn));
        CHECK(same(&got, &s.text[i]) && !torn);
        CHECK_OK(read_item(&s, i, UINT64_MAX, &got, &torn));
        CHECK(same(&got, &s.text[i]) && !torn);
        CHECK_OK(read_item(&s, i, s.from[i], &got, &torn));
        CHECK_EQUAL(got.length, 0);
    }
    csi_buf_clear(&got); /* another attempt, another generation, another item */
    CHECK_OK(csi_output_read(run, s.inc.name, 0, 0, 2, 0, UINT64_MAX, collect, &got, &torn, &err));
    CHECK_OK(csi_output_read(run, s.inc.name, 1, 0, 1, 0, UINT64_MAX, collect, &got, &torn, &err));
    CHECK_OK(csi_output_read(run, s.inc.name, 0, attempts, 1, 0, UINT64_MAX, collect, &got, &torn, &err));
    CHECK_EQUAL(got.length, 0);
    CHECK_EQUAL(csi_output_read(run, s.inc.name, 0, 0, 1, 0, UINT64_MAX, refuse, NULL, &torn, &err), CFSPLIT_STOPPED);
    csi_buf_release(&got);
    sample_release(&s);
}

static void sizes_go_round(void)
{
    static const size_t sizes[] = {0, 1, 4095, 65535, 65536};
    struct sample s = {.inc = rundir_inc(run, 1)};
    struct csi_buf got = CSI_BUF_INIT;
    struct csi_output o;
    struct random random = {4};
    char *data = malloc(65536);
    bool torn;
    for (size_t i = 0; i < 65536; i++)
        data[i] = (char)random_next(&random);
    CHECK_OK(csi_output_open(&o, run, s.inc.name, &err));
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        memset(data, 'x', i % 2 ? 65536 : 0); /* what cannot be packed comes first */
        print(&s, &o, 0, data, sizes[i / 2]);
    }
    CHECK_OK(csi_output_close(&o, &err));
    s.from[0] = 0;
    CHECK_OK(read_item(&s, 0, s.to[0], &got, &torn));
    CHECK(same(&got, &s.text[0]));
    free(data);
    csi_buf_release(&got);
    sample_release(&s);
}

static void lz4_shows_all_of_it(void)
{
    struct sample s = sample_open();
    size_t total = 0;
    char command[700];
    for (int i = 0; i < attempts; i++)
        total += s.text[i].length;
    snprintf(command, sizeof command, "command -v lz4 >/dev/null || exit 0; test $(lz4 -dc <%s | wc -c) -eq %zu",
             s.file, total);
    CHECK_EQUAL(system(command), 0);
    sample_release(&s);
}

static void file_may_end_anywhere(void)
{
    struct sample s = sample_open();
    struct csi_buf bytes = rundir_read(s.file), got = CSI_BUF_INIT;
    for (size_t cut = 0; cut < bytes.length; cut += 1 + cut % 3) {
        bool torn, in_full;
        scratch_write(s.file, bytes.data, cut);
        CHECK_OK(read_item(&s, 1, UINT64_MAX, &got, &torn));
        in_full = cut >= s.to[1];
        if (got.length > s.text[1].length || (got.length && memcmp(got.data, s.text[1].data, got.length) != 0) ||
            (in_full && got.length != s.text[1].length))
            CHECK_EQUAL(cut, -1);
        CHECK_EQUAL(read_item(&s, 1, s.to[1], &got, &torn), in_full ? CFSPLIT_OK : CFSPLIT_DAMAGED);
    }
    csi_buf_release(&bytes);
    csi_buf_release(&got);
    sample_release(&s);
}

/* Bytes of an attempt's own pieces but for whose they are, which only says that they are another's. */
static void damaged_piece_is_found(void)
{
    struct sample s = sample_open();
    struct csi_buf bytes = rundir_read(s.file), got = CSI_BUF_INIT;
    unsigned char *head = (unsigned char *)bytes.data + s.from[2];
    size_t packed = (size_t)head[28] | (size_t)head[29] << 8;
    bool torn;
    char place[64];
    snprintf(place, sizeof place, "damaged at byte %" PRIu64, s.from[2]);
    for (size_t byte = 0; byte < 40 + packed; byte += byte < 60 ? 1 : 13) {
        if (byte >= 8 && byte < 24)
            continue;
        rundir_flip(s.file, s.from[2] + byte, (int)(byte % 8));
        if (read_item(&s, 2, s.to[2], &got, &torn) != CFSPLIT_DAMAGED || !strstr(err.message, place))
            CHECK_EQUAL(byte, -1);
        CHECK_OK(read_item(&s, 2, UINT64_MAX, &got, &torn));
        CHECK(torn);
        rundir_flip(s.file, s.from[2] + byte, (int)(byte % 8));
    }
    CHECK_OK(read_item(&s, 2, s.to[2], &got, &torn));
    CHECK(same(&got, &s.text[2]));
    csi_buf_release(&bytes);
    csi_buf_release(&got);
    sample_release(&s);
}

static void missing_file_is_found(void)
{
    struct sample s = {.inc = rundir_inc(run, 1)};
    struct csi_buf got = CSI_BUF_INIT;
    bool torn;
    CHECK_EQUAL(read_item(&s, 0, UINT64_MAX, &got, &torn), CFSPLIT_DAMAGED);
    csi_buf_release(&got);
}

static void failed_write_is_told_and_leaves_no_gap(void)
{
    struct sample s = {.inc = rundir_inc(run, 1)};
    struct csi_buf got = CSI_BUF_INIT;
    struct csi_output o;
    bool torn;
    CHECK_OK(csi_output_open(&o, run, s.inc.name, &err));
    print(&s, &o, 0, "one ", 4);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC), kept = fcntl(o.fd, F_DUPFD_CLOEXEC, 0);
    dup2(full, o.fd);
    CHECK_EQUAL(csi_output_add(&o, 0, 0, 1, "lost", 4, &err), CFSPLIT_STORAGE);
    dup2(kept, o.fd);
    print(&s, &o, 0, "two", 3);
    CHECK_OK(csi_output_close(&o, &err));
    CHECK_OK(csi_output_close(&o, &err));
    CHECK_OK(read_item(&s, 0, s.to[0], &got, &torn));
    CHECK_TEXT(got.data, "one two");
    close(full);
    close(kept);
    csi_buf_release(&got);
    sample_release(&s);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"what attempts printed in turns is told apart", turns_are_told_apart},
        {"pieces of every size go round", sizes_go_round},
        {"lz4 shows all of it", lz4_shows_all_of_it},
        {"a file may end anywhere", file_may_end_anywhere},
        {"a damaged piece is found", damaged_piece_is_found},
        {"a missing file is found", missing_file_is_found},
        {"a failed write is told and leaves no gap", failed_write_is_told_and_leaves_no_gap},
    };
    scratch_enter();
    run = rundir_new("run", 8, 1);
    int failed = check_main("output", cases, sizeof cases / sizeof *cases);
    cfsplit_run_close(run);
    return failed;
}
