/* The others: whether another incarnation still lives, and ending one that does not. */
#ifndef CSI_NODE_OTHERS_H
#define CSI_NODE_OTHERS_H

#include "rundir/fence.h"

enum csi_whereabouts {
    CSI_AT_WORK,     /* as far as can be seen */
    CSI_HAS_LEFT,    /* over, and may have left something: dead, silent, ended by somebody, or stopped before the end */
    CSI_HAS_FINISHED /* over, and all that it took has ended */
};

struct csi_other {
    size_t next;                            /* place + 1 of another incarnation of the same replica; 0: none */
    uint32_t look;                          /* the last one in which it was judged */
    bool known;                             /* its identity was read, and not its name alone */
    enum csi_whereabouts where;             /* as of the last judgement */
    bool over;                              /* ... and it will not change any more */
    uint64_t sequence, since_ms, looked_ms; /* its beat, and since when, on our clock, it has not changed */
    uint64_t alive_ms; /* then or later it was alive, by its process or by a beat that changed before our eyes */
};

enum csi_presence {
    CSI_NEVER_CAME, /* no incarnation of that replica is known */
    CSI_PRESENT,    /* one of them is at work */
    CSI_GONE        /* it came, and none is */
};

struct csi_others {
    struct cfsplit_run *run;
    const struct csi_inc *self;
    const struct cfsplit_run_options *options;
    void (*say)(void *context, const char *sentence);
    void *say_context;
    struct csi_inc_list list;
    struct csi_other *at; /* one for each of list */
    size_t count;
    size_t *first;         /* by replica id: place + 1 of one of its incarnations; 0: none is known */
    struct csi_buf fenced; /* names */
    uint32_t look;         /* counts them */
    uint64_t look_ms;      /* when the last one began */
    uint64_t born_ms;      /* when we began to look, CLOCK_BOOTTIME */
    uint64_t age_ms;       /* of the run: of its longest incarnation that was judged */
    bool told_twin;        /* that another one with our number is at work */
};

/* `self` and `options` are borrowed until fini. */
CFSPLIT_MUST_USE cfsplit_status csi_others_init(struct csi_others *o, struct cfsplit_run *run,
                                                const struct csi_inc *self, const struct cfsplit_run_options *options,
                                                void (*say)(void *context, const char *sentence), void *say_context,
                                                struct cfsplit_error *err);
void csi_others_fini(struct csi_others *o);

/* Begins a new look: who has come and who is fenced by now. What became of each is judged when it is asked for, once a look. */
CFSPLIT_MUST_USE cfsplit_status csi_others_look(struct csi_others *o, uint64_t now_ms, struct cfsplit_error *err);

/* Where the incarnation at place `at` is, as of this look: by its beat, its fence and its process. No journal is read, nobody is
 * ended. Before the first look all are at work. */
CFSPLIT_MUST_USE cfsplit_status csi_others_where(struct csi_others *o, size_t at, enum csi_whereabouts *where,
                                                 struct cfsplit_error *err);

/* The same of a replica, 1..R, by all of its incarnations. */
CFSPLIT_MUST_USE cfsplit_status csi_others_presence(struct csi_others *o, uint32_t replica, enum csi_presence *presence,
                                                    struct cfsplit_error *err);
bool csi_others_has_come(const struct csi_others *o, uint32_t replica);

/* Judges all of them: then age_ms is that of the run, as far as beats tell. */
CFSPLIT_MUST_USE cfsplit_status csi_others_judge(struct csi_others *o, struct cfsplit_error *err);

/* The place of an incarnation in `list` and `at`; it is added if the last look did not see it (a folder may be seen
 * late on shared storage: who has a claim has come). */
CFSPLIT_MUST_USE cfsplit_status csi_others_add(struct csi_others *o, const struct csi_inc *inc, size_t *at,
                                               struct cfsplit_error *err);

/* Fences and seals an owner that is dead (its process is gone, what it left running is ended), silent for stall_after_ms on
 * our clock, or half ended by somebody else. *gone tells whether its claims are free now. */
CFSPLIT_MUST_USE cfsplit_status csi_others_end_if_lost(struct csi_others *o, const struct csi_inc *owner,
                                                       struct csi_seal seal, uint64_t now_ms, bool *gone,
                                                       struct cfsplit_error *err);

#endif
