/* Running scripts in csi_exec, and waiting for what they do without sleeping: a script says through a fifo that it is up,
 * or waits for one to be written to. Everything is in a folder of its own, the scripts' working directory. */
#ifndef TESTS_LIB_RUNNER_H
#define TESTS_LIB_RUNNER_H

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "exec/exec.h"
#include "lib/check.h"

#define RUNNER_TAGS 8

struct runner {
    char dir[64];
    int dir_fd;
    struct csi_exec *exec;
    unsigned slots;
    struct csi_buf output[RUNNER_TAGS]; /* by tag */
    unsigned pieces;
    size_t largest_piece;
    cfsplit_status answer; /* of the sink */
};

static struct cfsplit_error err;

/* Valgrind ends a child whose exec fails in the kernel, for reasons that it did not foresee. */
static inline bool runner_under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload");
}

static inline cfsplit_status runner_sink(void *ctx, uint64_t tag, const void *data, size_t length,
                                         struct cfsplit_error *error)
{
    struct runner *r = ctx;
    csi_buf_add(&r->output[tag], data, length);
    r->pieces++;
    r->largest_piece = length > r->largest_piece ? length : r->largest_piece;
    return r->answer == CFSPLIT_OK ? CFSPLIT_OK : csi_fail(error, r->answer, "the sink is full");
}

/* Opens with options whose cwd_fd is filled in. */
static inline void runner_open(struct runner *r, struct csi_exec_options options)
{
    *r = (struct runner){.dir = "/tmp/cfsplit-exec-XXXXXX", .slots = options.slots};
    CU_ASSERT_FATAL(mkdtemp(r->dir) != NULL);
    r->dir_fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    options.cwd_fd = r->dir_fd;
    struct csi_exec_sink sink = {r, runner_sink};
    CHECK_OK(csi_exec_new(&options, &sink, &r->exec, &err));
    CU_ASSERT_FATAL(r->exec != NULL);
}

static inline int runner_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void runner_close(struct runner *r)
{
    csi_exec_free(r->exec);
    for (int i = 0; i < RUNNER_TAGS; i++)
        csi_buf_release(&r->output[i]);
    close(r->dir_fd);
    nftw(r->dir, runner_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline const char *runner_output(const struct runner *r, uint64_t tag)
{
    return r->output[tag].data ? r->output[tag].data : "";
}

/* Writes a file that scripts see. */
static inline void runner_put(const struct runner *r, const char *name, const char *text, mode_t mode)
{
    int fd = openat(r->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(fchmod(fd, mode) == 0);
    close(fd);
}

static inline void runner_fifo(const struct runner *r, const char *name)
{
    CHECK(mkfifoat(r->dir_fd, name, 0600) == 0);
}

/* Waits until a script has opened a fifo to write, and for its first bytes; the open end, to see it close. */
static inline int runner_hear(const struct runner *r, const char *name, char *text, size_t room)
{
    int fd = openat(r->dir_fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(fd, text, room - 1);
    text[got > 0 ? got : 0] = '\0';
    return fd;
}

/* The same, for a script that merely says that it is up. */
static inline void runner_await(const struct runner *r, const char *name)
{
    char text[64];
    close(runner_hear(r, name, text, sizeof text));
}

/* Lets a script go on that reads from a fifo. */
static inline void runner_release(const struct runner *r, const char *name)
{
    int fd = openat(r->dir_fd, name, O_WRONLY | O_CLOEXEC);
    CHECK(write(fd, "go\n", 3) == 3);
    close(fd);
}

/* Waits until all writers of a fifo are gone. */
static inline void runner_await_close(int fd)
{
    char rest[64];
    while (read(fd, rest, sizeof rest) > 0)
        continue;
    close(fd);
}

static inline pid_t runner_start_env(struct runner *r, const char *script, char *const *envp, uint64_t tag)
{
    static char sh[] = "/bin/sh", c[] = "-c";
    char *copy = strdup(script);
    char *argv[] = {sh, c, copy, NULL};
    pid_t pgid = -1;
    CHECK_OK(csi_exec_start(r->exec, argv, sh, envp, tag, csi_clock_mono_ms(), &pgid, &err));
    free(copy);
    return pgid;
}

static inline pid_t runner_start(struct runner *r, const char *script, uint64_t tag)
{
    return runner_start_env(r, script, NULL, tag);
}

static inline struct csi_exec_end runner_await_end(struct runner *r)
{
    struct csi_exec_end end = {0};
    CU_ASSERT_FATAL(csi_exec_free_slots(r->exec) < r->slots);
    while (!csi_exec_take_end(r->exec, &end))
        CHECK_OK(csi_exec_poll(r->exec, NULL, 0, -1, &err));
    return end;
}

static inline struct csi_exec_end runner_run(struct runner *r, const char *script)
{
    runner_start(r, script, 0);
    return runner_await_end(r);
}

#endif
