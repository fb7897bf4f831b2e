/* What canfar-split itself is built from, and what may still change between minor versions: planning a run, being a
 * replica of one, and looking at one. What is promised is in the other headers.
 *
 * RUN is a run directory (docs/run-directory.md); items are known by their place in the frozen list, from 0. */
#ifndef CFSPLIT_UNSTABLE_H
#define CFSPLIT_UNSTABLE_H

#include <cfsplit/cfsplit.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CFSPLIT_UNSET UINT64_MAX /* an option that was not given */

/* Which items of a file to pick, over several files if there are: `left` of them, the next one behind `skip` others, then one
 * every `step`; and who is given their text, each with what ends an item. */
struct cfsplit_pick {
    uint64_t skip, step, left;                                   /* step above 0; left 0: no more is read */
    uint64_t seen;                                               /* out: items so far, picked or not */
    bool refused;                                                /* out: put has said that it takes no more */
    bool (*put)(void *context, const char *text, size_t length); /* one call at a time, perhaps from another thread */
    void *context;
};

/* Reads on until all are picked or the file ends, and takes what was done off `pick`. A regular file is read in blocks by several
 * threads; after cfsplit_lines_count and cfsplit_lines_rewind, only the blocks that hold what is picked. Errors: as
 * cfsplit_lines_next, what is before the error having been put; CFSPLIT_USAGE if the file changes meanwhile. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_lines_pick(struct cfsplit_lines *lines, struct cfsplit_pick *pick,
                                                               struct cfsplit_error *err);

/* A set of exit codes, 1..255: code c is bit c % 64 of bits[c / 64]. */
struct cfsplit_exit_codes {
    uint64_t bits[4];
    uint64_t is_set; /* 0: not given */
};

/* X(field, default, what): the numeric options of a replica. A plan keeps them as defaults; what a replica is told wins. */
#define CFSPLIT_RUN_OPTION_LIST(X)                                                                                     \
    X(slots, 1, "items at a time; 0: as many as there are processors")                                                 \
    X(retries, 0, "further starts of an item that failed")                                                             \
    X(timeout_ms, 0, "an attempt may take; 0: any time")                                                               \
    X(max_fails, CFSPLIT_UNSET, "failures before the replica stops; unset: when the first 20 all fail; 0: never")      \
    X(grace_ms, 25000, "from being told to stop to killing")                                                           \
    X(output_limit, 1048576, "bytes kept of what an attempt prints")                                                   \
    X(sync_every_ms, 100, "the longest an end waits to be on disk")                                                    \
    X(stall_after_ms, 120000, "of silence after which a replica is taken for lost")                                    \
    X(adopt_after_ms, 600000, "the run must be old before the share of a replica that never came is taken over")       \
    X(crash_limit, 3, "deaths of replicas by an item that ran alone before it is set aside; 0: never")                 \
    X(no_adopt, 0, "1: never take over what another replica has")                                                      \
    X(shell, 0, "1: the command is a line for /bin/sh")                                                                \
    X(keep, CFSPLIT_KEEP_NOT, "how a command gets one item after the other on its stdin: enum cfsplit_keep")           \
    X(takeover_after_ms, 20000, "of silence after which a coordinator of the queue is taken for lost; above 0")        \
    X(network_timeout_ms, 60000, "without reaching the queue after which a replica goes on alone")                     \
    X(no_fallback, 0, "1: never go on without the queue")                                                              \
    X(batch, 0, "items that the queue hands out at a time, up to CFSPLIT_BATCH_MAX; 0: by how long they take")

#define CFSPLIT_BATCH_MAX 64u

/* Whether a command is started once a slot and kept (docs/keep.md), and what ends an item on its stdin. */
enum cfsplit_keep { CFSPLIT_KEEP_NOT, CFSPLIT_KEEP_LINES, CFSPLIT_KEEP_NUL };

