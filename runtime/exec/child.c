#include "exec/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_ON_EXEC (1u << 2) /* CLOSE_RANGE_CLOEXEC */

/* What a child that could not exec says: in memory it shares with us, or else through the report pipe. */
struct report {
    int seen;   /* the child could write here: vfork shared its memory, so `number` is the whole truth */
    int number; /* errno, 0: none */
    int in_cwd; /* it was the folder that could not be entered */
};

/* Moves a descriptor to 3 or above. */
static int above_standard(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    return moved;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int csi_child_pipe(int fds[2])
{
    if (pipe2(fds, O_CLOEXEC) != 0) {
        fds[0] = fds[1] = -1;
        return errno;
    }
    for (int i = 0; i < 2; i++)
        fds[i] = above_standard(fds[i]);
    if (fds[0] >= 0 && fds[1] >= 0)
        return 0;
    int number = errno;
    close_fd(&fds[0]);
    close_fd(&fds[1]);
    return number;
}

cfsplit_status csi_child_maker_open(struct csi_child_maker *maker, struct cfsplit_error *err)
{
    *maker = (struct csi_child_maker){.report = {-1, -1}, .has_pidfd = true};
    maker->null_fd = above_standard(open("/dev/null", O_RDONLY | O_CLOEXEC));
    int number = maker->null_fd < 0 ? errno : 0;
    if (number == ENOENT) { /* a root without devices: a pipe that nobody writes to ends at once, too */
        int fds[2];
        number = csi_child_pipe(fds);
        maker->null_fd = fds[0];
        close_fd(&fds[1]);
    }
    if (number)
        return csi_fail_errno(err, csi_status_of_errno(number, CFSPLIT_USAGE), number, "cannot open '/dev/null'");
    return CFSPLIT_OK;
}

void csi_child_maker_close(struct csi_child_maker *maker)
{
    close_fd(&maker->null_fd);
    close_fd(&maker->report[0]);
    close_fd(&maker->report[1]);
}

/* Everything below, up to `launch`, runs in the child, in its parent's memory: system calls only. */

static void reset_signals(void)
{
    for (int sig = 1; sig <= SIGRTMAX; sig++)
        if (sig != SIGKILL && sig != SIGSTOP)
            signal(sig, SIG_DFL); /* a few numbers are the C library's own: it refuses them */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int take_place(const struct csi_child_maker *maker, const struct csi_child_request *request, pid_t parent)
{
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return errno;
    if (getppid() != parent) /* it died before we were bound to it */
        _exit(127);
    int input = request->input_fd ? request->input_fd : maker->null_fd;
    int errors = request->errors_fd ? request->errors_fd : request->output_fd;
    if (dup2(input, STDIN_FILENO) < 0 || dup2(request->output_fd, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0)
        return errno;
    syscall(SYS_close_range, STDERR_FILENO + 1, UINT_MAX, CLOSE_ON_EXEC); /* before Linux 5.11 we rely on O_CLOEXEC */
    reset_signals();
    return 0;
}

static void become(const struct csi_child_maker *maker, const struct csi_child_request *request, pid_t parent,
                   volatile struct report *report)
{
    report->seen = 1;
    report->in_cwd = request->cwd_fd >= 0 && fchdir(request->cwd_fd) != 0; /* first: it may be 0, 1 or 2 */
    report->number = report->in_cwd ? errno : take_place(maker, request, parent);
    if (report->number == 0) {
        execve(request->path, request->argv, request->envp ? request->envp : environ);
        report->number = errno;
    }
    struct report last = {.number = report->number, .in_cwd = report->in_cwd};
    if (write(maker->report[1], &last, sizeof last) < 0)
        _exit(126);
    _exit(127);
}

/* vfork with all signals blocked, so that no handler of ours runs in a child that shares our memory. -1 and errno. */
static pid_t launch(const struct csi_child_maker *maker, const struct csi_child_request *request,
                    volatile struct report *report)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): a copy of our page tables is too dear */
    if (pid == 0)
        become(maker, request, parent, report); /* NOLINT(clang-analyzer-unix.Vfork): system calls only */
    int number = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return pid;
}

/* Waits for the word of a child that does not share our memory: its end of the pipe is closed by exec. */
static void hear_report(struct csi_child_maker *maker, volatile struct report *report)
{
    struct report heard = {0};
    close_fd(&maker->report[1]);
    ssize_t got;
    do
        got = read(maker->report[0], &heard, sizeof heard);
    while (got < 0 && errno == EINTR);
    close_fd(&maker->report[0]);
    report->number = got == (ssize_t)sizeof heard ? heard.number : 0;
    report->in_cwd = heard.in_cwd;
}

static void reap(pid_t pid)
{
    pid_t got;
    do
        got = waitpid(pid, NULL, 0);
    while (got < 0 && errno == EINTR);
}

/* The errno that kept the child from its program, its number left in *pid otherwise. */
static cfsplit_status attempt(struct csi_child_maker *maker, const struct csi_child_request *request,
                              struct report *result, pid_t *pid, struct cfsplit_error *err)
{
    volatile struct report report = {0};
    int number = maker->report[0] < 0 ? csi_child_pipe(maker->report) : 0;
    *pid = number ? -1 : launch(maker, request, &report);
    if (*pid < 0)
        return csi_fail_errno(err, CFSPLIT_MEMORY, number ? number : errno, "cannot start a process");
    if (!report.seen)
        hear_report(maker, &report);
    *result = (struct report){.number = report.number, .in_cwd = report.in_cwd};
    if (report.number != 0)
        reap(*pid);
    return CFSPLIT_OK;
}

/* The same by /bin/sh, for a script without a #! line. */
static cfsplit_status attempt_by_shell(struct csi_child_maker *maker, const struct csi_child_request *request,
                                       struct report *result, pid_t *pid, struct cfsplit_error *err)
{
    static char shell[] = "/bin/sh";
    size_t count = 0;
    while (request->argv[count])
        count++;
    char **argv = calloc(count + 2, sizeof *argv);
    char *path = strdup(request->path);
    cfsplit_status status = CFSPLIT_MEMORY;
    if (argv && path && count > 0) {
        argv[0] = shell;
        argv[1] = path;
        memcpy(argv + 2, request->argv + 1, (count - 1) * sizeof *argv);
        struct csi_child_request by_shell = *request;
        by_shell.path = shell;
        by_shell.argv = argv;
        status = attempt(maker, &by_shell, result, pid, err);
    } else {
        csi_fail_memory(err);
    }
    free(path);
    free(argv);
    return status;
}

static cfsplit_status cannot_run(const char *program, int number, struct cfsplit_error *err)
{
    cfsplit_status status = number == EAGAIN ? CFSPLIT_MEMORY : csi_status_of_errno(number, CFSPLIT_USAGE);
    return csi_fail_errno(err, status, number, "cannot run %s", csi_quote(program).text);
}

static int open_pidfd(struct csi_child_maker *maker, pid_t pid)
{
    if (!maker->has_pidfd)
        return -1;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* closed on exec by itself */
    if (fd < 0 && errno != EMFILE && errno != ENFILE)
        maker->has_pidfd = false;
    return fd;
}

cfsplit_status csi_child_start(struct csi_child_maker *maker, const struct csi_child_request *request,
                               struct csi_child *out, struct cfsplit_error *err)
{
    struct report result = {0};
    *out = (struct csi_child){.pid = -1, .pidfd = -1};
    pid_t pid = -1;
    cfsplit_status status = attempt(maker, request, &result, &pid, err);
    if (status == CFSPLIT_OK && result.number == ENOEXEC)
        status = attempt_by_shell(maker, request, &result, &pid, err);
    if (status != CFSPLIT_OK)
        return status;
    if (result.in_cwd)
        return csi_fail_errno(err, csi_status_of_errno(result.number, CFSPLIT_USAGE), result.number,
                              "cannot enter the working directory");
    if (result.number != 0)
        return cannot_run(request->argv[0], result.number, err);
    out->pid = pid;
    out->pidfd = open_pidfd(maker, pid);
    return CFSPLIT_OK;
}

/* 0 if the file may be executed, else why not. */
static int check_program(int cwd_fd, const char *path)
{
    struct stat st;
    int dir = cwd_fd < 0 ? AT_FDCWD : cwd_fd;
    if (fstatat(dir, path, &st, 0) != 0)
        return errno;
    if (!S_ISREG(st.st_mode))
        return EACCES;
    return faccessat(dir, path, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* Looks in every folder of `search`, an empty one being the current; 0, or EACCES if one had it but not to be executed. */
static int search_folders(int cwd_fd, const char *program, const char *search, struct csi_buf *path)
{
    int result = ENOENT;
    for (const char *end; search; search = *end ? end + 1 : NULL) {
        end = strchrnul(search, ':');
        csi_buf_clear(path);
        csi_buf_add(path, end > search ? search : ".", end > search ? (size_t)(end - search) : 1);
        csi_buf_add_char(path, '/');
        csi_buf_add_text(path, program);
        int number = path->failed ? ENOMEM : check_program(cwd_fd, path->data);
        if (number == 0 || number == ENOMEM)
            return number;
        if (number == EACCES)
            result = EACCES;
    }
    return result;
}

cfsplit_status csi_child_find(int cwd_fd, const char *program, const char *search, char **out,
                              struct cfsplit_error *err)
{
    struct csi_buf path = CSI_BUF_INIT;
    *out = NULL;
    int number;
    if (program[0] == '\0')
        number = ENOENT;
    else if (!strchr(program, '/'))
        number = search_folders(cwd_fd, program, search ? search : "/usr/local/bin:/bin:/usr/bin", &path);
    else {
        csi_buf_add_text(&path, program);
        number = path.failed ? ENOMEM : check_program(cwd_fd, program);
    }
    if (number != 0) {
        csi_buf_release(&path);
        return cannot_run(program, number, err);
    }
    *out = path.data;
    return CFSPLIT_OK;
}
