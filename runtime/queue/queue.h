/* The queue: which item goes to which worker. Pure: it is handed `now` and what was heard, and hands out batches; no socket, no
 * file, no clock. What became of items is in a ledger, by the rules of rundir/ledger.h; the queue adds who holds which.
 *
 * An item is handed out when it is open in the ledger, its piece was opened here, and nobody holds it. Order: what came back first, then
 * by index (the list is ordered by weight), then what is to be tried again or was put off and is due, suspects last and
 * alone. What ended as many replicas as crash_limit says goes to anybody at once, to be set aside. No call looks at all items or all
 * workers; settling and leaving look at what that worker holds. An item takes 16 bytes. */
#ifndef CSI_QUEUE_QUEUE_H
#define CSI_QUEUE_QUEUE_H

#include "rundir/ledger.h"

struct csi_queue;

struct csi_queue_options {
    uint64_t crash_limit; /* deaths while alone before an item is handed out to be set aside; 0: never */
    uint64_t batch;       /* items in a batch, at most CSI_QUEUE_BATCH_MAX; 0: by how long items take */
};

enum { CSI_QUEUE_BATCH_MAX = 64, CSI_QUEUE_NOBODY = 0 }; /* workers are known by numbers from 1 */

/* `ledger` is borrowed; it begins at index 0 and has all items, with what the journals say so far. Errors: CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_queue_new(const struct csi_queue_options *options, struct csi_ledger *ledger,
                                              struct csi_queue **out, struct cfsplit_error *err);
void csi_queue_free(struct csi_queue *queue);

/* The ledger has grown. */
CFSPLIT_MUST_USE cfsplit_status csi_queue_grow(struct csi_queue *queue, struct cfsplit_error *err);

/* Items first..first+count-1 are ours to hand out: those that are open and that nobody holds. Once for each piece. What was
 * started by then, did not end and is held by nobody (csi_queue_hold) died with its replica: it is suspect. Errors: CFSPLIT_USAGE
 * for items that the ledger does not have. */
CFSPLIT_MUST_USE cfsplit_status csi_queue_open_piece(struct csi_queue *queue, uint64_t first, uint64_t count,
                                                     uint64_t now_ms, struct cfsplit_error *err);

/* No further piece will be opened, unless told otherwise later: before that nobody is sent home. */
void csi_queue_complete(struct csi_queue *queue, bool complete);

/* ---- workers: what their journals say of items comes into the ledger through these functions only, the number of the worker as
 * its owner */

/* A new worker; its number in *worker. It has no credit and holds nothing. Errors: CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_queue_join(struct csi_queue *queue, uint64_t slots, uint32_t *worker,
                                               struct cfsplit_error *err);

/* It has so many slots from now on. */
void csi_queue_resize(struct csi_queue *queue, uint32_t worker, uint64_t slots);

/* It stays whatever happens: csi_queue_next_home never names it. One at most. */
void csi_queue_keep(struct csi_queue *queue, uint32_t worker);

/* The worker has started an attempt of this item before it joined (the ledger says so): it holds it, unless that has ended.
 * Before the item's piece is opened. Errors: CFSPLIT_USAGE for an item or worker that is not there, CFSPLIT_DAMAGED if another
 * worker holds it. */
CFSPLIT_MUST_USE cfsplit_status csi_queue_hold(struct csi_queue *queue, uint32_t worker, uint64_t index,
                                               struct cfsplit_error *err);

/* It asks for so many more. */
void csi_queue_want(struct csi_queue *queue, uint32_t worker, uint64_t count);

/* An attempt of its has ended. False: it does not hold that attempt, nothing is changed. */
bool csi_queue_end(struct csi_queue *queue, uint32_t worker, const struct csi_record *end, uint64_t took_us,
                   uint64_t now_ms);

/* A record of its journal that may have been heard of before: starts of what it holds, ends that csi_queue_end did not see, and
 * what became of items whose pieces are not opened here. */
void csi_queue_record(struct csi_queue *queue, uint32_t worker, const struct csi_record *record, uint64_t now_ms);

/* Its journal was read, and what it has not started is dropped: that comes back. Its credit is 0. */
void csi_queue_settle(struct csi_queue *queue, uint32_t worker);

/* All that it holds has started, it says: it is not told to give back until it is given more. */
void csi_queue_dry(struct csi_queue *queue, uint32_t worker);

/* Nobody knows whether it can be reached: its credit is 0, what it holds stays its own. */
void csi_queue_pause(struct csi_queue *queue, uint32_t worker);

/* It is sealed and its journal was read: all that it holds comes back, what it had started as suspect. Its number is free. */
void csi_queue_leave(struct csi_queue *queue, uint32_t worker);

/* ---- handing out */

struct csi_queue_given {
    uint64_t index;
    uint32_t attempt; /* the number of this attempt */
    bool alone, aside;
};

struct csi_queue_batch {
    uint32_t worker;
    uint64_t ahead; /* how many it may keep waiting from now on */
    size_t count;
    struct csi_queue_given items[CSI_QUEUE_BATCH_MAX];
};

/* The next batch for anybody who asked; from now on the worker holds these. False: there is none now. */
bool csi_queue_next(struct csi_queue *queue, uint64_t now_ms, struct csi_queue_batch *batch);

/* Nobody took it: back to the front, as if it had never been handed out, and the worker's credit too. */
void csi_queue_undo(struct csi_queue *queue, const struct csi_queue_batch *batch);

/* A worker that holds more than it has slots while nothing waits and another has a slot free: it should be told REVOKE. False: there is
 * none. Each is named once until it is settled or dry, and no more at a time than others have slots free; it is given nothing until then. */
bool csi_queue_next_revoked(struct csi_queue *queue, uint32_t *worker);

/* A worker that asked and that nothing will come for, even if all that is held came back: it should be told HOME. Each is
 * named once until it is settled. All that ask are when everything is accounted for (csi_queue_complete). */
bool csi_queue_next_home(struct csi_queue *queue, uint32_t *worker);

/* When items that were put off are due, UINT64_MAX: none is. */
uint64_t csi_queue_due_ms(const struct csi_queue *queue);

/* An item was opened again by an order, after so many attempts: it waits as what is to be tried again. Errors: CFSPLIT_USAGE for
 * an item that the queue does not have. */
CFSPLIT_MUST_USE cfsplit_status csi_queue_reopen(struct csi_queue *queue, uint64_t index, uint32_t attempts,
                                                 uint64_t now_ms, struct cfsplit_error *err);

struct csi_queue_counts {
    uint64_t waiting; /* in opened pieces, to be handed out now or when due (suspects included) */
    uint64_t held;    /* by workers */
    uint64_t put_off; /* put off too often: not handed out any more */
    uint64_t wanted;  /* asked for and not given */
    double mean_us;   /* of an item, lately; 0: not known */
    double per_s;     /* items that all workers together end in a second, by that */
};
void csi_queue_count(const struct csi_queue *queue, struct csi_queue_counts *out);

struct csi_queue_worker {
    uint64_t slots, held, credit, ended;
    double mean_us;
};
void csi_queue_look(const struct csi_queue *queue, uint32_t worker, struct csi_queue_worker *out);

#endif
