/* The state of a coordinator that leads: the thread is in coordinator.c, what it hears in hearing.c, which pieces it takes in
 * leading.c. */
#ifndef CSI_NODE_LEADING_H
#define CSI_NODE_LEADING_H

#include "node/heart.h"
#include "node/names.h"
#include "node/peers.h"
#include "rundir/epoch.h"
#include "rundir/journal.h"
#include "wire/wire.h"

enum csi_leading_end {
    CSI_LEADS,
    CSI_LEADING_DONE,   /* all is accounted for */
    CSI_LEADING_LEFT,   /* its replica leaves */
    CSI_LEADING_FENCED, /* it was taken for lost, or a higher epoch is there */
};

enum { CSI_LED_AT_ONCE = 64 }; /* pieces whose claims share a sync */

/* What is known of a piece. */
struct csi_led_piece {
    uint32_t highest; /* claim number */
    bool mine;
    bool settled; /* nothing was open in it when it was looked at, and nobody can add to it */
};

struct csi_leading {
    struct cfsplit_run *run;
    struct cfsplit_run_options options;
    struct csi_epoch epoch;
    struct csi_inc self, host;
    struct csi_journal journal;
    struct csi_heart heart;
    struct csi_server *server;
    struct csi_ledger ledger;
    struct csi_queue *queue;
    struct csi_peers peers;
    struct csi_names names;
    struct csi_led_piece *pieces;
    uint32_t *highest;  /* claim numbers as they were last listed */
    uint32_t *released; /* ... that their owners gave back */
    size_t piece_count;
    uint32_t linked[CSI_LED_AT_ONCE]; /* pieces that are claimed and not on disk yet */
    size_t linked_count;
    uint32_t fresh;      /* pieces before this one were looked at as long as nobody had them */
    bool recovered;      /* pieces that somebody had can be taken: all peers are settled */
    uint64_t recover_ms; /* not before this */
    uint64_t relist_ms;  /* when claims are listed again */
    uint32_t retry_seen;
    uint64_t connected, strange; /* peers with a session; messages that made no sense */
    uint64_t interval_ms;        /* between two looks around: a second, or less if a short silence counts */
    uint64_t now_ms, tick_ms, seen_ms, seen_connected, sweep_ms, disconnected, home_ms;
    enum csi_leading_end end;
    bool complete; /* everything is accounted for: all are sent home */
    struct {       /* connections -> peers, open addressing, by the connection's id */
        uint64_t *ids;
        uint32_t *peers;
        size_t room, count;
    } lines;
    struct csi_buf out, list, space;
    void (*say)(void *context, const char *sentence);
    void *context;
};

/* ---- leading.c: pieces, stock, what is due */

/* Lists the replicas, reads all journals: the state of every item is known then, as far as it can be. */
CFSPLIT_MUST_USE cfsplit_status csi_leading_take_stock(struct csi_leading *l, struct cfsplit_error *err);

/* Takes pieces, as far ahead as it takes. */
CFSPLIT_MUST_USE cfsplit_status csi_leading_take_pieces(struct csi_leading *l, struct cfsplit_error *err);

/* Will no piece come any more, and is nothing open in those that are ours, and was nothing else ordered? Then all are sent home. */
CFSPLIT_MUST_USE cfsplit_status csi_leading_look_for_the_end(struct csi_leading *l, struct cfsplit_error *err);

/* Tells what `status` shows. */
void csi_leading_tell_seen(struct csi_leading *l);

/* What is done every interval_ms. */
CFSPLIT_MUST_USE cfsplit_status csi_leading_tick(struct csi_leading *l, struct cfsplit_error *err);

/* ---- hearing.c: messages */

/* Takes one frame, CFSPLIT_END: there was none. */
CFSPLIT_MUST_USE cfsplit_status csi_leading_hear(struct csi_leading *l, struct cfsplit_error *err);

/* Sends the batches that are due, and what follows from who has nothing to do. */
CFSPLIT_MUST_USE cfsplit_status csi_leading_hand_out(struct csi_leading *l, struct cfsplit_error *err);

/* Tells all that are connected one thing: CSI_MESSAGE_OVER or CSI_MESSAGE_HOME. */
void csi_leading_tell_all(struct csi_leading *l, enum csi_message_kind kind);

void csi_leading_forget_lines(struct csi_leading *l);

#endif