struct cfsplit_run_options {
    uint64_t size; /* sizeof(struct cfsplit_run_options), as CFSPLIT_RUN_OPTIONS_INIT has it */
#define CFSPLIT_RUN_OPTION_FIELD_(field, otherwise, what) uint64_t field;
    CFSPLIT_RUN_OPTION_LIST(CFSPLIT_RUN_OPTION_FIELD_)
#undef CFSPLIT_RUN_OPTION_FIELD_
    struct cfsplit_exit_codes reject_exit; /* the command's codes for: nothing to do in this item */
    struct cfsplit_exit_codes later_exit;  /* ... and for: try again later */
};

#define CFSPLIT_RUN_OPTION_UNSET_(field, otherwise, what) .field = CFSPLIT_UNSET,
#define CFSPLIT_RUN_OPTIONS_INIT                                                                                       \
    {                                                                                                                  \
        .size = sizeof(struct cfsplit_run_options), CFSPLIT_RUN_OPTION_LIST(CFSPLIT_RUN_OPTION_UNSET_)                 \
    }

/* A name as it may be shown in a message: in single quotes, control and invalid UTF-8 bytes as \xNN, a long one cut in the
 * middle. Use as cfsplit_quote(name).text within one expression. */
struct cfsplit_quoted {
    char text[304];
};
CFSPLIT_API struct cfsplit_quoted cfsplit_quote(const char *name);

/* ---- planning */

struct cfsplit_plan_request {
    uint64_t size; /* sizeof(struct cfsplit_plan_request) */
    enum cfsplit_strategy strategy;
    uint32_t group;    /* 1: colleagues of the group may read the run directory */
    uint64_t replicas; /* 1..CFSPLIT_REPLICAS_MAX */
    const char *cwd;   /* where relative items and the command are found; NULL: here */
    const char *const *command;
    uint64_t command_count;
    struct cfsplit_run_options options;
    const char *weights; /* how the list was weighed, for who extends it: the word of --weights; NULL: the default */
};

/* Freezes list and command in a new run directory at `path`; on disk when this returns. If a run is planned there already
 * (by another replica, at the same moment or long ago) it is compared with the request: the same is CFSPLIT_OK with *created
 * false. Errors: CFSPLIT_USAGE naming the first difference or why the folder cannot be made, CFSPLIT_STORAGE. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_plan(const char *path, const struct cfsplit_list *list,
                                                         const struct cfsplit_plan_request *request, bool *created,
                                                         struct cfsplit_error *err);

/* Gives item i the weight weights[i]; copied. Errors: CFSPLIT_USAGE if they add up to 2^63 or more, weights unchanged. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_list_set_weights(struct cfsplit_list *list, const uint64_t *weights,
                                                                     struct cfsplit_error *err);

/* Whether a command fits such options: one that is kept can have no {} in it. Errors: CFSPLIT_USAGE, CFSPLIT_MEMORY. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_command_check(char *const *command, uint64_t count,
                                                                  const struct cfsplit_run_options *options,
                                                                  struct cfsplit_error *err);

struct cfsplit_run;

/* Opens a run directory. Errors: CFSPLIT_USAGE if there is none or it is of a newer format, CFSPLIT_DAMAGED. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_run_open(const char *path, struct cfsplit_run **out,
                                                             struct cfsplit_error *err);
CFSPLIT_API void cfsplit_run_close(struct cfsplit_run *run);

/* Compares a run with a request, and with a list if it is not NULL: CFSPLIT_USAGE naming the first difference. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_plan_compare(const struct cfsplit_run *run,
                                                                 const struct cfsplit_list *list,
                                                                 const struct cfsplit_plan_request *request,
                                                                 struct cfsplit_error *err);

/* Adds those items of a list that the run does not have yet (bytes are compared), split and ordered by the strategy of its plan.
 * Nothing that is there is disturbed; replicas at work pick the addition up. *added is their number; 0: nothing is new.
 * Errors: CFSPLIT_STORAGE, CFSPLIT_DAMAGED, CFSPLIT_USAGE if the run may not be written to. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_extend(struct cfsplit_run *run, const struct cfsplit_list *list,
                                                           uint64_t *added, struct cfsplit_error *err);

/* What was planned; all of it the run's. */
struct cfsplit_facts {
    const char *run_id, *path, *cwd;
    const char *weights;        /* how the list was weighed: the word of --weights, "" for the default */
    const char *const *command; /* NULL-terminated */
    uint64_t command_count;
    uint64_t created_ms; /* since 1970, by the planner's clock */
    enum cfsplit_strategy strategy;
    uint32_t replicas;
    uint64_t items, weight;
    struct cfsplit_run_options options; /* CFSPLIT_UNSET where not given */
};
CFSPLIT_API const struct cfsplit_facts *cfsplit_run_facts(const struct cfsplit_run *run);

