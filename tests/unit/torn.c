/* Torn and rotten files: every file of a small run directory cut at every byte, and every bit of it flipped. Whoever looks sees
 * what was there before, or is told which file is damaged and where; only what nobody vouches for may be lost, and is told. */
#include <ftw.h>
#include <sys/mman.h>

#include "base/error.h"
#include "lib/rundir.h"
#include "rundir/beat.h"
#include "rundir/fence.h"
#include "rundir/order.h"
#include "rundir/output.h"
#include "view/survey.h"

enum { items = 6, pieces = 6, files_max = 64 };

/* All that can be seen of a run, in words. Of a beat only what it says of its journal: a torn one says less, and is no error. */
struct outcome {
    cfsplit_status status;
    char message[CFSPLIT_ERROR_BYTES];
    struct csi_buf seen;
    enum cfsplit_state states[items];
    uint64_t torn_bytes;
};

/* ---- looking */

static cfsplit_status take_output(void *context, const void *data, size_t length, struct cfsplit_error *error)
{
    struct outcome *o = context;
    csi_buf_add(&o->seen, data, length);
    return csi_buf_check(&o->seen, error);
}

struct attempts {
    struct cfsplit_run *run;
    struct outcome *outcome;
};

static cfsplit_status take_attempt(void *context, const struct cfsplit_attempt *a, struct cfsplit_error *error)
{
    const struct attempts *to = context;
    bool torn = false;
    csi_buf_addf(&to->outcome->seen, "attempt %" PRIu64 " %" PRIu32 " by %s at %" PRIu64 "\n", a->index, a->number,
                 a->by, a->started_ms);
    if (!a->class_word || a->output_from == a->output_to)
        return CFSPLIT_OK;
    cfsplit_status status = cfsplit_output_read(to->run, a, take_output, to->outcome, &torn, error);
    CHECK(!torn);
    return status;
}

static cfsplit_status see_items(struct cfsplit_survey *s, struct outcome *o)
{
    cfsplit_status status = CFSPLIT_OK;
    for (uint64_t i = 0; status == CFSPLIT_OK && i < items; i++) {
        struct cfsplit_item_view view;
        status = cfsplit_survey_item(s, i, &view, &err);
        if (status != CFSPLIT_OK)
            break;
        const struct cfsplit_attempt *a = &view.last;
        o->states[i] = view.state;
        csi_buf_addf(&o->seen, "%s, weight %" PRIu64 ", share %" PRIu32 ": %s\n", view.item.name, view.item.weight,
                     view.share, cfsplit_state_word(view.state));
        csi_buf_addf(&o->seen, "  %" PRIu32 " by %s: %s, exit %" PRIu64 ", at %" PRIu64 ", '%s'\n", a->number,
                     a->by ? a->by : "nobody", a->class_word ? a->class_word : "no end", a->exit_status, a->ended_ms,
                     a->text);
    }
    return status;
}

static void see_lives(const struct cfsplit_survey *s, struct csi_buf *seen)
{
    size_t count, missing;
    const struct cfsplit_life_view *lives = cfsplit_survey_lives(s, &count);
    for (const struct cfsplit_life_view *l = lives; l < lives + count; l++) {
        bool closed = l->life == CFSPLIT_LIFE_FINISHED || l->life == CFSPLIT_LIFE_LEFT;
        csi_buf_addf(seen, "replica %" PRIu32 ", start %" PRIu32 ", %s on %s: %s\n", l->replica, l->start, l->name,
                     l->host, closed ? "closed" : cfsplit_life_word(l->life));
        csi_buf_addf(seen, "  %" PRIu64 " started, %" PRIu64 " done, %" PRIu64 " failed, %" PRIu64 " rejected\n",
                     l->started, l->done, l->failed, l->rejected);
    }
    (void)cfsplit_survey_missing(s, &missing);
    csi_buf_addf(seen, "%zu missing\n", missing);
}

