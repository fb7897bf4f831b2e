/* The others: whether another incarnation still lives, and ending one that does not. */
#ifndef CSI_NODE_OTHERS_H
#define CSI_NODE_OTHERS_H

#include "rundir/fence.h"

struct csi_watched { /* the beat of somebody whose life cannot be seen */
    char name[CSI_INC_BYTES];
    uint64_t sequence, since_ms, looked_ms;
    bool seen_alive;
};

struct csi_others {
    struct cfsplit_run *run;
    const struct csi_inc *self;
    const struct cfsplit_run_options *options;
    void (*say)(void *context, const char *sentence);
    void *say_context;
    struct csi_watched *watched;
    size_t watched_count;
    struct csi_inc_list list;
    bool *left;      /* for each of list: may it have left something? */
    bool *abandoned; /* by replica id: all that came of it is gone, and left something */
    bool told_twin;  /* that another one with our number is at work */
    bool waiting;    /* it was not to be known yet whether somebody lives: ask again later */
};

/* `self` and `options` are borrowed until fini. */
CFSPLIT_MUST_USE cfsplit_status csi_others_init(struct csi_others *o, struct cfsplit_run *run,
                                                const struct csi_inc *self, const struct cfsplit_run_options *options,
                                                void (*say)(void *context, const char *sentence), void *say_context,
                                                struct cfsplit_error *err);
void csi_others_fini(struct csi_others *o);

/* Fences and seals an owner that is dead (its process is gone, what it left running is ended), silent for stall_after_ms on
 * our clock, or half ended by somebody else. *gone tells whether its claims are free now. */
CFSPLIT_MUST_USE cfsplit_status csi_others_end_if_lost(struct csi_others *o, const struct csi_inc *owner,
                                                       struct csi_seal seal, uint64_t now_ms, bool *gone,
                                                       struct cfsplit_error *err);

/* Looks at the beats of all: sets `left` and `abandoned`. *any: somebody may have left something. No journal is read. */
CFSPLIT_MUST_USE cfsplit_status csi_others_judge(struct csi_others *o, uint64_t now_ms, bool *any,
                                                 struct cfsplit_error *err);

/* May the incarnation of that name have left something, as of the last judgement? */
bool csi_others_has_left(const struct csi_others *o, const char *name);

#endif
