/* canfar-split launch: the engines, and the one that is here: replicas on this machine, one bar, verify's verdict. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "launch.h"
#include "look.h"
#include "signals.h"

enum { kills_most = 4 }; /* of one replica, before it is left dead: one more than --crash-limit sets an item aside at */

struct launch {
    struct cfsplit_run *run;
    struct cfsplit_survey *survey;
    struct signals signals;
    bool spares;
    pid_t *pids;     /* one for each replica or spare; 0: has ended */
    uint8_t *kills;  /* one for each: how often it was killed by somebody else, 0 when it has ended by itself */
    uint32_t fallen; /* of them, those that are to be started again */
    uint32_t count, alive;
    int worst; /* exit code of a replica that says more than verify can */
    time_t started, last_line;
    bool terminal;
    int talk; /* what the replicas say on stderr, so that it does not run into the bar */
};

/* What launch was told goes on to its replicas; the processors are divided among them, unless -j or the plan says otherwise. */
static void add_options(struct words *w, const struct launch *l, const struct settings *s)
{
    uint32_t each = cfsplit_processors() / l->count;
    if (s->run.slots == CFSPLIT_UNSET && cfsplit_run_facts(l->run)->options.slots == CFSPLIT_UNSET)
        words_add(w, "--jobs=%" PRIu32, each ? each : 1);
    words_add_options(w, s);
}

static int spawn(struct words *w, int talk, pid_t *pid)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    sigset_t none;
    if (w->count == 0)
        return ENOENT;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0); /* Ctrl-C comes to us alone, and we pass it on as one order */
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, talk, STDERR_FILENO);
    int failed = posix_spawn(pid, w->at[0], &files, &attributes, w->at, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

static cfsplit_status make_line(const struct launch *l, const struct settings *s, uint32_t id, struct words *w,
                                struct cfsplit_error *err)
{
    char program[4096];
    const char *path = cfsplit_run_facts(l->run)->path;
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0)
        return tool_fail(err, CFSPLIT_USAGE, "cannot find my own program in /proc: %s", strerror(errno));
    program[n] = '\0';
    words_add(w, "%s", program);
    words_add(w, "run");
    words_add(w, "%s%s", path[0] == '-' ? "./" : "", path);
    if (l->spares)
        words_add(w, "--spare");
    else
        words_add(w, "--replica=%" PRIu32 "/%" PRIu32, id, l->count);
    add_options(w, l, s);
    return w->failed ? tool_fail(err, CFSPLIT_MEMORY, "out of memory") : CFSPLIT_OK;
}

