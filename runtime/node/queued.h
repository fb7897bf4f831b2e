/* The worker's end of the queue (docs/protocol.md): finds the coordinator, or has one started in this process, takes leases and tells
 * ends. It never blocks but for the disk, and moves on only when it is called. */
#ifndef CSI_NODE_QUEUED_H
#define CSI_NODE_QUEUED_H

#include "net/net.h"
#include "node/leases.h"
#include "rundir/epoch.h"
#include "rundir/fence.h"

enum csi_queued_state {
    CSI_QUEUED_LOOKING, /* for a coordinator */
    CSI_QUEUED_CALLING, /* it, at one address after the other */
    CSI_QUEUED_AT_WORK,
    CSI_QUEUED_ALONE, /* fell back: takes pieces by itself */
    CSI_QUEUED_HOME   /* nothing more will come */
};

struct csi_queued {
    struct cfsplit_run *run;
    const struct csi_inc *self;
    const struct cfsplit_run_options *options;
    struct csi_journal *journal;
    void (*say)(void *context, const char *sentence);
    /* Has the next coordinator started in this process; *won: it leads. */
    cfsplit_status (*stand)(void *context, uint64_t K, bool *won, struct cfsplit_error *err);
    void *context;

    enum csi_queued_state state;
    struct csi_net_keys keys;
    struct csi_epoch epoch; /* the highest that is known; K 0: none */
    uint64_t bound;         /* what the journal says last */
    bool said_alone;        /* ... and whether it says that we are alone */
    bool clean;             /* nothing was asked for since that line was written */
    struct csi_link *link;
    size_t address;                    /* which one is called */
    bool same_address;                 /* again, once */
    uint64_t session, seq_out, seq_in; /* seq_in 0: WELCOME has not come */
    uint64_t asked, got, ahead;        /* items of this session; how many may wait */
    uint64_t idle, slots, told_slots; /* free slots as of the last step; as many as ever were in use; what HELLO said */
    uint64_t beat_sequence, beat_ms;  /* of the coordinator, and when it was first seen, by our clock */
    uint64_t heard_ms, ping_ms, pinged_ms;
    uint64_t called_ms, patience_ms;   /* when HELLO was sent, and how long its answer may take */
    uint64_t unreached_ms;             /* since when no coordinator is reached; 0: one is */
    uint64_t stepped_ms;               /* when csi_queued_step was last at work */
    uint64_t look_ms, stand_ms;        /* when to look for one again, to stand for one */
    uint64_t hungry_ms;                /* since when slots are free and nothing has come; 0: not so */
    bool may_stand, told_alone, again; /* again: it fell back before, and looks once more before it leaves */
    bool fenced;                       /* the coordinator says that we are */
    uint64_t dropped;                  /* frames that made no sense */
    struct csi_leases leases;
    uint64_t put_off; /* ends of items that were put off too often */
    struct csi_buf ends, out, space;
    uint64_t ends_count;
};

/* What it needs is borrowed until fini. Makes the client keys if nobody has. */
CFSPLIT_MUST_USE cfsplit_status csi_queued_init(struct csi_queued *q, struct cfsplit_run *run,
                                                const struct csi_inc *self, const struct cfsplit_run_options *options,
                                                struct csi_journal *journal, struct cfsplit_error *err);
void csi_queued_fini(struct csi_queued *q);

/* Does what is due; `idle` slots are free and `running` are not. Errors: CFSPLIT_UNREACHABLE (--no-fallback), CFSPLIT_FENCED, those of the
 * journal and the run directory. */
CFSPLIT_MUST_USE cfsplit_status csi_queued_step(struct csi_queued *q, uint64_t now_ms, uint64_t idle, uint64_t running,
                                                struct cfsplit_error *err);

/* Takes in what has come. True: something that may change what is to be done, so do not sleep now. To be called before waiting for
 * csi_queued_fd. */
bool csi_queued_listen(struct csi_queued *q, uint64_t now_ms);

/* Readable when something has come; -1: nothing can come. */
int csi_queued_fd(const struct csi_queued *q);

/* When csi_queued_step has something to do without anything coming. */
uint64_t csi_queued_due_ms(const struct csi_queued *q);

/* The next item, NULL: none is here. It counts as started. */
struct csi_lease *csi_queued_take(struct csi_queued *q, uint64_t running);

/* The end of an attempt is on disk, and no fence stands against it. */
void csi_queued_spoken(struct csi_queued *q, uint64_t index, uint64_t attempt, uint64_t class, uint64_t took_ms);

/* All that was spoken of goes out. */
void csi_queued_tell(struct csi_queued *q);

/* Nothing is left that it may take by itself: looks for a coordinator again, once. */
void csi_queued_return(struct csi_queued *q, uint64_t now_ms);

/* Its journal is closed, and was `length` bytes long: says so and goes. */
void csi_queued_leave(struct csi_queued *q, uint64_t length);

#endif