/* Appends all items of a run with their weights: in the order in which they were given where the run keeps it (*as_given), else
 * sorted by bytes. Errors: CFSPLIT_DAMAGED, CFSPLIT_STORAGE, CFSPLIT_MEMORY. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_run_list(const struct cfsplit_run *run, struct cfsplit_list *list,
                                                             bool *as_given, struct cfsplit_error *err);

/* Who this process is in a run: cfsplit_identity_find with the run's count as the one that is pinned. Errors: as there, and
 * CFSPLIT_USAGE if another count is found; *out is what was found then, too, and its count 0 if nothing was. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_run_identity(const struct cfsplit_run *run,
                                                                 const struct cfsplit_identity_options *options,
                                                                 char *(*lookup)(const char *name),
                                                                 struct cfsplit_identity *out,
                                                                 struct cfsplit_error *err);

/* ---- being a replica */

/* X(word): what --launcher can be */
#define CFSPLIT_LAUNCHER_LIST(X)                                                                                       \
    X("torchrun")                                                                                                      \
    X("openmpi")                                                                                                       \
    X("pmi")                                                                                                           \
    X("flux")                                                                                                          \
    X("srun")                                                                                                          \
    X("flux-cc")                                                                                                       \
    X("slurm")                                                                                                         \
    X("sge")                                                                                                           \
    X("pbs")                                                                                                           \
    X("torque")                                                                                                        \
    X("lsf")                                                                                                           \
    X("aws-batch")                                                                                                     \
    X("kubernetes")

/* X(symbol, word): what an item can be */
#define CFSPLIT_STATE_LIST(X)                                                                                          \
    X(CFSPLIT_PENDING, "pending")                                                                                      \
    X(CFSPLIT_RUNNING, "running")                                                                                      \
    X(CFSPLIT_DONE, "done")                                                                                            \
    X(CFSPLIT_FAILED, "failed")                                                                                        \
    X(CFSPLIT_REJECTED, "rejected")                                                                                    \
    X(CFSPLIT_SET_ASIDE, "set-aside")

enum cfsplit_state {
#define CFSPLIT_STATE_ENUM_(symbol, word) symbol,
    CFSPLIT_STATE_LIST(CFSPLIT_STATE_ENUM_)
#undef CFSPLIT_STATE_ENUM_
};
CFSPLIT_API const char *cfsplit_state_word(enum cfsplit_state state);
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_state_find(const char *word, enum cfsplit_state *out,
                                                               struct cfsplit_error *err);

/* One attempt at an item. */
struct cfsplit_attempt {
    const char *name;              /* the item's; NULL where it is not looked up */
    const char *by;                /* which life of which replica: "<id>-<nonce>" */
    const char *text;              /* its last line or the reason; "" for none */
    uint64_t index;                /* of the item */
    uint32_t replica;              /* 0: a spare */
    uint32_t number;               /* of the attempt, from 1 */
    uint64_t started_ms, ended_ms; /* since 1970, by the replica's clock; ended 0: no end is known */
    const char *class_word;        /* done, failed, retry, rejected, later, stopped, crashed, set-aside; NULL: no end */
    uint32_t retries_left;         /* starts that are left, if it failed and is to be tried again */
    uint16_t alone;                /* of cfsplit_survey_attempts: 1: nothing else ran beside it, by design */
    uint16_t lost;                 /* ... 1: no end is known since its replica was lost while it ran */
    uint64_t exit_status;          /* 128+n: signal n; 124: timeout */
    uint64_t cpu_ms, rss_kib;
    uint64_t output_from, output_to;
};

