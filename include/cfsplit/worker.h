/* The door for analysis codes: a program that links the library is a replica of a run and asks for its next item.
 *
 * It has the same claims and the same journal as `canfar-split run`, so programs and scripts share one run. An end goes
 * through three steps:
 *   noted     cfsplit_item_done and its sisters have returned: it is in memory, on its way to the disk;
 *   accepted  cfsplit_worker_sync or cfsplit_worker_close has returned CFSPLIT_OK: it is on disk and counts, for ever;
 *   late      one of them has returned CFSPLIT_FENCED: this replica was silent for so long (stopped, a hung disk) that another
 *             one took over; what it did since does not count, the item is done again by somebody else.
 * Delete or overwrite an input only after the end of its item is accepted. Write results to a name with `attempt` in it, then
 * rename: an item may be started twice.
 *
 * Threads: a worker may be used by any number of threads; an item is ended by one call of any of them. Calls take turns;
 * cfsplit_item_next lets others go first while it waits. cfsplit_worker_close is the last call.
 * Fork: in a child every call returns CFSPLIT_USAGE and touches nothing; the child may exit or exec as it likes.
 * Two threads of the library's own (no signal is delivered to them) write the replica's beat and sync ends that are due. */
#ifndef CFSPLIT_WORKER_H
#define CFSPLIT_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include <cfsplit/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cfsplit_worker;
struct cfsplit_run_options; /* <cfsplit/unstable.h> */

/* All zero but `size` is a replica as the environment and the plan have it. */
struct cfsplit_worker_options {
    uint64_t size;  /* sizeof(struct cfsplit_worker_options) */
    uint32_t id;    /* 1..R; 0: by REPLICA_ID and REPLICA_COUNT or the launcher (cfsplit_identity_find) */
    uint32_t spare; /* 1: a spare, without a share of its own: takes what nobody has; id is not looked at */
    /* What is not CFSPLIT_UNSET wins over the plan; NULL: as planned. Of use here: retries, max_fails, sync_every_ms,
     * stall_after_ms, adopt_after_ms, crash_limit, no_adopt; of a queue, takeover_after_ms, network_timeout_ms, no_fallback
     * and batch, too. Copied. */
    const struct cfsplit_run_options *run;
    /* Something a person should know; NULL: nobody listens. Called in any thread that is in a call, and in the library's own;
     * it must not call the worker. */
    void (*say)(void *context, const char *sentence);
    void *context;
    /* Numeric address that a queue in this process listens at; "none": for this machine only; NULL: all of this host. Copied. */
    const char *bind;
    uint64_t reserved_[3]; /* 0 */
};

/* One start of one item. The worker's, until its end is given. */
struct cfsplit_work {
    const char *name;   /* the item, ends with NUL; relative ones are meant from cfsplit_worker_cwd */
    size_t length;      /* of the name, in bytes, without the NUL */
    uint64_t weight;    /* as planned */
    uint64_t index;     /* its place in the frozen list, from 0; people see index + 1 */
    uint32_t attempt;   /* from 1, over all replicas */
    uint32_t seed;      /* of the run and the item's name: the same in every attempt, for any number of replicas */
    uint64_t reserved_; /* the worker's own */
};

/* What became of this replica's items. */
struct cfsplit_worker_result {
    uint64_t started;                                           /* attempts */
    uint64_t done, failed, rejected, later, stopped, set_aside; /* accepted ends; failed: for good */
    uint64_t not_started;                                       /* items it had and left to others */
    char name[32];                                              /* of this life of the replica, "<id>-<nonce>" */
    uint64_t reserved_[4];
};

/* Joins the run planned at `path` (with or without a command). `options` may be NULL. Nothing is taken yet. Blocks on storage.
 * *out is yours to close. Errors: CFSPLIT_USAGE (no such run, no or another identity, an options struct of another version),
 * CFSPLIT_DAMAGED, CFSPLIT_STORAGE, CFSPLIT_MEMORY. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_worker_open(const char *path,
                                                                const struct cfsplit_worker_options *options,
                                                                struct cfsplit_worker **out, struct cfsplit_error *err);

/* The folder in which relative items are found, absolute. The worker's; good in a forked child, too. */
CFSPLIT_API const char *cfsplit_worker_cwd(const struct cfsplit_worker *worker);

/* Hands out an item; that it is started is written when this returns. Blocks until there is one: an item that is open in another
 * thread may fail and come again, a replica that is at work may be lost. So a thread that has items open of which nobody else
 * gives the end waits for ever once nothing else is left: end one before asking for the next.
 * Not CFSPLIT_OK (then *out is NULL and items in hand may still be ended):
 * CFSPLIT_END: nothing will come any more. CFSPLIT_STOPPED: `canfar-split stop`, or the worker is being closed.
 * CFSPLIT_INCOMPLETE: too many items failed (max_fails; the first 20 all). CFSPLIT_STORAGE: no room to write down more.
 * CFSPLIT_FENCED: late. CFSPLIT_DAMAGED, CFSPLIT_MEMORY, CFSPLIT_USAGE (after fork). */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_item_next(struct cfsplit_worker *worker, struct cfsplit_work **out,
                                                              struct cfsplit_error *err);

/* Note how an item ended; `work` is no longer yours. `text` says why, for a person: one line, of which some 200 bytes are kept;
 * may be NULL. On disk within sync_every_ms (100 ms), whatever the program does meanwhile.
 *   done      nothing is left to do
 *   failed    started again if retries are left (--retries)
 *   rejected  the data gives nothing to do: accounted for, never started again
 *   later     started again after a while, up to 10 times: no failure
 * Errors: CFSPLIT_USAGE (after fork; it has ended already), CFSPLIT_FENCED, CFSPLIT_STORAGE, CFSPLIT_MEMORY: not noted. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_item_done(struct cfsplit_worker *worker, struct cfsplit_work *work,
                                                              struct cfsplit_error *err);
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_item_failed(struct cfsplit_worker *worker,
                                                                struct cfsplit_work *work, const char *text,
                                                                struct cfsplit_error *err);
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_item_rejected(struct cfsplit_worker *worker,
                                                                  struct cfsplit_work *work, const char *text,
                                                                  struct cfsplit_error *err);
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_item_later(struct cfsplit_worker *worker, struct cfsplit_work *work,
                                                               const char *text, struct cfsplit_error *err);

/* CFSPLIT_OK: all ends noted so far are accepted. Blocks for one sync of the disk. Errors: CFSPLIT_FENCED: those that were not
 * accepted before are late. CFSPLIT_STORAGE, CFSPLIT_MEMORY: it is not known whether they will count. After an error only
 * cfsplit_worker_close is left to do. CFSPLIT_USAGE: after fork. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_worker_sync(struct cfsplit_worker *worker,
                                                                struct cfsplit_error *err);

/* Gives back what is open, so that others go on with it at once (items handed out and not ended are charged with nothing), and
 * frees the worker. `result` may be NULL. Returns as cfsplit_worker_sync. Threads that wait in cfsplit_item_next get
 * CFSPLIT_STOPPED, and are waited for; nobody may begin a call. NULL is fine. A program that exits without it leaves its open
 * items under suspicion of having killed it. In a forked child: CFSPLIT_USAGE, and nothing is freed. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_worker_close(struct cfsplit_worker *worker,
                                                                 struct cfsplit_worker_result *result,
                                                                 struct cfsplit_error *err);

#ifdef __cplusplus
}
#endif
#endif
