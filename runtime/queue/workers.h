/* The workers of the queue, and the lines in which they stand. Part of the queue (queue/queue.h). */
#ifndef CSI_QUEUE_WORKERS_H
#define CSI_QUEUE_WORKERS_H

#include "queue/waiting.h"

enum csi_line_kind {
    CSI_ASKING, /* asked for more than they got, and may be given some */
    CSI_IDLE,   /* of these, those that hold nothing */
    CSI_HUNGRY, /* of these, those that hold less than they have slots */
    CSI_LADEN,  /* hold more than they have slots, not all of it known to have started, not told to give back */
    CSI_LINE_COUNT
};

struct csi_queue_link {
    uint32_t before, behind;
    bool in;
};

struct csi_worker {
    uint64_t slots, credit, ended;
    uint64_t begun; /* of what it holds, so many are known to have started */
    double mean_us;
    struct csi_chain leases;
    struct csi_queue_link links[CSI_LINE_COUNT];
    bool is_there;
    bool alone;   /* holds a suspect, and is given nothing else */
    bool revoked; /* was told to give back */
    bool dry;     /* has said that all it holds has started */
    bool home;    /* was told to leave */
    bool stays;   /* is never told to leave */
};

struct csi_line {
    uint32_t first, last;
    uint64_t count;
};

struct csi_workers {
    struct csi_worker *at; /* from 1 */
    uint32_t room, free;   /* the first of the numbers that are free, linked by links[0].behind; 0: none */
    uint32_t highest;      /* number that was ever given */
    uint64_t count, slots, wanted, revoked;
    struct csi_line lines[CSI_LINE_COUNT];
};

/* Errors: CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_workers_add(struct csi_workers *all, uint64_t slots, uint32_t *number,
                                                struct cfsplit_error *err);
/* It holds nothing any more. */
void csi_workers_remove(struct csi_workers *all, uint32_t number);
void csi_workers_fini(struct csi_workers *all);

/* NULL: nobody has that number. Valid until the next is added. */
struct csi_worker *csi_workers_at(const struct csi_workers *all, uint32_t number);

/* It has so many slots from now on. */
void csi_workers_resize(struct csi_workers *all, uint32_t number, uint64_t slots);

/* Puts it into the lines where it belongs, at their ends, after any change to it. */
void csi_workers_place(struct csi_workers *all, uint32_t number);

/* To the end of the line of those that ask. */
void csi_workers_rotate(struct csi_workers *all, uint32_t number);

/* What it asked for changes by so much more or less; nobody asks for more than 2^32. */
void csi_workers_ask(struct csi_workers *all, uint32_t number, uint64_t more);
void csi_workers_give(struct csi_workers *all, uint32_t number, uint64_t less);

/* Told to give back, or not any more. */
void csi_workers_revoke(struct csi_workers *all, uint32_t number, bool told);

/* All that it holds has started: it has nothing to give back until it is given more. */
void csi_workers_dry(struct csi_workers *all, uint32_t number);

#endif
