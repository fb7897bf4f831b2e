/* One incarnation at work: its identity, journal, heart and feed, and the ends that are written and not yet known to be on
 * disk. What runs items is built on it: the slots of a replica (replica.c), a program that links the library (worker.c).
 *
 * An end is written, synced, a fence is looked for, and only then it is spoken of. One thread at a time. */
#ifndef CSI_NODE_INCARNATION_H
#define CSI_NODE_INCARNATION_H

#include "node/coordinator.h"
#include "node/feed.h"
#include "node/heart.h"
#include "rundir/journal.h"

struct csi_pending { /* an end that is written and not yet known to be on disk */
    struct cfsplit_attempt attempt;
    enum csi_class class;
    char text[208];
};

struct csi_voice {                                                       /* both may be NULL */
    void (*ended)(void *context, const struct cfsplit_attempt *attempt); /* on disk and accepted */
    void (*say)(void *context, const char *sentence);
    void *context;
};

struct csi_incarnation {
    struct cfsplit_run *run;
    struct cfsplit_run_options options; /* settled */
    struct csi_voice voice;
    struct csi_inc inc;
    struct csi_journal journal;
    struct csi_heart heart;
    struct csi_feed feed;
    struct csi_queued queued;            /* of a queue run: feed.queued points to it */
    struct csi_coordinator *coordinator; /* in this process; NULL: none */
    const char *bind;                    /* where one would listen */
    bool cannot_lead;                    /* no socket could be bound */
    bool left_queue;                     /* it finished before the coordinator said that nothing more comes */
    struct csi_pending *pending;
    size_t pending_count, pending_room;
    uint64_t sync_at_ms;        /* when pending ends must be on disk */
    uint64_t running;           /* attempts that have started and not ended */
    uint64_t ends, failed_ends; /* items that ended, however; of these, failed for good */
    struct cfsplit_replica_result result;
};

/* Settles the options, publishes the identity and opens journal, beat and feed. Finish in any case. */
CFSPLIT_MUST_USE cfsplit_status csi_incarnation_begin(struct csi_incarnation *life, struct cfsplit_run *run,
                                                      uint32_t id, const char *source,
                                                      const struct cfsplit_run_options *told,
                                                      const struct csi_voice *voice, struct cfsplit_error *err);

/* Keeps up with the queue, if the run has one: `idle` slots are free; `going_on`: more is wanted. Errors: CFSPLIT_UNREACHABLE, CFSPLIT_FENCED,
 * those of the run directory. */
CFSPLIT_MUST_USE cfsplit_status csi_incarnation_tend(struct csi_incarnation *life, uint64_t now_ms, uint64_t idle,
                                                     bool going_on, struct cfsplit_error *err);

/* When csi_incarnation_tend has something to do even if nothing comes; UINT64_MAX: never. */
uint64_t csi_incarnation_due_ms(const struct csi_incarnation *life);

/* What becomes readable when something comes from the queue, -1: nothing can; and whether something has come already. Ask that
 * before waiting for the other. */
int csi_incarnation_fd(const struct csi_incarnation *life);
bool csi_incarnation_listen(struct csi_incarnation *life, uint64_t now_ms);

/* Whether an item may be started now. One that was asleep (a stopped process, a hung disk) may have been taken for lost
 * meanwhile: it may not, and looks for its fence. Errors: CFSPLIT_FENCED, why the heart cannot beat. */
CFSPLIT_MUST_USE cfsplit_status csi_incarnation_may_start(struct csi_incarnation *life, bool *may,
                                                          struct cfsplit_error *err);

/* The next item to start; items that are to be set aside are, on the way. CFSPLIT_END: nothing now, next->due_ms tells when to
 * ask again. */
CFSPLIT_MUST_USE cfsplit_status csi_incarnation_next(struct csi_incarnation *life, uint64_t now_ms,
                                                     struct csi_next *next, struct cfsplit_error *err);

/* Writes that an attempt begins: before it does, together with the ends that are not written yet. Nothing must be started
 * if this fails. */
CFSPLIT_MUST_USE cfsplit_status csi_incarnation_start(struct csi_incarnation *life, const struct csi_next *next,
                                                      uint64_t output_from, uint64_t now_ms, struct cfsplit_error *err);

/* Adds an end (kind, generation and time are filled in, its text is cut) to the journal's open group. */
CFSPLIT_MUST_USE cfsplit_status csi_incarnation_end(struct csi_incarnation *life, struct csi_record *end,
                                                    uint64_t now_ms, struct cfsplit_error *err);

/* What an attempt that failed ends as: CSI_RETRY while the item has retries left, CSI_FAILED then. */
enum csi_class csi_incarnation_failure(const struct csi_incarnation *life, uint64_t index);

/* Have so many items failed, or all of the first ones, that no more should be started? `why` then says so. */
bool csi_incarnation_fails_too_often(const struct csi_incarnation *life, char why[96]);

/* An attempt whose start was written and that could not be started: charged with nothing, not spoken of. */
void csi_incarnation_unstarted(struct csi_incarnation *life, const struct csi_next *next, uint64_t output_from,
                               const char *why);

/* Writes the open group and makes it durable, looks for the own fence, and then speaks. Errors: CFSPLIT_FENCED,
 * CFSPLIT_STORAGE. */
CFSPLIT_MUST_USE cfsplit_status csi_incarnation_settle(struct csi_incarnation *life, struct cfsplit_error *err);

CFSPLIT_MUST_USE cfsplit_status csi_incarnation_look_for_fence(struct csi_incarnation *life, struct cfsplit_error *err);

/* Gives back what is open, closes the journal, stops the heart, and releases everything but `result`. `status` is how it went
 * so far, with its error in *err: it is returned unless something fails here for the first time. Fine after a failed begin. */
CFSPLIT_MUST_USE cfsplit_status csi_incarnation_finish(struct csi_incarnation *life, cfsplit_status status,
                                                       struct cfsplit_error *err);

/* What a person should know. */
void csi_incarnation_say(const struct csi_incarnation *life, const char *sentence);

#endif
