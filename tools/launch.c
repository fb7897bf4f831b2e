/* canfar-split launch --on local: all replicas of a run on this machine, one bar, verify's verdict. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "look.h"
#include "signals.h"

struct launch {
    struct cfsplit_run *run;
    struct cfsplit_survey *survey;
    struct signals signals;
    pid_t *pids; /* one for each replica; 0: has ended */
    uint32_t count, alive;
    int worst; /* exit code of a replica that says more than verify can */
    time_t started, last_line;
    bool terminal;
    int talk; /* what the replicas say on stderr, so that it does not run into the bar */
};

/* The words of one replica's command line. */
struct words {
    char *argv[32];
    size_t count;
    bool failed;
};

static void add_word(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_word(struct words *w, const char *format, ...)
{
    va_list args;
    char *word = NULL;
    va_start(args, format);
    if (vasprintf(&word, format, args) < 0)
        w->failed = true;
    else
        w->argv[w->count++] = word;
    va_end(args);
}

static void add_codes(struct words *w, const char *name, const struct cfsplit_exit_codes *codes)
{
    char list[4 * 256] = "";
    int n = 0;
    for (unsigned c = 1; c < 256; c++)
        if (codes->bits[c / 64] >> c % 64 & 1)
            n += snprintf(list + n, sizeof list - (size_t)n, "%s%u", n ? "," : "", c);
    if (codes->is_set)
        add_word(w, "--%s=%s", name, list);
}

/* The processors are divided among the replicas, unless -j or the plan says otherwise. */
static uint64_t slots_of(const struct launch *l, const struct settings *s)
{
    if (s->run.slots != CFSPLIT_UNSET)
        return s->run.slots;
    if (cfsplit_run_facts(l->run)->options.slots != CFSPLIT_UNSET)
        return cfsplit_run_facts(l->run)->options.slots;
    uint64_t each = cfsplit_processors() / l->count;
    return each ? each : 1;
}

/* What launch was told goes on to its replicas. */
static void add_options(struct words *w, const struct launch *l, const struct settings *s)
{
    const struct {
        const char *name;
        uint64_t value;
        const char *unit;
    } numbers[] = {
        {"retries", s->run.retries, ""},
        {"timeout", s->run.timeout_ms, "ms"},
        {"max-fails", s->run.max_fails, ""},
        {"output-limit", s->run.output_limit, ""},
        {"grace", s->run.grace_ms, "ms"},
        {"sync-every", s->run.sync_every_ms, "ms"},
        {"stall-after", s->run.stall_after_ms, "ms"},
        {"adopt-after", s->run.adopt_after_ms, "ms"},
        {"crash-limit", s->run.crash_limit, ""},
    };
    uint64_t slots = slots_of(l, s);
    if (slots == 0)
        add_word(w, "--jobs=auto");
    else
        add_word(w, "--jobs=%" PRIu64, slots);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].value != CFSPLIT_UNSET)
            add_word(w, "--%s=%" PRIu64 "%s", numbers[i].name, numbers[i].value, numbers[i].unit);
    add_codes(w, "reject-exit", &s->run.reject_exit);
    add_codes(w, "later-exit", &s->run.later_exit);
    if (s->run.no_adopt == 1)
        add_word(w, "--no-adopt");
    if (s->run.keep != CFSPLIT_UNSET)
        add_word(w, "--keep");
    if (s->null)
        add_word(w, "--null");
}

static int spawn(struct words *w, int talk, pid_t *pid)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0); /* Ctrl-C comes to us alone, and we pass it on as one order */
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, talk, STDERR_FILENO);
    int failed = posix_spawn(pid, w->argv[0], &files, &attributes, w->argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

static cfsplit_status start_one(struct launch *l, const struct settings *s, uint32_t id, int talk,
                                struct cfsplit_error *err)
{
    struct words w = {.count = 0};
    char program[4096];
    const char *path = cfsplit_run_facts(l->run)->path;
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0)
        return tool_fail(err, CFSPLIT_USAGE, "cannot find my own program in /proc: %s", strerror(errno));
    program[n] = '\0';
    add_word(&w, "%s", program);
    add_word(&w, "run");
    add_word(&w, "%s%s", path[0] == '-' ? "./" : "", path);
    add_word(&w, "--replica=%" PRIu32 "/%" PRIu32, id, l->count);
    add_options(&w, l, s);
    int failed = w.failed ? ENOMEM : spawn(&w, talk, &l->pids[id - 1]);
    while (w.count > 0)
        free(w.argv[--w.count]);
    if (failed)
        return tool_fail(err, CFSPLIT_MEMORY, "cannot start replica %" PRIu32 ": %s", id, strerror(failed));
    l->alive++;
    return CFSPLIT_OK;
}