static cfsplit_status start_one(struct launch *l, const struct settings *s, uint32_t id, int talk,
                                struct cfsplit_error *err)
{
    struct words w = {0};
    cfsplit_status status = make_line(l, s, id, &w, err);
    int failed = status == CFSPLIT_OK ? spawn(&w, talk, &l->pids[id - 1]) : 0;
    words_release(&w);
    if (failed)
        return tool_fail(err, CFSPLIT_MEMORY, "cannot start replica %" PRIu32 ": %s", id, strerror(failed));
    l->alive += status == CFSPLIT_OK;
    return status;
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
    if (!WIFSIGNALED(status))
        l->kills[i] = 0;
    bool again = WIFSIGNALED(status) && l->signals.order == CFSPLIT_GO_ON && ++l->kills[i] <= kills_most;
    l->fallen += again;
    if (again)
        tool_say("%s %" PRIu32 " was killed by signal %d: starting it again", l->spares ? "spare" : "replica", i + 1,
                 WTERMSIG(status));
    else if (WIFSIGNALED(status))
        tool_say("%s %" PRIu32 " was killed by signal %d; to go on: canfar-split launch %s --on local",
                 l->spares ? "spare" : "replica", i + 1, WTERMSIG(status),
                 tool_word(cfsplit_run_facts(l->run)->path).text);
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

/* Starts the killed ones again, with the pipe that the others speak into. */
static cfsplit_status start_again(struct launch *l, const struct settings *s, struct cfsplit_error *err)
{
    char name[32];
    cfsplit_status status = CFSPLIT_OK;
    if (l->fallen == 0)
        return CFSPLIT_OK;
    snprintf(name, sizeof name, "/proc/self/fd/%d", l->talk);
    int talk = open(name, O_WRONLY | O_CLOEXEC);
    if (talk < 0)
        return tool_fail(err, CFSPLIT_MEMORY, "cannot open a pipe again: %s", strerror(errno));
    for (uint32_t i = 0; status == CFSPLIT_OK && i < l->count; i++)
        if (l->pids[i] == 0 && l->kills[i] > 0 && l->kills[i] <= kills_most)
            status = start_one(l, s, i + 1, talk, err);
    l->fallen = 0;
    close(talk);
    return status;
}

static cfsplit_status wait_for_all(struct launch *l, const struct settings *s, struct cfsplit_error *err)
{
    struct pollfd wake[2] = {{.fd = l->signals.fd, .events = POLLIN}, {.fd = l->talk, .events = POLLIN}};
    enum cfsplit_order passed = CFSPLIT_GO_ON;
    cfsplit_status status = CFSPLIT_OK;
    while (l->alive > 0) {
        poll(wake, 2, l->terminal ? 250 : 1000);
        listen(l);
        wake[1].fd = wake[1].revents & POLLHUP ? -1 : l->talk; /* all have closed it: the next turn is not for that */
        pass_order(l, &passed);
        reap(l);
        status = start_again(l, s, err);
        if (status != CFSPLIT_OK)
            return status;
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

static cfsplit_status print_lines(const struct launch *l, const struct settings *s, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    for (uint32_t id = 1; status == CFSPLIT_OK && id <= l->count; id++) {
        struct words w = {0};
        status = make_line(l, s, id, &w, err);
        if (status == CFSPLIT_OK)
            words_print(&w, stdout);
        words_release(&w);
    }
    return status;
}

static cfsplit_status run_all(struct launch *l, const struct settings *s, struct cfsplit_error *err)
{
    l->pids = calloc(l->count, sizeof *l->pids);
    l->terminal = isatty(STDERR_FILENO);
    l->started = l->last_line = time(NULL);
    l->kills = calloc(l->count, sizeof *l->kills);
    if (!l->pids || !l->kills)
        return tool_fail(err, CFSPLIT_MEMORY, "out of memory");
    cfsplit_status status = signals_open(&l->signals, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_survey_new(l->run, false, &l->survey, err);
    if (status == CFSPLIT_OK)
        status = start_all(l, s, err);
    if (status == CFSPLIT_OK)
        status = wait_for_all(l, s, err);
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

static int verdict_of(struct launch *l)
{
    char verdict[400];
    show(l, true);
    look_verdict(l->run, l->survey, verdict);
    tool_say("%s", verdict);
    if (l->signals.order == CFSPLIT_ABORT)
        return 128 + l->signals.last_signal;
    return cfsplit_survey_counts(l->survey)->complete ? 0 : l->worst ? l->worst : 1;
}

static cfsplit_status launch_local(const struct launching *what, int *code, struct cfsplit_error *err)
{
    struct launch l = {.run = what->run, .spares = what->spares, .count = what->count, .signals.fd = -1, .talk = -1};
    cfsplit_status status = what->s->check ? print_lines(&l, what->s, err) : run_all(&l, what->s, err);
    *code = status == CFSPLIT_OK && !what->s->check ? verdict_of(&l) : 0;
    cfsplit_survey_free(l.survey);
    free(l.pids);
    free(l.kills);
    if (l.talk >= 0)
        close(l.talk);
    return status;
}

static const struct engine engine_local = {.word = "local", .start = launch_local};

/* ---- all engines */

static const struct engine *const engines[] = {&engine_local, &engine_canfar, &engine_slurm};
enum { engine_count = sizeof engines / sizeof engines[0] };

cfsplit_status launch_add_run(const struct launching *what, struct words *w, struct cfsplit_error *err)
{
    const char *path = cfsplit_run_facts(what->run)->path;
    char *here = path[0] == '/' ? strdup("") : getcwd(NULL, 0);
    if (!here)
        return tool_fail(err, CFSPLIT_USAGE, "cannot tell the working directory: %s", strerror(errno));
    words_add(w, "canfar-split");
    words_add(w, "run");
    words_add(w, "%s%s%s", here, path[0] == '/' ? "" : "/", path);
    free(here);
    if (what->spares)
        words_add(w, "--spare");
    words_add_options(w, what->s);
    return w->failed ? tool_fail(err, CFSPLIT_MEMORY, "out of memory") : CFSPLIT_OK;
}

static cfsplit_status find_engine(const struct settings *s, const struct engine **out, struct cfsplit_error *err)
{
    *out = NULL;
    for (size_t i = 0; s->on && i < engine_count; i++)
        if (strcmp(s->on, engines[i]->word) == 0)
            *out = engines[i];
    if (!*out)
        return tool_fail(err, CFSPLIT_USAGE, "launch: on what? --on canfar, --on slurm or --on local%s%s",
                         s->on ? ", not " : "", s->on ? cfsplit_quote(s->on).text : "");
    const struct {
        const char *name;
        bool given;
        unsigned bit;
    } only[] = {{"image", s->image, TAKES_IMAGE},
                {"name", s->name, TAKES_NAME},
                {"cpus", s->cpus != CFSPLIT_UNSET, TAKES_SIZE},
                {"memory", s->memory_bytes != CFSPLIT_UNSET, TAKES_SIZE}};
    for (size_t i = 0; i < sizeof only / sizeof only[0]; i++)
        if (only[i].given && !((*out)->takes & only[i].bit))
            return tool_fail(err, CFSPLIT_USAGE, "launch: --%s has no meaning --on %s", only[i].name, s->on);
    return CFSPLIT_OK;
}

static size_t spares_there(const struct cfsplit_survey *survey)
{
    size_t count, there = 0;
    const struct cfsplit_life_view *lives = cfsplit_survey_lives(survey, &count);
    for (size_t i = 0; i < count; i++)
        there +=
            lives[i].replica == 0 && (lives[i].life == CFSPLIT_LIFE_WORKING || lives[i].life == CFSPLIT_LIFE_UNKNOWN);
    return there;
}

/* No spare is needed. That is no success if something is left to do. */
static int tell_nothing_missing(const struct launching *what, const struct cfsplit_survey *survey)
{
    const struct cfsplit_counts *c = cfsplit_survey_counts(survey);
    uint64_t pending = c->by_state[CFSPLIT_PENDING];
    char verdict[400];
    if (c->complete)
        return 0;
    look_verdict(what->run, survey, verdict);
    if (pending)
        tool_say("%" PRIu64 " %s pending; to go on: canfar-split launch %s --on local", pending,
                 pending == 1 ? "item is" : "items are", tool_word(cfsplit_run_facts(what->run)->path).text);
    else
        tool_say("%s", verdict);
    return cfsplit_status_exit_code(CFSPLIT_INCOMPLETE);
}

/* How many spares make up for who has not come: those that are there already count. Says why there are none; *code is the exit
 * code then. */
static cfsplit_status count_spares(struct launching *what, int *code, struct cfsplit_error *err)
{
    struct cfsplit_survey *survey;
    size_t missing;
    cfsplit_status status = cfsplit_survey_new(what->run, false, &survey, err);
    if (status != CFSPLIT_OK)
        return status;
    const struct cfsplit_counts *c = cfsplit_survey_counts(survey);
    const char *path = cfsplit_run_facts(what->run)->path;
    size_t there = spares_there(survey);
    (void)cfsplit_survey_missing(survey, &missing);
    what->spares = true;
    what->count = c->complete || there >= missing ? 0 : (uint32_t)(missing - there);
    if (c->complete)
        tool_say("%s is complete: nothing to start", path);
    else if (missing == 0)
        tool_say("every replica of %s came: nothing to start", path);
    else if (there)
        tool_say("%zu of %" PRIu32 " replicas of %s have not come, and %zu spares have not ended", missing,
                 c->replicas_expected, path, there);
    if (what->count == 0)
        *code = tell_nothing_missing(what, survey);
    cfsplit_survey_free(survey);
    return CFSPLIT_OK;
}

static int run_launch(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    struct launching what = {.s = s};
    const struct engine *engine = NULL;
    const char *path;
    int code = 0;
    cfsplit_status status = tool_run_path(command, s, &path, &err);
    if (status == CFSPLIT_OK)
        status = find_engine(s, &engine, &err);
    if (status == CFSPLIT_OK)
        status = cfsplit_run_open(path, &what.run, &err);
    if (status == CFSPLIT_OK && s->replicas != CFSPLIT_UNSET && s->replicas != cfsplit_run_facts(what.run)->replicas)
        status = tool_fail(&err, CFSPLIT_USAGE, "%s was planned for %" PRIu32 " replicas, not %" PRIu64, path,
                           cfsplit_run_facts(what.run)->replicas, s->replicas);
    if (status == CFSPLIT_OK)
        what.count = cfsplit_run_facts(what.run)->replicas;
    if (status == CFSPLIT_OK && s->missing)
        status = count_spares(&what, &code, &err);
    if (status == CFSPLIT_OK && engine && what.count > 0)
        status = engine->start(&what, &code, &err);
    cfsplit_run_close(what.run);
    return status == CFSPLIT_OK ? code : tool_exit(&err);
}

const struct command command_launch = {
    .name = "launch",
    .bit = LAUNCH,
    .usage = "RUN --on local|canfar|slurm [--missing] [--check] [-j N]",
    .summary = "Starts the replicas of a run, here or on a platform",
    .text = "--on local starts them on this machine, divides the processors among them, waits, and ends with the "
            "verdict of verify.\n"
            "--on canfar types canfar create --replicas, and ends as that does; it exits with 0, too, if some failed "
            "to start.\n"
            "--on slurm --check prints a job script for sbatch.\n"
            "--missing makes up for those: spares have no share of their own, and do what nobody has; it exits with 1 "
            "if nobody is\n"
            "missing and the run is not complete. Only what is not done yet is ever started.",
    .run = run_launch,
    .most_arguments = 1,
};
