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
    struct cfsplit_life_view *lives;
    uint32_t *missing;
    size_t missing_count;
    struct csi_items block; /* the last block of the list that was unpacked */
    struct csi_buf line;    /* the last record that was looked up */
    struct csi_buf text;
};

/* Whether an incarnation may still be at work. */
bool csi_seen_is_open(const struct csi_seen *seen);

#endif
