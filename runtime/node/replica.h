/* The state of one replica at work: the loop is in replica.c, what happens to attempts that ended in ended.c. */
#ifndef CSI_NODE_REPLICA_H
#define CSI_NODE_REPLICA_H

#include "exec/child.h"
#include "exec/exec.h"
#include "exec/template.h"
#include "node/child_env.h"
#include "node/stops.h"
#include "rundir/output.h"

struct csi_at_work { /* what runs in a slot */
    bool busy;
    uint64_t index, output_from;
    uint64_t given_ms; /* when a command that is kept got it */
    uint32_t attempt;
};

struct csi_replica {
    struct cfsplit_run *run;
    const struct cfsplit_replica_options *asked;
    struct csi_incarnation life;
    struct csi_output output;
    struct csi_exec *exec;
    struct csi_template *command;
    struct csi_argv argv;
    struct csi_child_env env;
    char *program; /* found once; NULL if the item is part of its name */
    int cwd_fd;
    struct csi_at_work *at_work; /* one for each slot; a tag is an index into it */
    enum cfsplit_order order;
    bool dry; /* nothing to start now */
    bool output_lost;
    struct cfsplit_error early; /* why no more is started, though what runs may end; status CFSPLIT_OK: nothing */
    struct csi_stops stops;
    struct {
        bool answered;       /* a command of this replica has answered an item */
        bool told_mute;      /* that none does has been said */
        unsigned deaths;     /* of commands with an item, before that */
        uint64_t last_index; /* the item of the last of these */
    } kept;
    uint64_t now, due_ms, kill_at_ms;
};

/* Nothing more is started; what runs may end and is written down, and then the replica ends with this error. */
void csi_replica_start_no_more(struct csi_replica *r, cfsplit_status status, const struct cfsplit_error *err);

#endif