/* What a replica should do now; each is stronger than the one before. */
enum cfsplit_order { CFSPLIT_GO_ON, CFSPLIT_FINISH, CFSPLIT_DRAIN, CFSPLIT_ABORT };

struct cfsplit_replica_options {
    uint64_t size;                  /* sizeof(struct cfsplit_replica_options) */
    uint32_t id;                    /* 1..R; 0: a spare, without a share */
    uint32_t reap_orphans;          /* 1: this is process 1 of a container */
    const char *source;             /* what gave the id, for the record */
    const char *const *environment; /* of the commands, NULL-terminated */
    struct cfsplit_run_options run; /* what is not CFSPLIT_UNSET wins over the plan's */
    int wake_fd;                    /* becomes readable when `wake` has something to say; -1: none */
    int reserved_;
    enum cfsplit_order (*wake)(void *context); /* called when wake_fd is readable */
    /* An attempt has ended and that is on disk and accepted. */
    void (*ended)(void *context, const struct cfsplit_attempt *attempt);
    void (*say)(void *context, const char *sentence); /* something a person should know */
    void *context;
    /* Numeric address that a queue in this replica listens at; "none": for this machine only; NULL: all of this host. */
    const char *bind;
};

struct cfsplit_replica_result {
    uint64_t started, done, failed, rejected, later, stopped, set_aside; /* accepted ends of this replica, by class */
    uint64_t not_started;                                                /* items it had and left */
    char name[28];                                                       /* "<id>-<nonce>" */
};

/* Is one replica of a run until nothing is left to take. Blocks. Errors: CFSPLIT_INCOMPLETE if items that it took failed,
 * CFSPLIT_STOPPED, CFSPLIT_USAGE if the command cannot be run, CFSPLIT_STORAGE (nothing lost), CFSPLIT_FENCED, CFSPLIT_DAMAGED.
 * *result is filled in any case. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_replica_run(struct cfsplit_run *run,
                                                                const struct cfsplit_replica_options *options,
                                                                struct cfsplit_replica_result *result,
                                                                struct cfsplit_error *err);

/* Processors that this container may use: affinity and cgroup quota, at least 1. */
CFSPLIT_API uint32_t cfsplit_processors(void);

/* ---- looking at a run */

struct cfsplit_survey;

/* Reads all that is known of a run. With `sync` what is read is on disk when this returns. Errors: CFSPLIT_DAMAGED with file
 * and offset, CFSPLIT_STORAGE. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_survey_new(struct cfsplit_run *run, bool sync,
                                                               struct cfsplit_survey **out, struct cfsplit_error *err);
/* Reads what is new. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_survey_refresh(struct cfsplit_survey *survey,
                                                                   struct cfsplit_error *err);
CFSPLIT_API void cfsplit_survey_free(struct cfsplit_survey *survey);

struct cfsplit_counts {
    uint64_t total;
    uint64_t by_state[6]; /* indexed by enum cfsplit_state; they add up to total */
    uint64_t duplicates;  /* items with more than one accepted end that says done */
    uint64_t torn_bytes;  /* behind the last whole group of journals: dropped, nothing before them lost */
    uint32_t replicas_expected, replicas_seen;
    uint64_t first_start_ms, last_end_ms; /* of a replica, of an item, by their clocks; 0: none yet */
    uint32_t working;                     /* lives that are at work, as far as can be seen */
    uint32_t unheard, silent, lost;       /* lives of that kind; lost: without a later start of the same replica */
    bool complete;                        /* every item is done or rejected */
};
CFSPLIT_API const struct cfsplit_counts *cfsplit_survey_counts(const struct cfsplit_survey *survey);

