/* The survey: everything that is known of a run, made from its journals, fences and beats. The public half is in
 * <cfsplit/unstable.h>. */
#ifndef CSI_VIEW_SURVEY_H
#define CSI_VIEW_SURVEY_H

#include "rundir/beat.h"
#include "rundir/epoch.h"
#include "rundir/ledger.h"

/* What is known of one incarnation. */
struct csi_seen {
    struct csi_journal_reader reader;
    struct csi_seal seal; /* as it was when its journal was taken in */
    struct csi_beat beat;
    enum csi_life life;
    uint64_t started, done, failed, rejected;
    uint64_t output_end; /* of the last end */
    uint64_t bound;      /* the lowest epoch of a queue that it takes items from; 0: it never said */
    bool alone;          /* it goes on without the queue */
    bool finished;       /* it closed its journal, and all that it had has ended */
};

/* What is heard, look by look, of a life whose process cannot be seen. */
struct csi_heard {
    uint64_t sequence; /* of its beat */
    uint64_t since_ms; /* that beat was first seen then, by our clock; 0: never looked */
    bool changed;      /* a beat came while we looked */
};

/* What is known of a queue. */
struct csi_survey_queue {
    struct csi_epoch epoch; /* the highest; K 0: none yet */
    struct csi_seen seen;   /* of its coordinator */
    struct csi_heard heard;
    uint64_t looked_ms;
    struct cfsplit_queue_view view;
    struct cfsplit_queue_worker *workers;
    uint64_t *running;
};

struct cfsplit_survey {
    struct cfsplit_run *run;
    bool sync;
    struct csi_inc_list incs;
    struct csi_seen *seen; /* one for each of incs */
    size_t seen_count;
    struct csi_ledger ledger;
    int seals_awaited_ms; /* so long already */
    struct cfsplit_counts counts;
    struct cfsplit_life_view *lives; /* as many as incs */
    uint32_t *missing;
    size_t missing_count;
    struct csi_heard *heard; /* one for each of incs */
    size_t heard_count;
    uint64_t looked_ms;
    struct cfsplit_roll *roll; /* lives, then missing; NULL until it is asked for */
    struct cfsplit_taken *taken;
    struct csi_survey_queue queue;
    uint32_t *highest; /* claim of each piece; NULL until it is asked for */
    size_t held_piece; /* whose holder was looked up last; SIZE_MAX: none */
    const struct cfsplit_life_view *holder;
    struct csi_items block; /* the last block of the list that was unpacked */
    struct csi_buf line;    /* the last record that was looked up */
    struct csi_buf text;
};

/* Whether an incarnation may still be at work. */
bool csi_seen_is_open(const struct csi_seen *seen);

/* Takes in the beat `sequence`, looked at `now_ms`; `away`: nobody looked for so long that silence means nothing. */
enum csi_hearing { CSI_HEARD_NOTHING, CSI_HEARD_BEATS, CSI_HEARD_SILENCE };
enum csi_hearing csi_heard_take(struct csi_heard *heard, uint64_t sequence, uint64_t now_ms, bool away,
                                uint64_t stall_after_ms);

static inline bool csi_life_may_be_at_work(enum cfsplit_life life)
{
    return life != CFSPLIT_LIFE_FINISHED && life != CFSPLIT_LIFE_LEFT && life != CFSPLIT_LIFE_LOST;
}

/* What a life is, by what was seen and heard of it. */
enum cfsplit_life csi_life_of(const struct csi_seen *seen, enum csi_hearing hearing);

/* Reads what is new of one incarnation: the beat, then the journal, then the fence; each record goes to `take`. *stale: a fence
 * came between, so that what was taken in may not count. */
CFSPLIT_MUST_USE cfsplit_status csi_seen_refresh(struct csi_seen *seen, const struct csi_inc *inc,
                                                 const struct cfsplit_run *run, bool sync,
                                                 cfsplit_status (*take)(void *context, const struct csi_record *record,
                                                                        struct cfsplit_error *err),
                                                 void *context, bool *stale, struct cfsplit_error *err);

/* Takes in coordinator/seen-<K> as its coordinator `view->name` wrote it: fills the numbers of the view, and hands each line of a
 * worker to `add`. Hostile text: what makes no sense is left out. False: nothing of it is known. */
bool csi_survey_queue_parse(const char *text, size_t length, struct cfsplit_queue_view *view,
                            void (*add)(void *context, const char *name, const struct cfsplit_queue_worker *worker),
                            void *context);
void csi_survey_queue_fini(struct csi_survey_queue *queue);

/* Makes lives, missing and the counts of both from what was seen. */
CFSPLIT_MUST_USE cfsplit_status csi_lives_refresh(struct cfsplit_survey *survey, struct cfsplit_error *err);

#endif