static cfsplit_status see_survey(struct cfsplit_run *run, struct outcome *o)
{
    struct cfsplit_survey *s;
    struct attempts to = {run, o};
    cfsplit_status status = cfsplit_survey_new(run, false, &s, &err);
    if (status != CFSPLIT_OK)
        return status;
    const struct cfsplit_counts *c = cfsplit_survey_counts(s);
    o->torn_bytes = c->torn_bytes;
    for (size_t i = 0; i < sizeof c->by_state / sizeof c->by_state[0]; i++)
        csi_buf_addf(&o->seen, "%" PRIu64 " ", c->by_state[i]);
    csi_buf_addf(&o->seen,
                 "of %" PRIu64 ", %" PRIu64 " twice; %s; replicas: %" PRIu32 " of %" PRIu32 ", %" PRIu32 " at work\n",
                 c->total, c->duplicates, c->complete ? "complete" : "incomplete", c->replicas_seen,
                 c->replicas_expected, c->working);
    see_lives(s, &o->seen);
    status = see_items(s, o);
    if (status == CFSPLIT_OK)
        status = cfsplit_survey_attempts(s, UINT64_MAX, take_attempt, &to, &err);
    cfsplit_survey_free(s);
    return status;
}

static cfsplit_status see_claims(struct cfsplit_run *run, struct csi_buf *seen)
{
    uint32_t highest[pieces];
    if (run->frozen.piece_count != pieces)
        return csi_fail(&err, CFSPLIT_USAGE, "%zu pieces", run->frozen.piece_count);
    cfsplit_status status = csi_claim_list(run, highest, &err);
    for (uint32_t i = 0; status == CFSPLIT_OK && i < pieces; i++)
        for (uint32_t k = 1; status == CFSPLIT_OK && k <= highest[i]; k++) {
            struct csi_inc owner;
            status = csi_claim_owner(run, i, k, &owner, &err);
            csi_buf_addf(seen, "piece %" PRIu32 ", claim %" PRIu32 ": %s\n", i, k, owner.name);
        }
    return status;
}

static cfsplit_status see_orders(struct cfsplit_run *run, struct csi_buf *seen)
{
    uint32_t last;
    bool now = false;
    cfsplit_status status = csi_order_last_stop(run, 0, &last, &now, &err);
    csi_buf_addf(seen, "stop %" PRIu32 "%s\n", last, now ? " now" : "");
    return status;
}

/* Looks at everything, as the commands do. */
static struct outcome look(void)
{
    struct cfsplit_run *run;
    struct outcome o = {.seen = CSI_BUF_INIT};
    o.status = cfsplit_run_open("r", &run, &err);
    if (o.status == CFSPLIT_OK) {
        o.status = cfsplit_run_check(run, &err);
        if (o.status == CFSPLIT_OK)
            o.status = see_survey(run, &o);
        if (o.status == CFSPLIT_OK)
            o.status = see_claims(run, &o.seen);
        if (o.status == CFSPLIT_OK)
            o.status = see_orders(run, &o.seen);
        cfsplit_run_close(run);
    }
    if (o.status != CFSPLIT_OK)
        snprintf(o.message, sizeof o.message, "%s", err.message);
    return o;
}

static bool is_same(const struct outcome *a, const struct outcome *b)
{
    return strcmp(a->seen.data, b->seen.data) == 0;
}

/* ---- the sample */

static struct {
    char name[80];
    struct csi_buf bytes;
} files[files_max];
static size_t file_count;
static uint64_t total_bytes;
static char unvouched_name[80]; /* the journal whose last group nobody vouches for */
static uint64_t unvouched_at;
static struct outcome whole, without_last;

/* The life of a process that is gone. */
static struct csi_inc dead_inc(const struct cfsplit_run *run, uint32_t replica)
{
    struct csi_inc *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), inc;
    int status = -1;
    CU_ASSERT_FATAL(shared != MAP_FAILED);
    pid_t child = fork();
    if (child == 0)
        _exit(csi_inc_publish(run, replica, "a child", shared, &err) != CFSPLIT_OK);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    inc = *shared;
    munmap(shared, sizeof *shared);
    return inc;
}

static void claim(const struct cfsplit_run *run, const struct csi_inc *inc, uint32_t piece, uint32_t K)
{
    bool mine;
    CHECK_OK(csi_claim_take(run, inc, piece, K, &mine, &err));
    CHECK(mine);
}

static void put_beat(const struct cfsplit_run *run, const struct csi_inc *inc, uint64_t committed, uint64_t state)
{
    int fd;
    struct csi_beat beat = {.sequence = 2, .committed = committed, .state = state};
    CHECK_OK(csi_beat_open(run, inc->name, &fd, &err));
    CHECK_OK(csi_beat_write(fd, &beat, &err));
    close(fd);
}

static void put_end(struct csi_journal *j, uint64_t index, enum csi_class class, uint64_t to, const char *text)
{
    struct csi_record end = rundir_end(index, 1, class);
    end.output_to = to;
    end.text = text;
    end.text_length = strlen(text);
    end.exit_status = class == CSI_FAILED;
    rundir_put(j, end);
}