/* X(symbol, word): what one life of a replica can be */
#define CFSPLIT_LIFE_LIST(X)                                                                                           \
    X(CFSPLIT_LIFE_WORKING, "working")                                                                                 \
    X(CFSPLIT_LIFE_FINISHED, "finished")                                                                               \
    X(CFSPLIT_LIFE_LEFT, "stopped before the end")                                                                     \
    X(CFSPLIT_LIFE_LOST, "lost")                                                                                       \
    X(CFSPLIT_LIFE_UNKNOWN, "on another machine, not ended")                                                           \
    X(CFSPLIT_LIFE_SILENT, "silent")

enum cfsplit_life {
#define CFSPLIT_LIFE_ENUM_(symbol, word) symbol,
    CFSPLIT_LIFE_LIST(CFSPLIT_LIFE_ENUM_)
#undef CFSPLIT_LIFE_ENUM_
};
CFSPLIT_API const char *cfsplit_life_word(enum cfsplit_life life);

/* One life of one replica. Whether one on another machine is at work takes two looks: its beats go on, or it is silent. */
struct cfsplit_life_view {
    uint32_t replica; /* 0: a spare */
    uint32_t start;   /* which start of that replica, from 1 */
    enum cfsplit_life life;
    uint32_t reserved_;
    const char *name, *host;
    uint64_t started_ms;                      /* by its clock */
    uint64_t started, done, failed, rejected; /* attempts of its journal that count */
    uint64_t beats;                           /* how often it said that it is alive */
    const char *ended_by;                     /* the name of the life that took it for lost; NULL: nobody did */
};
/* Sorted by replica, then start. The survey's until the next refresh. */
CFSPLIT_API const struct cfsplit_life_view *cfsplit_survey_lives(const struct cfsplit_survey *survey, size_t *count);

/* The ids of replicas that never came, ascending. */
CFSPLIT_API const uint32_t *cfsplit_survey_missing(const struct cfsplit_survey *survey, size_t *count);

/* What a life took over of what another had or should have had. */
struct cfsplit_taken {
    size_t life;    /* its place in cfsplit_survey_lives */
    uint64_t items; /* of the pieces it has now, those that had ended included */
};

/* A line of the roll call: a life, or a replica that never came. */
struct cfsplit_roll {
    uint32_t replica; /* 0: a spare */
    uint32_t reserved_;
    const struct cfsplit_life_view *life; /* NULL: never came */
    uint64_t share;                       /* items that were planned for this replica */
    uint64_t waiting;                     /* items that it left or never took, and nobody has: pending */
    uint64_t queued;                      /* items of the pieces that it left and the queue took over */
    const struct cfsplit_taken *taken;    /* of a life that is lost or left early, or of who never came */
    size_t taken_count;
};
/* The roll call: the lives in their order, then the missing. Reads who has the pieces of those who are not there. The
 * survey's until the next refresh or roll call. Errors: CFSPLIT_DAMAGED, CFSPLIT_STORAGE. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_survey_roll(struct cfsplit_survey *survey,
                                                                const struct cfsplit_roll **out, size_t *count,
                                                                struct cfsplit_error *err);

/* A replica of a queue run that may be at work, as the one that hands out items told of it last. */
struct cfsplit_queue_worker {
    size_t life;        /* its place in cfsplit_survey_lives */
    uint16_t connected; /* 1: what follows up to heard_ms is known */
    uint16_t alone;     /* 1: goes on without the queue */
    uint16_t called;    /* 1: has called the one that hands out items now, heard or not */
    uint16_t reserved_;
    uint64_t slots, held, ended; /* items: at a time; it has now; since it connected */
    uint64_t mean_us;            /* of an item, lately; 0: not known */
    uint64_t heard_ms;           /* ago, when this was told */
    const uint64_t *running;     /* indexes of the items that it runs, by its journal, ascending */
    size_t running_count;
};

