/* The survey: everything that is known of a run, made from its journals, fences and beats. The public half is in
 * <cfsplit/unstable.h>. */
#ifndef CSI_VIEW_SURVEY_H
#define CSI_VIEW_SURVEY_H

#include "rundir/beat.h"
#include "rundir/ledger.h"

/* What is known of one incarnation. */
struct csi_seen {
    struct csi_journal_reader reader;
    struct csi_seal seal; /* as it was when its journal was taken in */
    struct csi_beat beat;
    enum csi_life life;
    uint64_t started, done, failed, rejected;
    uint64_t output_end; /* of the last end */
    bool finished;       /* it closed its journal, and all that it had has ended */
};

/* What is heard, look by look, of a life whose process cannot be seen. */
struct csi_heard {
    uint64_t sequence; /* of its beat */
    uint64_t since_ms; /* that beat was first seen then, by our clock; 0: never looked */
    bool changed;      /* a beat came while we looked */
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

/* Makes lives, missing and the counts of both from what was seen. */
CFSPLIT_MUST_USE cfsplit_status csi_lives_refresh(struct cfsplit_survey *survey, struct cfsplit_error *err);

#endif