/* The space that a journal has made for itself would be most of the run directory. */
static void cut(struct csi_journal *j, uint64_t zeros)
{
    CHECK(ftruncate(j->fd, (off_t)(j->length + zeros)) == 0);
    close(j->fd);
    csi_buf_release(&j->group);
}

/* Done, failed and done, and closed. */
static void write_finished(const struct cfsplit_run *run)
{
    struct csi_inc inc = rundir_inc(run, 1);
    struct csi_journal j;
    struct csi_output o;
    struct csi_record closed = {.kind = CSI_RECORD_CLOSED, .text = "finished", .text_length = 8};
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    CHECK_OK(csi_output_open(&o, run, inc.name, &err));
    claim(run, &inc, 0, 1);
    CHECK_OK(csi_output_add(&o, 0, 0, 1, "what it printed\n", 16, &err));
    for (uint32_t i = 0; i < 3; i++) {
        rundir_put(&j, rundir_start(i, 1));
        put_end(&j, i, i == 1 ? CSI_FAILED : CSI_DONE, i == 0 ? o.length : 0, i == 1 ? "KeyError" : "");
    }
    rundir_put(&j, closed);
    CHECK_OK(csi_output_close(&o, &err));
    put_beat(run, &inc, j.length, CSI_BEAT_FINISHED);
    CHECK_OK(csi_journal_close(&j, &err));
    CHECK_OK(csi_order_retry(run, &(struct csi_reopened){1, 1}, 1, &err));
}

/* One done, one started, and sealed before a further end came. */
static void write_sealed(const struct cfsplit_run *run)
{
    struct csi_inc inc = rundir_inc(run, 2), by = rundir_inc(run, 2);
    struct csi_journal j;
    struct csi_seal seal;
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    claim(run, &inc, 4, 1);
    rundir_put(&j, rundir_start(3, 1));
    put_end(&j, 3, CSI_DONE, 0, "");
    rundir_put(&j, rundir_start(4, 1));
    CHECK_OK(csi_fence_end(run, &by, &inc, &seal, &err));
    put_end(&j, 4, CSI_DONE, 0, "late");
    cut(&j, 8);
    CHECK_OK(csi_journal_open(&j, run, &by, &err)); /* which is at work itself */
    rundir_put(&j, rundir_start(5, 1));
    put_beat(run, &by, j.length, CSI_BEAT_WORKING);
    cut(&j, 8);
}

/* Killed: its last group is on disk, and its last beat is older. */
static void write_killed(const struct cfsplit_run *run)
{
    struct csi_inc inc = dead_inc(run, 0);
    struct csi_journal j;
    CHECK_OK(csi_journal_open(&j, run, &inc, &err));
    claim(run, &inc, 4, 2);
    struct csi_record start = rundir_start(4, 2), end = rundir_end(4, 2, CSI_REJECTED);
    rundir_put(&j, start);
    put_beat(run, &inc, j.length, CSI_BEAT_WORKING);
    unvouched_at = j.length;
    snprintf(unvouched_name, sizeof unvouched_name, "r/journal/%s", inc.name);
    rundir_put(&j, end);
    cut(&j, 16);
}

static int add_file(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)at;
    if (kind != FTW_F || file_count == files_max)
        return kind == FTW_F;
    snprintf(files[file_count].name, sizeof files[0].name, "%s", path);
    files[file_count++].bytes = rundir_read(path);
    total_bytes += (uint64_t)st->st_size;
    return 0;
}

static void write_sample(void)
{
    struct cfsplit_run *run = rundir_new("r", items, 2);
    write_finished(run);
    write_sealed(run);
    write_killed(run);
    CHECK_OK(csi_order_stop(run, true, &err));
    cfsplit_run_close(run);
    CHECK(nftw("r", add_file, 8, FTW_PHYS) == 0);
    for (size_t i = 0; i < file_count; i++) /* each file for itself: a claim is no longer a link to an identity */
        scratch_write(files[i].name, files[i].bytes.data, files[i].bytes.length);
    whole = look();
    struct csi_buf journal = rundir_read(unvouched_name);
    scratch_write(unvouched_name, journal.data, unvouched_at);
    without_last = look();
    scratch_write(unvouched_name, journal.data, journal.length);
    csi_buf_release(&journal);
}