/* The queue of a run. */
struct cfsplit_queue_view {
    uint64_t number;        /* which one to hand out items, from 1; 0: nobody ever did */
    uint32_t replica;       /* the replica that it lives in; 0: a spare */
    uint32_t start;         /* which start of that replica; 0: not known */
    enum cfsplit_life life; /* of who hands out items */
    uint16_t leads;         /* 1: hands out items, as far as can be seen */
    uint16_t told;          /* 1: what follows up to held is known: of now if `leads`, else of its end */
    const char *name, *host;
    uint64_t connected, refused, strange; /* replicas; connections; messages that made no sense */
    uint64_t ready, held;                 /* items: to be handed out next; with replicas */
    const struct cfsplit_queue_worker *workers;
    size_t worker_count;
};
/* The queue, and the replicas that may be at work, in the order of cfsplit_survey_lives; *out is NULL for a run of another
 * strategy. The survey's until the next refresh or call. Errors: CFSPLIT_DAMAGED, CFSPLIT_STORAGE, CFSPLIT_MEMORY. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_survey_queue(struct cfsplit_survey *survey,
                                                                 const struct cfsplit_queue_view **out,
                                                                 struct cfsplit_error *err);

struct cfsplit_item_view {
    struct cfsplit_item item;
    uint64_t index;
    enum cfsplit_state state;
    uint32_t share;              /* the replica it was planned for; 0: whoever takes its block */
    struct cfsplit_attempt last; /* the last attempt; number 0: never started */
};
/* Item `index`. Valid until the next call on the survey. Reads blocks and journals as it needs them. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_survey_item(struct cfsplit_survey *survey, uint64_t index,
                                                                struct cfsplit_item_view *out,
                                                                struct cfsplit_error *err);
CFSPLIT_API enum cfsplit_state cfsplit_survey_state(const struct cfsplit_survey *survey, uint64_t index);

/* The life that took an item's block (or piece) last and may be at work on it, one of cfsplit_survey_lives; NULL: nobody has
 * it, yet or any more. Claims are read at the first call; an item view stays valid. Errors: CFSPLIT_DAMAGED, CFSPLIT_STORAGE,
 * CFSPLIT_MEMORY. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_survey_holder(struct cfsplit_survey *survey, uint64_t index,
                                                                  const struct cfsplit_life_view **out,
                                                                  struct cfsplit_error *err);

/* The index of the item of this name (the first, where there are several). Errors: CFSPLIT_USAGE if there is none. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_survey_find(struct cfsplit_survey *survey, const char *name,
                                                                uint64_t *index, struct cfsplit_error *err);

/* Hands every attempt (of one item, or of all: index UINT64_MAX) to `take`, a start that has no end included, replica by
 * replica in the order of the journals. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_survey_attempts(
    struct cfsplit_survey *survey, uint64_t index,
    cfsplit_status (*take)(void *context, const struct cfsplit_attempt *attempt, struct cfsplit_error *err),
    void *context, struct cfsplit_error *err);

/* How long the items of a list took in the run of the survey: took_ms[i], at least 1, of its accepted end as done or rejected. Items
 * that have no such end there (or are no items of it) get the median of all that have; *unknown is their number. Errors: CFSPLIT_USAGE
 * if the run has no such end at all, CFSPLIT_DAMAGED, CFSPLIT_STORAGE, CFSPLIT_MEMORY. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_survey_times(struct cfsplit_survey *survey,
                                                                 const struct cfsplit_list *list, uint64_t *took_ms,
                                                                 uint64_t *unknown, struct cfsplit_error *err);

/* Hands what an attempt printed to `take`. *torn: it ends in the middle. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status
cfsplit_output_read(struct cfsplit_run *run, const struct cfsplit_attempt *attempt,
                    cfsplit_status (*take)(void *context, const void *data, size_t length, struct cfsplit_error *err),
                    void *context, bool *torn, struct cfsplit_error *err);

/* Compares the frozen list with its digests. Errors: CFSPLIT_DAMAGED. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_run_check(const struct cfsplit_run *run, struct cfsplit_error *err);

/* ---- simulating: what strategies would take. Pure: no file, no clock; the same answer for the same seed. */

