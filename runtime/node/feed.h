/* The feed: what a replica works on next. It claims pieces one by one, reads what became of their items in the hands of
 * former owners, and hands out the items that are still open; and when its own share is through, it takes what others left. */
#ifndef CSI_NODE_FEED_H
#define CSI_NODE_FEED_H

#include "node/others.h"
#include "node/queued.h"
#include "rundir/claim.h"
#include "rundir/ledger.h"

/* A piece that this incarnation has. */
struct csi_held {
    uint32_t piece, K;
    struct csi_items items;
    struct csi_ledger ledger;
    uint64_t cursor; /* the next index that was not looked at */
};

struct csi_next { /* what to do next */
    const struct cfsplit_item *item;
    uint64_t index;
    uint32_t attempt; /* the number of this attempt */
    bool alone;       /* a suspect: nothing is started beside it until it has ended */
    bool aside;       /* do not start it, but write down that it is set aside, as the end of attempt `attempt` */
    uint32_t deaths;  /* with aside: of so many */
    uint64_t due_ms;  /* with CFSPLIT_END: when to ask again, UINT64_MAX if nothing will come */
};

struct csi_again { /* an item to be started again */
    uint64_t index, due_ms;
};

/* What is known of a piece. */
struct csi_place {
    uint32_t owner, owner_K; /* whose claim number owner_K is: a place in others.list; owner_K 0: not looked up */
    bool settled;            /* nothing is open in it for us */
    bool reopened;           /* `retry` has opened something in it */
    bool held;
    bool listed; /* feed->highest was looked up, once at least */
};

struct csi_feed {
    struct cfsplit_run *run;
    const struct csi_inc *self;
    const struct cfsplit_run_options *options;
    struct csi_others others;
    struct csi_queued *queued; /* the queue items come from; NULL: they are of pieces that we claim */
    size_t piece_room;         /* of the arrays by piece */
    uint32_t *highest;         /* claim numbers by piece */
    struct csi_place *places;  /* by piece */
    uint32_t *unclaimed;       /* by replica id: pieces of its share that nobody has; room for a count */
    bool *told_missing;        /* by replica id: that its share is taken over */
    uint32_t retry_seen;
    struct csi_held *held;
    size_t held_count;
    size_t fresh; /* the first of `held` with something that was not looked at */
    struct csi_again *again;
    size_t again_count;
    uint64_t *suspects; /* items that run last and alone */
    size_t suspect_count;
    bool alone;        /* one of them runs */
    uint32_t scan;     /* pieces that nobody had, and that are still to be looked at in this look */
    uint32_t probe;    /* the piece with which the search among those that somebody has begins: each replica its own */
    uint32_t unprobed; /* of these, still to be looked at in this look */
    bool something;    /* somebody has, as of this look, what may yet come to us */
    size_t look_at_most;     /* of the unprobed, in one go */
    uint64_t look_at_all_ms; /* when all of them are looked at again, while something of our own is to be done yet */
    uint32_t caretaker_K;    /* the highest claim number of the caretaker that is known */
    uint64_t random;         /* state of next_random */
    uint64_t idle_since_ms;  /* since when nothing was to be had; 0: something was */
    uint64_t free_since_ms;  /* since when we have nothing to do; 0: we have */
    bool caretaker;          /* we stay until the others have ended */
    bool waiting;            /* something may yet come: ask again at next_look_ms */
    bool told_waiting;
    bool worked;           /* an item has ended since others were looked at */
    uint64_t next_look_ms; /* when others are looked at again */
};

CFSPLIT_MUST_USE cfsplit_status csi_feed_init(struct csi_feed *feed, struct cfsplit_run *run,
                                              const struct csi_inc *self, const struct cfsplit_run_options *options,
                                              void (*say)(void *context, const char *sentence), void *say_context,
                                              struct cfsplit_error *err);
void csi_feed_fini(struct csi_feed *feed);

/* The next item, while `running` others run. CFSPLIT_END: nothing now. Claims are on disk when this returns. */
CFSPLIT_MUST_USE cfsplit_status csi_feed_next(struct csi_feed *feed, uint64_t now_ms, uint64_t running,
                                              struct csi_next *next, struct cfsplit_error *err);

/* Takes in what happened to an item: the record that went into the own journal. */
CFSPLIT_MUST_USE cfsplit_status csi_feed_note(struct csi_feed *feed, const struct csi_record *record, uint64_t now_ms,
                                              struct cfsplit_error *err);

const struct cfsplit_item *csi_feed_item(const struct csi_feed *feed, uint64_t index);

/* Drops all held pieces, which were given back; nothing of them runs or waits to be spoken of. For a run with a queue. */
void csi_feed_drop_held(struct csi_feed *feed);

/* Open items of the held pieces, and those of the pieces of the own share, and of nobody's, that nobody has. */
CFSPLIT_MUST_USE cfsplit_status csi_feed_open_items(struct csi_feed *feed, uint64_t *open, struct cfsplit_error *err);
/* The same of one held piece. */
uint64_t csi_feed_open_items_of(const struct csi_held *held);

/* Takes in the items that were added to the run since. */
CFSPLIT_MUST_USE cfsplit_status csi_feed_refresh(struct csi_feed *feed, struct cfsplit_error *err);

/* Takes in what `retry` has opened since: pieces are looked at again, items of held ones are queued. */
CFSPLIT_MUST_USE cfsplit_status csi_feed_take_retries(struct csi_feed *feed, uint64_t now_ms,
                                                      struct cfsplit_error *err);

/* How often an item has failed since it was last opened. */
uint64_t csi_feed_failures(const struct csi_feed *feed, uint64_t index);

/* Items that were put off too often (--later-exit). */
uint64_t csi_feed_put_off(const struct csi_feed *feed);

#endif