static void signal_all(const struct launch *l, int number)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (l->pids[i])
            kill(l->pids[i], number);
}

static void note_end(struct launch *l, uint32_t i, int status)
{
    l->pids[i] = 0;
    l->alive--;
    if (WIFSIGNALED(status))
        tool_say("replica %" PRIu32 " was killed by signal %d; to go on: canfar-split launch %s --on local", i + 1,
                 WTERMSIG(status), tool_word(cfsplit_run_facts(l->run)->path).text);
    else if (WEXITSTATUS(status) > 1 && WEXITSTATUS(status) > l->worst)
        l->worst = WEXITSTATUS(status);
}

static void reap(struct launch *l)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) /* as process 1 of a container there are orphans, too */
        for (uint32_t i = 0; i < l->count; i++)
            if (l->pids[i] == pid)
                note_end(l, i, status);
}

/* One bar on a terminal; else a line a minute. */
static void show(struct launch *l, bool last)
{
    const struct cfsplit_counts *c = cfsplit_survey_counts(l->survey);
    char counts[200], bar[31];
    time_t now = time(NULL);
    if (!l->terminal && !last && now - l->last_line < 60)
        return;
    l->last_line = now;
    look_counts(c, counts);
    uint64_t ended = c->total - c->by_state[CFSPLIT_PENDING] - c->by_state[CFSPLIT_RUNNING];
    size_t filled = c->total ? (size_t)(ended * 30 / c->total) : 30;
    memset(bar, '.', 30);
    memset(bar, '#', filled);
    bar[30] = '\0';
    double took = difftime(now, l->started);
    char left[48] = "";
    if (ended && ended < c->total && took >= 2)
        snprintf(left, sizeof left, "; about %.0f s left", took / (double)ended * (double)(c->total - ended));
    if (l->terminal)
        fprintf(stderr, "\r\033[K[%s] %" PRIu64 " of %" PRIu64 ": %s%s%s", bar, ended, c->total, counts, left,
                last ? "\n" : "");
    else
        tool_say("%" PRIu64 " of %" PRIu64 ": %s%s", ended, c->total, counts, left);
}

/* Passes on what the replicas say, above the bar. A line is one write, so lines are whole. */
static void listen(const struct launch *l)
{
    char text[4096];
    ssize_t n;
    while ((n = read(l->talk, text, sizeof text)) > 0)
        fprintf(stderr, "%s%.*s", l->terminal ? "\r\033[K" : "", (int)n, text);
}

/* Passes on what we are told; to end at once is said until everybody has ended. */
static void pass_order(struct launch *l, enum cfsplit_order *passed)
{
    enum cfsplit_order order = signals_read(&l->signals);
    if (order == CFSPLIT_ABORT && *passed >= CFSPLIT_DRAIN)
        signal_all(l, SIGINT);
    if (order == *passed)
        return;
    if (order == CFSPLIT_FINISH)
        signal_all(l, SIGUSR1);
    else if (*passed < CFSPLIT_DRAIN)
        signal_all(l, SIGTERM);
    tool_say(order == CFSPLIT_FINISH  ? "finishing what runs; launch again to go on"
             : order == CFSPLIT_DRAIN ? "stopping: nothing is lost, launch again to go on"
                                      : "stopping at once");
    *passed = order;
}

