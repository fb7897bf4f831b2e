/* Plays all replicas of a planned run in one process, one after the other: claims, journals and beats as they would leave
 * them, every item done at its first attempt, nothing run. For measurements of what reads a run.
 * usage: bench_fill RUN */
#include <stdio.h>
#include <unistd.h>
#include <xxhash.h>

#include "rundir/beat.h"
#include "rundir/claim.h"
#include "rundir/journal.h"

enum { reserved = 4096, began_ms = 1000, item_ms = 10 }; /* times are what a journal says, not when */

static struct cfsplit_error err;

struct player {
    struct cfsplit_run *run;
    struct csi_inc inc;
    struct csi_journal journal;
    struct csi_beat beat;
    uint64_t now_ms;
};

/* As a replica with one slot writes: an item's end and the start of the next in one group. */
static cfsplit_status play_item(struct player *p, const struct cfsplit_item *item, uint64_t index)
{
    struct csi_record start = {.kind = CSI_RECORD_START,
                               .index = index,
                               .attempt = 1,
                               .time_ms = p->now_ms,
                               .hash = XXH3_64bits(item->name, item->length)};
    cfsplit_status status = csi_journal_reserve(&p->journal, reserved, &err);
    csi_journal_add(&p->journal, &start);
    if (status == CFSPLIT_OK)
        status = csi_journal_write(&p->journal, &err);
    p->now_ms += item_ms;
    struct csi_record end = {.kind = CSI_RECORD_END,
                             .index = index,
                             .attempt = 1,
                             .time_ms = p->now_ms,
                             .class = CSI_DONE,
                             .took_ms = item_ms,
                             .cpu_ms = item_ms,
                             .rss_kib = 4096,
                             .text = ""};
    csi_journal_add(&p->journal, &end);
    p->beat.started++;
    p->beat.done++;
    return status;
}

static cfsplit_status play_piece(struct player *p, uint32_t piece)
{
    const struct csi_piece *part = &p->run->frozen.pieces[piece];
    struct csi_items items = {0};
    bool mine;
    cfsplit_status status = csi_claim_take(p->run, &p->inc, piece, 1, &mine, &err);
    if (status == CFSPLIT_OK && !mine) {
        snprintf(err.message, sizeof err.message, "this run has been played before");
        return CFSPLIT_USAGE;
    }
    if (status == CFSPLIT_OK)
        status = csi_frozen_load(&p->run->frozen, part->first, part->items, &items, &err);
    for (uint64_t i = part->first; status == CFSPLIT_OK && i < part->first + part->items; i++)
        status = play_item(p, csi_items_at(&items, i), i);
    csi_items_release(&items);
    return status;
}

/* Closes the journal, and says so in a last beat. */
static cfsplit_status leave(struct player *p, int beat)
{
    struct csi_record closed = {.kind = CSI_RECORD_CLOSED, .text = "finished", .text_length = 8};
    csi_journal_add(&p->journal, &closed);
    cfsplit_status status = csi_journal_write(&p->journal, &err);
    p->beat.sequence = 2;
    p->beat.committed = p->journal.length;
    p->beat.state = CSI_BEAT_FINISHED;
    if (status == CFSPLIT_OK)
        status = csi_journal_close(&p->journal, &err);
    return status == CFSPLIT_OK ? csi_beat_write(beat, &p->beat, &err) : status;
}

static cfsplit_status play(struct cfsplit_run *run, uint32_t replica)
{
    struct player p = {.run = run, .journal = {.fd = -1}, .now_ms = began_ms};
    int beat = -1;
    cfsplit_status status = csi_inc_publish(run, replica, "bench_fill", &p.inc, &err);
    if (status == CFSPLIT_OK)
        status = csi_journal_open(&p.journal, run, &p.inc, &err);
    if (status == CFSPLIT_OK)
        status = csi_beat_open(run, p.inc.name, &beat, &err);
    for (uint32_t piece = 0; status == CFSPLIT_OK && piece < run->frozen.piece_count; piece++)
        if (run->frozen.pieces[piece].share == replica)
            status = play_piece(&p, piece);
    if (status == CFSPLIT_OK)
        status = leave(&p, beat);
    if (beat >= 0)
        close(beat);
    return status;
}

int main(int argc, char **argv)
{
    struct cfsplit_run *run;
    if (argc != 2) {
        fprintf(stderr, "usage: bench_fill RUN\n");
        return 2;
    }
    cfsplit_status status = cfsplit_run_open(argv[1], &run, &err);
    for (uint32_t k = 1; status == CFSPLIT_OK && k <= run->spec.replicas; k++)
        status = play(run, k);
    if (status != CFSPLIT_OK)
        fprintf(stderr, "bench_fill: %s\n", err.message);
    cfsplit_run_close(run);
    return status == CFSPLIT_OK ? 0 : 1;
}