struct cfsplit_simulation_options {
    uint64_t size;    /* sizeof(struct cfsplit_simulation_options) */
    uint64_t is_time; /* 1: what items take is in microseconds; 0: in some unit, and a microsecond below is one of it */
    uint64_t
        dispatch; /* microseconds that a replica waits whenever it is handed something: a share, a piece, a batch */
    uint64_t start_spread; /* replicas come at random moments up to this one */
    uint64_t lose;         /* so many replicas die, each at a random moment of its first total/R at work */
    uint64_t stall_after;  /* after their death what they had is taken over */
    uint64_t adopt_after;  /* into the run, the shares of replicas that have not come are taken */
    uint64_t seed;         /* of all that is random */
};

#define CFSPLIT_NEVER UINT64_MAX

/* When all items have ended, in the unit of what they take. */
struct cfsplit_makespan {
    uint64_t makespan; /* CFSPLIT_NEVER: items stay that nobody takes */
    double over;       /* makespan over the lower bound; 0 for never */
    double idle;       /* the part of R replicas' time, up to then, in which they do no item; 0 for never */
};

struct cfsplit_outcome {
    double bound;                  /* max(total/R, largest): no strategy can be faster */
    struct cfsplit_makespan run;   /* as canfar-split run does it: who has nothing left takes pieces of others */
    struct cfsplit_makespan alone; /* static strategies: each replica does its own share and no more; else as run */
};

struct cfsplit_simulator;

/* Gets ready to simulate a list whose item i takes took[i] (0 counts as 1; NULL: its weight), while strategies go by the weights;
 * a replica does one item at a time. List and took are borrowed until it is freed. Memory 16 bytes an item and the names once more. Errors:
 * CFSPLIT_USAGE for an empty list or if it all takes longer than can be reckoned, CFSPLIT_MEMORY. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_simulator_new(const struct cfsplit_list *list, const uint64_t *took,
                                                                  const struct cfsplit_simulation_options *options,
                                                                  struct cfsplit_simulator **out,
                                                                  struct cfsplit_error *err);
CFSPLIT_API void cfsplit_simulator_free(struct cfsplit_simulator *simulator);

/* One strategy with R replicas. O(n log n). Errors: CFSPLIT_USAGE for a bad R, CFSPLIT_MEMORY. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_simulate(const struct cfsplit_simulator *simulator,
                                                             enum cfsplit_strategy strategy, uint32_t R,
                                                             struct cfsplit_outcome *out, struct cfsplit_error *err);

/* What to learn from the outcomes of several strategies with several numbers of replicas. */
struct cfsplit_advice {
    /* size, if it is at most 2% slower than the fastest everywhere; else so blocks, then queue; else the first that is so with as few
     * replicas as the fastest of these three needs; else of these the one that comes nearest to the fastest there */
    enum cfsplit_strategy strategy;
    uint32_t
        enough; /* of the numbers of replicas the smallest with which it takes at most 5% longer than with any other of them; 0: it
                         never ends */
    double over;   /* the largest that its makespan is over the lower bound */
    double behind; /* the largest that its makespan is over that of the fastest strategy of as many replicas */
};

/* outcomes[strategy * count + i] is that with replicas[i], ascending, at least one. Pure. */
CFSPLIT_API void cfsplit_simulation_advise(const struct cfsplit_outcome *outcomes, const uint32_t *replicas,
                                           size_t count, struct cfsplit_advice *out);

/* ---- orders */

/* Opens items of the survey that failed or were set aside again; *count is how many. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_retry(struct cfsplit_survey *survey, const uint64_t *indices,
                                                          uint64_t index_count, uint64_t *count,
                                                          struct cfsplit_error *err);

/* Tells all replicas that run now to take no more items; with `now` to end what runs, too. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_stop(struct cfsplit_run *run, bool now, struct cfsplit_error *err);

#ifdef __cplusplus
}
#endif
#endif
