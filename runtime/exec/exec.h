/* The slots: commands that run at the same time, their output, and how they ended.
 *
 * One thread, no signal handlers, nothing process-wide. The caller's loop is
 *
 *     while (there is something to do) {
 *         while (csi_exec_free_slots(exec) > 0 && there is an item)
 *             csi_exec_start(exec, ...);
 *         csi_exec_poll(exec, extra, count, patience_ms, err);
 *         while (csi_exec_take_end(exec, &end))
 *             write down how `end.tag` ended;
 *     }
 *
 * An attempt ends when the process that was started ends. What it left in its process group is sent SIGKILL at that moment,
 * before the number of the group is free again: a system call that it is in may still finish, nothing begins. What went to
 * another session (setsid) escapes.
 * With csi_exec_keep, csi_exec_give stands for csi_exec_start: a command is started once a slot and gets an item at a time on
 * its stdin (keep.h). An attempt ends with its answer, or with the command; then the next item is for a new one. A command
 * that ended without having read anything of its item has not had it: the item goes to a new one in the same attempt, unless
 * CSI_EXEC_MUTE_LIVES commands in a row have ended so without ever answering.
 *
 * The children are reaped one by one, never by wait(-1): other children are the caller's. In turn the caller must not reap
 * ours (csi_exec_owns), nor ignore SIGCHLD, and must start from a thread that lives as long as they do (child.h). */
#ifndef CSI_EXEC_EXEC_H
#define CSI_EXEC_EXEC_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "exec/answers.h"

struct csi_exec_options {
    unsigned slots;         /* attempts at a time, at least 1 */
    bool no_pidfd;          /* do as on a kernel before Linux 5.3: look every few milliseconds instead of being told */
    uint64_t output_limit;  /* bytes kept of what an attempt prints (capture.h); 0: none */
    uint64_t timeout_ms;    /* an attempt may take; 0: any time */
    uint64_t kill_after_ms; /* from SIGTERM to SIGKILL of one that took too long; 0: 10,000 */
    int cwd_fd;             /* folder to run in, borrowed until free; -1: ours */
};

/* Where output goes: called within csi_exec_poll with up to 64 KiB at a time, a second after the first byte at the latest,
 * and at the end. The pieces of different tags come interleaved. A failure is poll's failure, and the piece is lost. NULL:
 * output is counted and thrown away. */
struct csi_exec_sink {
    void *ctx;
    cfsplit_status (*output)(void *ctx, uint64_t tag, const void *data, size_t length, struct cfsplit_error *err);
};

struct csi_exec_end {
    uint64_t tag;
    int wait_status;   /* as of wait(2): WIFEXITED and the rest tell */
    bool timed_out;    /* took too long and was told to end; it may still have ended by itself, with 0 even */
    bool killed_by_us; /* had csi_exec_signal_all or _kill_all sent to it before it ended */
    uint64_t started_ms;
    uint64_t ended_ms;
    uint64_t user_ms; /* processor time, of all its children that it waited for too */
    uint64_t system_ms;
    uint64_t max_rss_bytes; /* of the largest process; never less than ours when it was started, as vfork has it */
    uint64_t output_bytes;  /* printed */
    uint64_t dropped_bytes; /* of these, not kept */
    char last_line[208]; /* the last one with something in it, up to 200 bytes, "" if none; or the text of an answer */
    enum csi_answer answer; /* of a command that is kept; wait_status is that of exit 0 for done, 1 for others, and
                               max_rss_bytes unknown: 0. NONE: the command has ended instead */
    bool untaken;           /* ... and no command has read anything of the item */
};

struct csi_exec;

/* Errors: CFSPLIT_MEMORY, CFSPLIT_USAGE for no slots or no /dev/null. */
CFSPLIT_MUST_USE cfsplit_status csi_exec_new(const struct csi_exec_options *options, const struct csi_exec_sink *sink,
                                             struct csi_exec **out, struct cfsplit_error *err);

/* Kills and reaps what still runs, waiting up to 5 s for what hangs in the kernel; the sink is not called any more. */
void csi_exec_free(struct csi_exec *exec);

/* Starts argv, whose file is `path` (csi_child_find), in a free slot, with the environment envp (NULL: ours). `tag` is the
 * caller's name for the attempt; *pgid, which may be NULL, its process group. Everything is copied or used up at return.
 * Errors: those of csi_child_start, with err->system_errno and the slot still free: then nothing was started. */
CFSPLIT_MUST_USE cfsplit_status csi_exec_start(struct csi_exec *exec, char *const *argv, const char *path,
                                               char *const *envp, uint64_t tag, uint64_t now_ms, pid_t *pgid,
                                               struct cfsplit_error *err);

/* ---- a command that is kept */

enum { CSI_EXEC_MUTE_LIVES = 3 };

/* Borrowed until free. */
struct csi_exec_kept {
    char *const *argv;
    const char *path;
    char *const *envp;
    char end; /* of an item: newline or NUL */
};

/* From now on all slots keep this command; before anything is started. */
void csi_exec_keep(struct csi_exec *exec, const struct csi_exec_kept *command);

/* Gives an item, which must not have its end in it, to a command in a free slot, which is started if none is idle. Errors: as
 * csi_exec_start. */
CFSPLIT_MUST_USE cfsplit_status csi_exec_give(struct csi_exec *exec, const char *item, size_t length, uint64_t tag,
                                              uint64_t now_ms, struct cfsplit_error *err);

/* A command that ended by itself while it had no item, and not well. */
struct csi_exec_loss {
    int wait_status;
    const char *fault; /* what it was killed for; NULL: nothing */
};

/* The last one since this was asked; false if there is none. */
bool csi_exec_take_loss(struct csi_exec *exec, struct csi_exec_loss *loss);

/* No more items come: commands without one have their stdin closed, and `grace_ms` to end; then SIGTERM, and SIGKILL. Poll
 * until csi_exec_living says 0. */
void csi_exec_close_kept(struct csi_exec *exec, uint64_t grace_ms, uint64_t now_ms);

unsigned csi_exec_living(const struct csi_exec *exec); /* children that are not reaped */

/* ---- */

/* An ended attempt has its slot until its end is taken, a command that was told to end has it until it has ended. */
unsigned csi_exec_free_slots(const struct csi_exec *exec);
unsigned csi_exec_running(const struct csi_exec *exec);
bool csi_exec_owns(const struct csi_exec *exec, pid_t pid); /* is it a child that we shall reap? */

/* Waits, once, for something to happen: output, an end, one of the caller's `extra` descriptors (revents set as poll(2)
 * does), the next due time, `timeout_ms` (-1: for ever) or a signal; does what is due, at most 64 KiB of reading for each
 * slot; returns. It does not wait while there are ends to be taken; with nothing running, only for `extra` and the time.
 * Errors: the sink's; CFSPLIT_MEMORY; CFSPLIT_USAGE if somebody else reaped a child of ours. All slots are served even so,
 * and the first failure is returned. */
CFSPLIT_MUST_USE cfsplit_status csi_exec_poll(struct csi_exec *exec, struct pollfd *extra, size_t extra_count,
                                              int timeout_ms, struct cfsplit_error *err);

/* The next ended attempt, all of whose output has gone to the sink; false if there is none. Its slot is free then. */
bool csi_exec_take_end(struct csi_exec *exec, struct csi_exec_end *end);

/* Sends a signal to the process group of every child. kill_all is that with SIGKILL. */
void csi_exec_signal_all(struct csi_exec *exec, int sig);
void csi_exec_kill_all(struct csi_exec *exec);

#endif
