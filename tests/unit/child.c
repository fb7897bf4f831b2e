/* Finding a program, and what a child is born with. */
#include "exec/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "lib/runner.h"

static const struct csi_exec_options two_slots = {.slots = 2, .output_limit = 100000};

/* Tries to start `program`; the errno. */
static int start_failure(struct runner *r, const char *program)
{
    char *copy = strdup(program), *argv[] = {copy, NULL};
    err = (struct cfsplit_error){0};
    cfsplit_status status = csi_exec_start(r->exec, argv, program, NULL, 0, csi_clock_mono_ms(), NULL, &err);
    CHECK_EQUAL(status, err.system_errno == ENOMEM ? CFSPLIT_MEMORY : CFSPLIT_USAGE);
    CHECK_EQUAL(csi_exec_free_slots(r->exec), 2);
    CHECK_EQUAL(csi_exec_running(r->exec), 0);
    free(copy);
    return err.system_errno;
}

static void what_cannot_run_is_told_apart(void)
{
    struct runner r;
    runner_open(&r, two_slots);
    runner_put(&r, "plain", "#!/bin/sh\n", 0644);
    runner_put(&r, "lost", "#!/nonexistent/interpreter\n", 0755);
    CHECK_EQUAL(start_failure(&r, "./missing"), ENOENT);
    CHECK_TEXT(err.message, "cannot run './missing': No such file or directory");
    CHECK_EQUAL(start_failure(&r, "./plain"), EACCES);
    CHECK_TEXT(err.message, "cannot run './plain': Permission denied");
    CHECK_EQUAL(start_failure(&r, "/"), EACCES);
    CHECK_EQUAL(start_failure(&r, "./plain/x"), ENOTDIR);
    if (!runner_under_valgrind())
        CHECK_EQUAL(start_failure(&r, "./lost"), ENOENT);
    struct csi_exec_end end = runner_run(&r, "exit 127");
    CHECK(WIFEXITED(end.wait_status));
    CHECK_EQUAL(WEXITSTATUS(end.wait_status), 127);
    runner_close(&r);
}

