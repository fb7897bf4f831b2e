/* Beats: two slots, of which the newest whole one counts. */
#include "rundir/beat.h"

#include "lib/rundir.h"

enum { slot_bytes = 256 };

static struct cfsplit_run *run;

static struct csi_beat beat_of(uint64_t sequence)
{
    return (struct csi_beat){.sequence = sequence,
                             .committed = 10 * sequence,
                             .running = 1,
                             .started = UINT64_MAX,
                             .done = UINT64_MAX - 1,
                             .failed = 4,
                             .rejected = 5,
                             .state = CSI_BEAT_LEFT};
}

struct beating {
    struct csi_inc inc;
    const char *file;
    int fd;
};

static struct beating beating_open(void)
{
    struct beating b = {.inc = rundir_inc(run, 1)};
    CHECK_OK(csi_beat_open(run, b.inc.name, &b.fd, &err));
    b.file = rundir_name(run, "beat", b.inc.name);
    return b;
}

static void beat_once(const struct beating *b, uint64_t sequence)
{
    struct csi_beat beat = beat_of(sequence);
    CHECK_OK(csi_beat_write(b->fd, &beat, &err));
}

/* The sequence of the beat that counts; 0: none. */
static uint64_t newest(const struct beating *b)
{
    struct csi_beat beat;
    cfsplit_status status = csi_beat_read(run, b->inc.name, &beat, &err);
    CHECK_EQUAL(status, beat.sequence ? CFSPLIT_OK : CFSPLIT_END);
    return beat.sequence;
}

static void first_beat_is_there_at_once(void)
{
    struct csi_inc inc = rundir_inc(run, 1);
    struct csi_beat beat;
    CHECK_EQUAL(csi_beat_read(run, inc.name, &beat, &err), CFSPLIT_END);
    CHECK_EQUAL(beat.sequence, 0);
    struct beating b = beating_open();
    int second;
    CHECK_EQUAL(newest(&b), 1);
    CHECK_EQUAL(csi_beat_open(run, b.inc.name, &second, &err), CFSPLIT_USAGE);
    close(b.fd);
}

static void numbers_go_round(void)
{
    struct beating b = beating_open();
    struct csi_beat beat, wanted = beat_of(UINT64_MAX);
    wanted.committed = wanted.running = wanted.failed = wanted.rejected = UINT64_MAX;
    CHECK_OK(csi_beat_write(b.fd, &wanted, &err));
    CHECK_OK(csi_beat_read(run, b.inc.name, &beat, &err));
    CHECK(memcmp(&beat, &wanted, sizeof beat) == 0);
    struct csi_buf bytes = rundir_read(b.file);
    CHECK_EQUAL(bytes.length, 2 * slot_bytes);
    CHECK_EQUAL(bytes.data[2 * slot_bytes - 1], '\n');
    csi_buf_release(&bytes);
    close(b.fd);
}

static void newest_of_two_slots_counts(void)
{
    struct beating b = beating_open();
    for (uint64_t sequence = 2; sequence < 12; sequence++) {
        beat_once(&b, sequence);
        CHECK_EQUAL(newest(&b), sequence);
    }
    beat_once(&b, 9); /* over 11 */
    CHECK_EQUAL(newest(&b), 10);
    close(b.fd);
}

static void torn_slot_leaves_the_other(void)
{
    struct beating b = beating_open();
    beat_once(&b, 2);
    beat_once(&b, 3);
    struct csi_buf old = rundir_read(b.file);
    beat_once(&b, 4);
    struct csi_buf new = rundir_read(b.file);
    for (size_t cut = 0; cut <= slot_bytes; cut++) { /* 4 is written over 2, in the first slot */
        uint64_t got;
        CHECK_EQUAL(pwrite(b.fd, old.data, slot_bytes, 0), slot_bytes);
        CHECK_EQUAL(pwrite(b.fd, new.data, cut, 0), cut);
        got = newest(&b);
        if (got != 3 && got != 4)
            CHECK_EQUAL(got, 3);
    }
    CHECK_EQUAL(newest(&b), 4);
    csi_buf_release(&old);
    csi_buf_release(&new);
    close(b.fd);
}

static void file_may_end_anywhere(void)
{
    struct beating b = beating_open();
    beat_once(&b, 2);
    beat_once(&b, 3);
    struct csi_buf bytes = rundir_read(b.file);
    for (size_t cut = 0; cut <= bytes.length; cut++) {
        scratch_write(b.file, bytes.data, cut);
        CHECK_EQUAL(newest(&b), cut < slot_bytes ? 0 : cut < 2 * slot_bytes ? 2 : 3);
    }
    csi_buf_release(&bytes);
    close(b.fd);
}

static void flipped_bits_are_found(void)
{
    struct beating b = beating_open();
    beat_once(&b, 2);
    beat_once(&b, 3);
    struct csi_buf bytes = rundir_read(b.file);
    size_t used = strcspn(bytes.data + slot_bytes, " ");
    for (size_t bit = 0; bit < 8 * used; bit++) {
        rundir_flip(b.file, slot_bytes + bit / 8, (int)(bit % 8));
        if (newest(&b) != 2)
            CHECK_EQUAL(bit, -1);
        rundir_flip(b.file, slot_bytes + bit / 8, (int)(bit % 8));
    }
    CHECK_EQUAL(newest(&b), 3);
    rundir_flip(b.file, 20, 0);
    rundir_flip(b.file, slot_bytes + 20, 0);
    CHECK_EQUAL(newest(&b), 0);
    csi_buf_release(&bytes);
    close(b.fd);
}

static void full_disk_is_told(void)
{
    struct beating b = beating_open();
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct csi_beat beat = beat_of(2);
    CHECK_EQUAL(csi_beat_write(full, &beat, &err), CFSPLIT_STORAGE);
    CHECK_TEXT(err.message, "cannot write the beat: No space left on device");
    close(full);
    close(b.fd);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"the first beat is there as soon as the file is made", first_beat_is_there_at_once},
        {"the largest numbers go round", numbers_go_round},
        {"the newest of two slots counts", newest_of_two_slots_counts},
        {"a torn slot leaves the other", torn_slot_leaves_the_other},
        {"a file may end anywhere", file_may_end_anywhere},
        {"a slot with a flipped bit does not count", flipped_bits_are_found},
        {"a full disk is told", full_disk_is_told},
    };
    scratch_enter();
    run = rundir_new("run", 8, 1);
    int failed = check_main("beats", cases, sizeof cases / sizeof *cases);
    cfsplit_run_close(run);
    return failed;
}
