/* One child process: finding its program, and starting it.
 *
 * A child begins by vfork(2), never fork(2): a parent that holds a list of ten million names would pay for copying its page
 * tables with every item. It is born
 *   - in a process group of its own, so that a signal can reach all that it started;
 *   - bound to die (SIGKILL) with the *thread* that started it: start from a thread that lives as long as the children;
 *   - with stdin, stdout and stderr as asked for, and no other descriptor of ours;
 *   - with every signal at its default and none blocked, whatever the caller does with signals. */
#ifndef CSI_EXEC_CHILD_H
#define CSI_EXEC_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include <cfsplit/error.h>

/* What starting takes, opened once. */
struct csi_child_maker {
    int null_fd;
    int report[2];  /* a failed exec is told here where vfork shares no memory (valgrind, TSan); -1: none */
    bool has_pidfd; /* false once the kernel said that it knows none (before Linux 5.3); may be cleared by the caller */
};

struct csi_child_request {
    const char *path;  /* the program's file; relative to cwd_fd */
    char *const *argv; /* argv[0] is what messages call it */
    char *const *envp; /* NULL: our own environment */
    int cwd_fd;        /* folder to run in; -1: ours */
    int input_fd;      /* its stdin, 3 or above; 0: /dev/null */
    int output_fd;     /* its stdout, 3 or above */
    int errors_fd;     /* its stderr, 3 or above; 0: the same as its stdout */
};

struct csi_child {
    pid_t pid; /* also its process group */
    int pidfd; /* readable when the process has ended; -1: the kernel has none. The caller's to close. */
};

CFSPLIT_MUST_USE cfsplit_status csi_child_maker_open(struct csi_child_maker *maker, struct cfsplit_error *err);
void csi_child_maker_close(struct csi_child_maker *maker);

/* Starts a child; returns when its program runs. A file that is no program and has no #! line is run by /bin/sh, as
 * execvp(3) does. Nothing is left behind on failure. Errors: CFSPLIT_USAGE with err->system_errno if the program cannot be
 * run ("cannot run './one.sh': Permission denied") or the folder not entered; CFSPLIT_STORAGE for EIO and the like;
 * CFSPLIT_MEMORY if there can be no more processes or descriptors now. */
CFSPLIT_MUST_USE cfsplit_status csi_child_start(struct csi_child_maker *maker, const struct csi_child_request *request,
                                                struct csi_child *out, struct cfsplit_error *err);

/* Finds the file of a program as execvp(3) would in the folder cwd_fd (-1: ours) with that PATH (NULL: the system's
 * default): a name with a '/' is itself, any other the first match in PATH. *out, to be freed, is a path that works from
 * that folder, absolute where PATH is. Errors: as csi_child_start for what does not exist, may not be executed, or is no
 * regular file. */
CFSPLIT_MUST_USE cfsplit_status csi_child_find(int cwd_fd, const char *program, const char *search, char **out,
                                               struct cfsplit_error *err);

/* pipe(2), closed on exec, with both ends at 3 or above even if the caller runs without stdin. 0, or an errno. */
int csi_child_pipe(int fds[2]);

#endif