static void sample_is_seen(void)
{
    static const enum cfsplit_state states[items] = {CFSPLIT_DONE, CFSPLIT_PENDING,  CFSPLIT_DONE,
                                                     CFSPLIT_DONE, CFSPLIT_REJECTED, CFSPLIT_RUNNING};
    write_sample();
    CHECK_TEXT(whole.message, "");
    CHECK_EQUAL(whole.status, CFSPLIT_OK);
    for (size_t i = 0; i < items; i++)
        CHECK_EQUAL(whole.states[i], states[i]);
    CHECK_EQUAL(whole.torn_bytes, 0);
    CHECK(strstr(whole.seen.data, "\nwhat it printed\n") != NULL);
    CHECK(strstr(whole.seen.data, "\nstop 1 now\n") != NULL);
    CHECK_EQUAL(without_last.status, CFSPLIT_OK);
    CHECK_EQUAL(without_last.states[4], CFSPLIT_PENDING);
    CHECK_EQUAL(without_last.torn_bytes, 0);
    CHECK(total_bytes >= 4096);
    printf("\n      %zu files, %" PRIu64 " bytes: ", file_count, total_bytes);
}

/* ---- damage */

/* What may be said of one damaged file: all is as before, or an error with file and offset, or the last group is torn. */
static bool is_told(const struct outcome *o, const char *file, uint64_t at)
{
    char quoted[96];
    snprintf(quoted, sizeof quoted, "'%s'", file + 2); /* without "r/" */
    if (o->status == CFSPLIT_DAMAGED)
        return strstr(o->message, quoted) && strstr(o->message, "damaged at byte ");
    if (o->status != CFSPLIT_OK)
        return false;
    if (o->torn_bytes == 0 && is_same(o, &whole))
        return true;
    return strcmp(file, unvouched_name) == 0 && at >= unvouched_at && (o->torn_bytes > 0 || at == unvouched_at) &&
           (is_same(o, &without_last) || is_same(o, &whole));
}

static void check(const char *file, uint64_t at, const char *what, uint64_t *told)
{
    struct outcome o = look();
    bool good = is_told(&o, file, at);
    if (!good)
        printf("\n      %s %s at byte %" PRIu64 ": %s; torn %" PRIu64, file, what, at,
               o.status == CFSPLIT_OK ? "it is seen otherwise" : o.message, o.torn_bytes);
    CHECK(good);
    *told += o.status == CFSPLIT_DAMAGED || o.torn_bytes > 0;
    csi_buf_release(&o.seen);
}

/* Valgrind is slow: one in so many. */
static uint64_t stride(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload") ? 97 : 1;
}

static void files_may_end_anywhere(void)
{
    uint64_t told = 0;
    for (size_t i = 0; i < file_count; i++) {
        uint64_t length = files[i].bytes.length, from = length > 4096 ? length - 4096 : 0;
        for (uint64_t at = from; at < length; at += stride()) {
            scratch_write(files[i].name, files[i].bytes.data, at);
            check(files[i].name, at, "cut", &told);
        }
        scratch_write(files[i].name, files[i].bytes.data, length);
    }
    CHECK(told > total_bytes / (3 * stride()));
    printf("\n      %" PRIu64 " of %" PRIu64 " cuts are told: ", told, total_bytes / stride());
}

static void any_bit_may_flip(void)
{
    uint64_t told = 0;
    for (size_t i = 0; i < file_count; i++) {
        for (uint64_t bit = 0; bit < 8 * files[i].bytes.length; bit += stride()) {
            rundir_flip(files[i].name, bit / 8, (int)(bit % 8));
            check(files[i].name, bit / 8, "flipped", &told);
            rundir_flip(files[i].name, bit / 8, (int)(bit % 8));
        }
    }
    CHECK(told > 8 * total_bytes / (3 * stride()));
    printf("\n      %" PRIu64 " of %" PRIu64 " bits are told: ", told, 8 * total_bytes / stride());
}

int main(void)
{
    static const struct check_case cases[] = {
        {"the sample is what it should be", sample_is_seen},
        {"every file may end at any byte", files_may_end_anywhere},
        {"any bit may flip", any_bit_may_flip},
    };
    scratch_enter();
    int failed = check_main("torn files", cases, sizeof cases / sizeof *cases);
    for (size_t i = 0; i < file_count; i++)
        csi_buf_release(&files[i].bytes);
    csi_buf_release(&whole.seen);
    csi_buf_release(&without_last.seen);
    return failed;
}