static void argument_can_be_too_long(void)
{
    if (runner_under_valgrind())
        return;
    struct runner r;
    runner_open(&r, two_slots);
    char *item = malloc(300001);
    memset(item, 'x', 300000);
    item[300000] = '\0';
    static char name[] = "/bin/true";
    char *argv[] = {name, item, NULL};
    CHECK_EQUAL(csi_exec_start(r.exec, argv, name, NULL, 0, 0, NULL, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "cannot run '/bin/true': Argument list too long");
    free(item);
    runner_close(&r);
}

static void script_without_interpreter_runs(void)
{
    struct runner r;
    runner_open(&r, two_slots);
    runner_put(&r, "one.sh", "echo \"$0|$1|$2\"; exit 5\n", 0755);
    static char name[] = "./one.sh", a[] = "a b", b[] = "-c";
    char *argv[] = {name, a, b, NULL};
    CHECK_OK(csi_exec_start(r.exec, argv, name, NULL, 0, csi_clock_mono_ms(), NULL, &err));
    struct csi_exec_end end = runner_await_end(&r);
    CHECK_EQUAL(WEXITSTATUS(end.wait_status), 5);
    CHECK_TEXT(runner_output(&r, 0), "./one.sh|a b|-c\n");
    runner_close(&r);
}

static void folder_is_the_given_one(void)
{
    struct runner r;
    char line[128];
    runner_open(&r, two_slots);
    runner_run(&r, "pwd -P");
    snprintf(line, sizeof line, "%s\n", r.dir);
    CHECK_TEXT(runner_output(&r, 0), line);
    runner_close(&r);
}

static void folder_that_is_none_is_told_apart(void)
{
    struct csi_exec *exec;
    struct csi_exec_options options = {.slots = 1, .cwd_fd = open("/dev/null", O_RDONLY | O_CLOEXEC)};
    static char name[] = "/bin/true";
    char *argv[] = {name, NULL};
    CHECK_OK(csi_exec_new(&options, NULL, &exec, &err));
    CHECK_EQUAL(csi_exec_start(exec, argv, name, NULL, 0, 0, NULL, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "cannot enter the working directory: Not a directory");
    csi_exec_free(exec);
    close(options.cwd_fd);
}

static void environment_is_the_given_one(void)
{
    struct runner r;
    static char a[] = "CANFAR_SPLIT_ITEM=x  y";
    char *envp[] = {a, NULL};
    runner_open(&r, two_slots);
    setenv("CFSPLIT_TEST_OURS", "ours", 1);
    runner_start_env(&r, "echo \"$CANFAR_SPLIT_ITEM|$CFSPLIT_TEST_OURS\"", envp, 0);
    runner_await_end(&r);
    runner_start_env(&r, "echo \"$CANFAR_SPLIT_ITEM|$CFSPLIT_TEST_OURS\"", NULL, 1);
    runner_await_end(&r);
    CHECK_TEXT(runner_output(&r, 0), "x  y|\n");
    CHECK_TEXT(runner_output(&r, 1), "|ours\n");
    runner_close(&r);
}

static void only_three_descriptors_are_open(void)
{
    struct runner r;
    runner_open(&r, two_slots);
    bool kernel_can = syscall(SYS_close_range, 100000, 100000, 1u << 2) == 0;
    int careless = kernel_can ? dup(STDERR_FILENO) : -1; /* open in the child but for close_range */
    runner_start(&r, "exec cat", 1);
    runner_await_end(&r);
    runner_run(&r, "readlink /proc/$$/fd/0; ls /proc/$$/fd; :");
    CHECK_TEXT(runner_output(&r, 0), "/dev/null\n0\n1\n2\n");
    CHECK_TEXT(runner_output(&r, 1), "");
    close(careless);
    runner_close(&r);
}

static void caller_without_standard_descriptors(void)
{
    struct runner r;
    int kept[3];
    fflush(stdout);
    for (int i = 0; i < 3; i++)
        kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
    for (int i = 0; i < 3; i++)
        close(i);
    runner_open(&r, two_slots);
    struct csi_exec_end end = runner_run(&r, "readlink /proc/$$/fd/0; echo to 1; echo to 2 >&2");
    for (int i = 0; i < 3; i++) {
        dup2(kept[i], i);
        close(kept[i]);
    }
    CHECK_EQUAL(end.wait_status, 0);
    CHECK_TEXT(runner_output(&r, 0), "/dev/null\nto 1\nto 2\n");
    csi_exec_free(r.exec);
    r.exec = NULL;
    CHECK(fcntl(STDOUT_FILENO, F_GETFD) == 0);
    r.dir_fd = -1;
    runner_close(&r);
}

static void signals_are_at_their_defaults(void)
{
    struct runner r;
    sigset_t block, before;
    runner_open(&r, two_slots);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigaddset(&block, SIGCHLD);
    sigprocmask(SIG_BLOCK, &block, &before);
    static char grep[] = "/bin/grep", expression[] = "^Sig[BI]", status[] = "/proc/self/status";
    char *argv[] = {grep, expression, status, NULL};
    CHECK_OK(csi_exec_start(r.exec, argv, grep, NULL, 0, csi_clock_mono_ms(), NULL, &err));
    sigset_t after;
    sigprocmask(SIG_SETMASK, &before, &after);
    CHECK_EQUAL(sigismember(&after, SIGTERM), 1);
    CHECK_EQUAL(sigismember(&after, SIGINT), 0);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
    runner_await_end(&r);
    CHECK_TEXT(runner_output(&r, 0), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    runner_close(&r);
}

static void group_is_its_own(void)
{
    struct runner r;
    runner_open(&r, two_slots);
    runner_fifo(&r, "up");
    runner_fifo(&r, "go");
    pid_t pgid = runner_start(&r, "echo >up; read x <go", 0);
    runner_await(&r, "up");
    CHECK_EQUAL(getpgid(pgid), pgid);
    CHECK(csi_exec_owns(r.exec, pgid));
    CHECK(!csi_exec_owns(r.exec, getpid()));
    runner_release(&r, "go");
    runner_await_end(&r);
    CHECK(!csi_exec_owns(r.exec, pgid));
    runner_close(&r);
}

static void child_dies_with_its_parent(void)
{
    struct runner r;
    char text[16];
    runner_open(&r, two_slots);
    runner_fifo(&r, "up");
    pid_t middle = fork();
    if (middle == 0) {
        runner_start(&r, "exec >up; echo up; exec sleep 1000", 0);
        for (;;)
            pause();
    }
    int fd = runner_hear(&r, "up", text, sizeof text);
    CHECK_TEXT(text, "up\n");
    kill(middle, SIGKILL);
    runner_await_close(fd);
    CHECK_EQUAL(waitpid(middle, NULL, 0), middle);
    runner_close(&r);
}

/* What is found for a program in `search`, from the runner's folder. */
static const char *find(const struct runner *r, const char *program, const char *search)
{
    static char found[256];
    char *path;
    if (csi_child_find(r->dir_fd, program, search, &path, &err) != CFSPLIT_OK)
        return strerror(err.system_errno);
    snprintf(found, sizeof found, "%s", path);
    free(path);
    return found;
}

static void programs_are_found_as_execvp_does(void)
{
    struct runner r;
    char search[256], wanted[128];
    runner_open(&r, two_slots);
    CHECK(mkdirat(r.dir_fd, "a", 0700) == 0 && mkdirat(r.dir_fd, "b", 0700) == 0);
    CHECK(mkdirat(r.dir_fd, "a/folder", 0700) == 0);
    runner_put(&r, "a/plain", "", 0644);
    runner_put(&r, "b/plain", "", 0755);
    runner_put(&r, "b/tool", "", 0755);
    runner_put(&r, "here", "", 0755);
    snprintf(search, sizeof search, "/nonexistent:%s/a:%s/b", r.dir, r.dir);
    snprintf(wanted, sizeof wanted, "%s/b/tool", r.dir);
    CHECK_TEXT(find(&r, "tool", search), wanted);
    snprintf(wanted, sizeof wanted, "%s/b/plain", r.dir);
    CHECK_TEXT(find(&r, "plain", search), wanted);
    CHECK_TEXT(find(&r, "folder", search), "Permission denied");
    CHECK_TEXT(find(&r, "missing", search), "No such file or directory");
    CHECK_TEXT(err.message, "cannot run 'missing': No such file or directory");
    CHECK_TEXT(find(&r, "", search), "No such file or directory");
    CHECK_TEXT(find(&r, "here", search), "No such file or directory");
    CHECK_TEXT(find(&r, "here", "/nonexistent:"), "./here");
    CHECK_TEXT(find(&r, "here", ""), "./here");
    CHECK_TEXT(find(&r, "tool", "a:b"), "b/tool");
    CHECK_TEXT(find(&r, "./here", search), "./here");
    CHECK_TEXT(find(&r, "a/plain", search), "Permission denied");
    CHECK_TEXT(find(&r, "a/folder", search), "Permission denied");
    CHECK_TEXT(find(&r, "c/x", search), "No such file or directory");
    CHECK(find(&r, "sh", NULL)[0] == '/');
    runner_close(&r);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"what cannot be run is told apart from a command that exits 127", what_cannot_run_is_told_apart},
        {"an argument that is too long is told, not a crash", argument_can_be_too_long},
        {"a script without #! is run by /bin/sh", script_without_interpreter_runs},
        {"a child runs in the folder given", folder_is_the_given_one},
        {"a folder that cannot be entered is told apart", folder_that_is_none_is_told_apart},
        {"a child has the environment given, or ours", environment_is_the_given_one},
        {"a child sees descriptors 0, 1 and 2 only, and /dev/null on 0", only_three_descriptors_are_open},
        {"a caller whose own 0, 1 and 2 are closed can start children", caller_without_standard_descriptors},
        {"a child has no signal blocked or ignored, whatever the caller does", signals_are_at_their_defaults},
        {"a child leads a process group of its own", group_is_its_own},
        {"a child dies when its parent is killed", child_dies_with_its_parent},
        {"programs are found as execvp finds them", programs_are_found_as_execvp_does},
    };
    return check_main("children", cases, sizeof cases / sizeof *cases);
}
