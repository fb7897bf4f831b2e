/* The replicas of a run as its coordinator knows them: what their journals say, and whether they are settled (docs/protocol.md, rule 3).
 * Journals go into the ledger while stock is taken, and to the queue once a peer is a worker of it. */
#ifndef CSI_NODE_PEERS_H
#define CSI_NODE_PEERS_H

#include "net/net.h"
#include "node/others.h"
#include "queue/queue.h"

struct csi_begun { /* a start without an end */
    uint64_t index;
    uint32_t attempt;
    bool alone;
};

struct csi_peer {
    struct csi_journal_reader reader;
    uint64_t bound;    /* the highest epoch that its journal is bound to */
    uint64_t may_call; /* the session that the last such line names; 0: none */
    bool over;         /* closed or sealed, and read to its end */
    struct csi_begun *begun;
    size_t begun_count;
    uint32_t worker; /* its number in the queue; CSI_QUEUE_NOBODY: none yet */
    /* its connection, if `session` is not 0 */
    struct csi_net_peer connection;
    uint64_t session, seq_in, seq_out, asked, sent;
    uint64_t last_session; /* the last it had here; `asked` is still of that */
    uint64_t heard_ms, slots, running, waiting;
};

struct csi_peers {
    struct cfsplit_run *run;
    struct csi_inc self; /* the coordinator */
    uint64_t K;
    struct csi_others others;
    struct csi_ledger *ledger;
    struct csi_queue *queue; /* NULL while stock is taken */
    struct csi_inc_list list;
    struct csi_peer *at; /* one for each of list */
    size_t count;
    uint32_t *by_worker; /* places in `at` by number of the worker */
    size_t by_worker_room;
    uint32_t *released; /* by piece: the highest claim number that its owner gave back; borrowed */
    size_t released_count;
    bool misled; /* a journal was read further than its seal, put there meanwhile, says that it counts */
    uint64_t now_ms;
};

CFSPLIT_MUST_USE cfsplit_status csi_peers_init(struct csi_peers *peers, struct cfsplit_run *run,
                                               const struct csi_inc *self, uint64_t K,
                                               const struct cfsplit_run_options *options, struct csi_ledger *ledger,
                                               void (*say)(void *context, const char *sentence), void *say_context,
                                               struct cfsplit_error *err);
void csi_peers_fini(struct csi_peers *peers);

/* Lists those that came since. */
CFSPLIT_MUST_USE cfsplit_status csi_peers_refresh(struct csi_peers *peers, struct cfsplit_error *err);

/* The peer of that name, SIZE_MAX: none, also after another look. */
CFSPLIT_MUST_USE cfsplit_status csi_peers_find(struct csi_peers *peers, const char *name, size_t length, size_t *at,
                                               struct cfsplit_error *err);

/* Reads what is new of its journal, up to `limit` bytes of it. */
CFSPLIT_MUST_USE cfsplit_status csi_peers_read(struct csi_peers *peers, size_t at, uint64_t limit,
                                               struct cfsplit_error *err);

/* Ends who is dead or silent; reads who is over, or not settled, or has no connection. What a lost worker held comes back. */
CFSPLIT_MUST_USE cfsplit_status csi_peers_check(struct csi_peers *peers, size_t at, uint64_t now_ms,
                                                struct cfsplit_error *err);

/* It says that an attempt has ended. False: it never had it, nothing is changed. */
bool csi_peers_end(struct csi_peers *peers, size_t at, const struct csi_record *record, uint64_t took_us);

/* Can it be given anything by an earlier coordinator yet? */
bool csi_peer_is_settled(const struct csi_peers *peers, size_t at);
bool csi_peers_are_settled(const struct csi_peers *peers);

/* Have all left, or been ended? */
bool csi_peers_are_over(const struct csi_peers *peers);

/* All journals have been read: charges the items that replicas died of. Once, before anything is handed out. */
void csi_peers_charge(struct csi_peers *peers);

/* Makes it a worker of the queue, if it is none. */
CFSPLIT_MUST_USE cfsplit_status csi_peers_join(struct csi_peers *peers, size_t at, struct cfsplit_error *err);

/* Whose number that is, NULL: nobody's. */
struct csi_peer *csi_peers_of_worker(const struct csi_peers *peers, uint32_t worker);

/* Items of this range that are begun at a replica that is there are held by it. Before the range is opened. */
CFSPLIT_MUST_USE cfsplit_status csi_peers_hold(struct csi_peers *peers, uint64_t first, uint64_t count,
                                               struct cfsplit_error *err);

#endif