static cfsplit_status wait_for_all(struct launch *l, struct cfsplit_error *err)
{
    struct pollfd wake[2] = {{.fd = l->signals.fd, .events = POLLIN}, {.fd = l->talk, .events = POLLIN}};
    enum cfsplit_order passed = CFSPLIT_GO_ON;
    cfsplit_status status = CFSPLIT_OK;
    while (l->alive > 0) {
        poll(wake, 2, l->terminal ? 250 : 1000);
        listen(l);
        pass_order(l, &passed);
        reap(l);
        if (l->terminal || time(NULL) - l->last_line >= 60) {
            status = cfsplit_survey_refresh(l->survey, err);
            if (status != CFSPLIT_OK)
                return status;
            show(l, false);
        }
    }
    return CFSPLIT_OK;
}

static cfsplit_status start_all(struct launch *l, const struct settings *s, struct cfsplit_error *err)
{
    int pipe_fds[2];
    cfsplit_status status = CFSPLIT_OK;
    if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return tool_fail(err, CFSPLIT_MEMORY, "cannot make a pipe: %s", strerror(errno));
    fcntl(pipe_fds[1], F_SETFL, 0); /* who speaks waits; who listens does not */
    l->talk = pipe_fds[0];
    for (uint32_t id = 1; status == CFSPLIT_OK && id <= l->count; id++)
        status = start_one(l, s, id, pipe_fds[1], err);
    close(pipe_fds[1]);
    return status;
}

static cfsplit_status launch_local(struct launch *l, const struct settings *s, struct cfsplit_error *err)
{
    l->count = cfsplit_run_facts(l->run)->replicas;
    l->pids = calloc(l->count, sizeof *l->pids);
    l->terminal = isatty(STDERR_FILENO);
    l->started = l->last_line = time(NULL);
    if (!l->pids)
        return tool_fail(err, CFSPLIT_MEMORY, "out of memory");
    cfsplit_status status = signals_open(&l->signals, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_survey_new(l->run, false, &l->survey, err);
    if (status == CFSPLIT_OK)
        status = start_all(l, s, err);
    if (status == CFSPLIT_OK)
        status = wait_for_all(l, err);
    listen(l);
    if (status != CFSPLIT_OK) {
        signal_all(l, SIGTERM);
        for (uint32_t i = 0; i < l->count; i++)
            if (l->pids[i])
                waitpid(l->pids[i], NULL, 0);
    }
    cfsplit_survey_free(l->survey);
    l->survey = NULL;
    if (status == CFSPLIT_OK)
        status = cfsplit_survey_new(l->run, true, &l->survey, err);
    return status;
}

static int run_launch(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    struct launch l = {.signals.fd = -1, .talk = -1};
    const char *path;
    char verdict[400];
    int code;
    cfsplit_status status = tool_run_path(command, s, &path, &err);
    if (status == CFSPLIT_OK && (!s->on || strcmp(s->on, "local") != 0))
        status = tool_fail(&err, CFSPLIT_USAGE, "launch: on what? --on local");
    if (status == CFSPLIT_OK)
        status = cfsplit_run_open(path, &l.run, &err);
    if (status == CFSPLIT_OK && s->replicas != CFSPLIT_UNSET && s->replicas != cfsplit_run_facts(l.run)->replicas)
        status = tool_fail(&err, CFSPLIT_USAGE, "%s was planned for %" PRIu32 " replicas, not %" PRIu64, path,
                           cfsplit_run_facts(l.run)->replicas, s->replicas);
    if (status == CFSPLIT_OK)
        status = launch_local(&l, s, &err);
    if (status == CFSPLIT_OK) {
        show(&l, true);
        look_verdict(l.run, l.survey, verdict);
        tool_say("%s", verdict);
        code = cfsplit_survey_counts(l.survey)->complete ? 0 : l.worst ? l.worst : 1;
        if (l.signals.order == CFSPLIT_ABORT)
            code = 128 + l.signals.last_signal;
    } else {
        code = tool_exit(&err);
    }
    cfsplit_survey_free(l.survey);
    cfsplit_run_close(l.run);
    free(l.pids);
    if (l.talk >= 0)
        close(l.talk);
    return code;
}

const struct command command_launch = {
    .name = "launch",
    .bit = LAUNCH,
    .usage = "RUN --on local [-j N]",
    .summary = "Starts all replicas of a run on this machine and waits for them",
    .text = "The processors are divided among the replicas. Ends with the verdict of verify. Only what is not done yet "
            "is started.",
    .run = run_launch,
    .most_arguments = 1,
};
