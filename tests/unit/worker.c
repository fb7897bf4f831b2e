/* The door for programs that link the library: noted, accepted, late; threads, fork, orders, failures. */
#include <cfsplit/worker.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include "lib/rundir.h"
#include "rundir/fence.h"

static struct cfsplit_run_options never_synced; /* but on request */

static const struct cfsplit_worker_options first = {.size = sizeof first, .id = 1};
static const struct cfsplit_worker_options unsynced = {.size = sizeof first, .id = 1, .run = &never_synced};

/* A run by itself, named after the test. */
static struct cfsplit_run *plan_by(enum cfsplit_strategy strategy, const char *path, uint64_t items, uint64_t replicas,
                                   uint64_t retries)
{
    struct cfsplit_plan_request request = rundir_request(replicas);
    request.strategy = strategy;
    struct cfsplit_list *list = rundir_list(items);
    struct cfsplit_run *run = NULL;
    bool created;
    request.command_count = 0;
    request.options.retries = retries;
    rundir_need(cfsplit_plan(path, list, &request, &created, &err));
    rundir_need(cfsplit_run_open(path, &run, &err));
    cfsplit_list_free(list);
    return run;
}

static struct cfsplit_run *plan(const char *path, uint64_t items, uint64_t replicas, uint64_t retries)
{
    return plan_by(CFSPLIT_EVEN, path, items, replicas, retries);
}

static struct cfsplit_worker *join(const char *path, const struct cfsplit_worker_options *options)
{
    struct cfsplit_worker *worker = NULL;
    CHECK_OK(cfsplit_worker_open(path, options, &worker, &err));
    CU_ASSERT_PTR_NOT_NULL_FATAL(worker);
    return worker;
}

static struct cfsplit_work *next(struct cfsplit_worker *worker)
{
    struct cfsplit_work *work = NULL;
    CHECK_OK(cfsplit_item_next(worker, &work, &err));
    CU_ASSERT_PTR_NOT_NULL_FATAL(work);
    return work;
}

static void no_more(struct cfsplit_worker *worker, cfsplit_status wanted)
{
    struct cfsplit_work *work;
    CHECK_EQUAL(cfsplit_item_next(worker, &work, &err), wanted);
    CHECK(work == NULL);
}

static struct cfsplit_worker_result close_with(struct cfsplit_worker *worker, cfsplit_status wanted)
{
    struct cfsplit_worker_result result;
    CHECK_EQUAL(cfsplit_worker_close(worker, &result, &err), wanted);
    return result;
}

/* How many items of a run are in a state, as everybody sees it. */
static uint64_t in_state(struct cfsplit_run *run, enum cfsplit_state state)
{
    struct cfsplit_survey *survey = NULL;
    CHECK_OK(cfsplit_survey_new(run, false, &survey, &err));
    uint64_t count = cfsplit_survey_counts(survey)->by_state[state];
    CHECK_EQUAL(cfsplit_survey_counts(survey)->duplicates, 0);
    cfsplit_survey_free(survey);
    return count;
}

/* ---- ends */

static void what_is_synced_is_accepted(void)
{
    struct cfsplit_run *run = plan("accepted", 3, 1, 0);
    struct cfsplit_worker *worker = join("accepted", &unsynced);
    for (int i = 0; i < 3; i++) {
        struct cfsplit_work *work = next(worker);
        char name[32];
        snprintf(name, sizeof name, "item %d", i + 1);
        CHECK_TEXT(work->name, name);
        CHECK_EQUAL(work->length, strlen(name));
        CHECK_EQUAL(work->weight, 1);
        CHECK_EQUAL(work->index, i);
        CHECK_EQUAL(work->attempt, 1);
        CHECK_OK(cfsplit_item_done(worker, work, &err));
        CHECK_OK(cfsplit_worker_sync(worker, &err));
        CHECK_EQUAL(in_state(run, CFSPLIT_DONE), i + 1);
    }
    CHECK_TEXT(cfsplit_worker_cwd(worker), cfsplit_run_facts(run)->cwd);
    no_more(worker, CFSPLIT_END);
    CHECK_OK(cfsplit_worker_sync(worker, &err)); /* nothing to sync is fine */
    struct cfsplit_worker_result result = close_with(worker, CFSPLIT_OK);
    CHECK_EQUAL(result.started, 3);
    CHECK_EQUAL(result.done, 3);
    CHECK_EQUAL(result.not_started, 0);
    CHECK(strncmp(result.name, "1-", 2) == 0);
    CHECK_EQUAL(cfsplit_worker_close(NULL, NULL, &err), CFSPLIT_OK);
    cfsplit_run_close(run);
}

/* Whether a line of that kind is in some journal of the run. */
static bool journals_say(const char *path, const char *word)
{
    char command[256];
    snprintf(command, sizeof command, "grep -qa '%s' %s/journal/*", word, path);
    return system(command) == 0;
}

static void an_end_does_not_wait_for_the_next_call(void)
{
    struct cfsplit_run *run = plan("waits", 2, 1, 0);
    struct cfsplit_worker *worker = join("waits", &first);
    CHECK_OK(cfsplit_item_done(worker, next(worker), &err));
    for (int i = 0; i < 2000 && !journals_say("waits", "^end.*done"); i++)
        usleep(10000); /* the program computes */
    CHECK_EQUAL(in_state(run, CFSPLIT_DONE), 1);
    CHECK_EQUAL(close_with(worker, CFSPLIT_OK).not_started, 1);
    cfsplit_run_close(run);
}

static void fence(struct cfsplit_run *run, const struct csi_inc *by)
{
    struct csi_inc_list lives = {0};
    struct csi_seal seal;
    CHECK_OK(csi_inc_list_refresh(&lives, run, &err));
    for (size_t i = 0; i < lives.count; i++)
        if (lives.at[i].replica == 1)
            CHECK_OK(csi_fence_end(run, by, &lives.at[i], &seal, &err));
    free(lives.at);
}

static void who_was_taken_for_lost_is_late(void)
{
    for (int by_close = 0; by_close < 2; by_close++) {
        const char *path = by_close ? "late.close" : "late.sync";
        struct cfsplit_run *run = plan(path, 3, 1, 0);
        struct csi_inc other = rundir_inc(run, 0);
        struct cfsplit_worker *worker = join(path, &unsynced);
        CHECK_OK(cfsplit_item_done(worker, next(worker), &err));
        struct cfsplit_work *second = next(worker); /* this writes the end */
        fence(run, &other);
        CHECK_OK(cfsplit_item_done(worker, second, &err));
        if (!by_close) {
            CHECK_EQUAL(cfsplit_worker_sync(worker, &err), CFSPLIT_FENCED);
            CHECK_EQUAL(cfsplit_worker_sync(worker, &err), CFSPLIT_FENCED);
            CHECK(strstr(err.message, "not counted") != NULL);
            no_more(worker, CFSPLIT_FENCED);
        }
        struct cfsplit_worker_result result = close_with(worker, CFSPLIT_FENCED);
        CHECK_EQUAL(result.done, 0);
        CHECK_EQUAL(in_state(run, CFSPLIT_DONE), 1); /* before the seal: it counts, whoever speaks of it */
        cfsplit_run_close(run);
    }
}

static void retries_are_as_planned(void)
{
    struct cfsplit_run *run = plan("retries", 2, 1, 1);
    struct cfsplit_worker *worker = join("retries", &first);
    char *long_text = malloc(100001);
    memset(long_text, 'x', 100000);
    long_text[100000] = '\0';
    struct cfsplit_work *work = next(worker), *other = next(worker);
    CHECK_OK(cfsplit_item_failed(worker, work, "no such header\nand more", &err));
    CHECK_OK(cfsplit_item_done(worker, other, &err));
    work = next(worker);
    CHECK_TEXT(work->name, "item 1");
    CHECK_EQUAL(work->attempt, 2);
    CHECK_OK(cfsplit_item_failed(worker, work, long_text, &err));
    no_more(worker, CFSPLIT_END);
    struct cfsplit_worker_result result = close_with(worker, CFSPLIT_OK);
    CHECK_EQUAL(result.started, 3);
    CHECK_EQUAL(result.failed, 1);
    CHECK_EQUAL(in_state(run, CFSPLIT_FAILED), 1);
    CHECK(journals_say("retries", "retry.*no such header$"));
    CHECK(journals_say("retries", "failed.*x\\{207\\}"));
    CHECK(!journals_say("retries", "x\\{208\\}"));
    free(long_text);
    cfsplit_run_close(run);
}

static void rejected_and_later(void)
{
    struct cfsplit_run *run = plan("rejected", 2, 1, 0);
    struct cfsplit_worker *worker = join("rejected", &first);
    CHECK_OK(cfsplit_item_rejected(worker, next(worker), "no image", &err));
    CHECK_OK(cfsplit_item_later(worker, next(worker), NULL, &err));
    struct cfsplit_worker_result result = close_with(worker, CFSPLIT_OK);
    CHECK_EQUAL(result.rejected, 1);
    CHECK_EQUAL(result.later, 1);
    CHECK_EQUAL(in_state(run, CFSPLIT_REJECTED), 1);
    CHECK_EQUAL(in_state(run, CFSPLIT_PENDING), 1);
    cfsplit_run_close(run);
}

static void an_item_ends_once(void)
{
    struct cfsplit_run *run = plan("once", 1, 1, 0);
    struct cfsplit_worker *worker = join("once", &first);
    struct cfsplit_work *work = next(worker);
    CHECK_OK(cfsplit_item_done(worker, work, &err));
    CHECK_EQUAL(cfsplit_item_failed(worker, work, "or not", &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "this item has ended already");
    CHECK_EQUAL(cfsplit_item_done(worker, NULL, &err), CFSPLIT_USAGE);
    CHECK_EQUAL(close_with(worker, CFSPLIT_OK).done, 1);
    cfsplit_run_close(run);
}

static void too_many_failures_end_it(void)
{
    struct cfsplit_run *run = plan("fails", 40, 1, 0);
    struct cfsplit_worker *worker = join("fails", &first);
    for (int i = 0; i < 20; i++)
        CHECK_OK(cfsplit_item_failed(worker, next(worker), NULL, &err));
    no_more(worker, CFSPLIT_INCOMPLETE);
    CHECK_TEXT(err.message, "the first 20 items all failed: starting no more");
    CHECK_EQUAL(close_with(worker, CFSPLIT_OK).not_started, 20);
    cfsplit_run_close(run);
}

/* ---- closing */

static void what_is_open_is_given_back(void)
{
    struct cfsplit_run *run = plan("open", 4, 1, 0);
    struct cfsplit_worker *worker = join("open", &first);
    (void)next(worker);
    (void)next(worker);
    CHECK_OK(cfsplit_item_done(worker, next(worker), &err));
    struct cfsplit_worker_result result = close_with(worker, CFSPLIT_OK);
    CHECK_EQUAL(result.stopped, 2);
    CHECK_EQUAL(result.done, 1);
    CHECK_EQUAL(result.not_started, 3);
    CHECK_EQUAL(in_state(run, CFSPLIT_PENDING), 3);
    worker = join("open", &(struct cfsplit_worker_options){.size = sizeof first, .spare = 1});
    struct cfsplit_work *work[3];
    for (int i = 0; i < 3; i++) /* at once, and beside each other: none is under suspicion */
        work[i] = next(worker);
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(work[i]->attempt, work[i]->index < 2 ? 2 : 1);
        CHECK_OK(cfsplit_item_done(worker, work[i], &err));
    }
    no_more(worker, CFSPLIT_END);
    CHECK_EQUAL(close_with(worker, CFSPLIT_OK).done, 3);
    cfsplit_run_close(run);
}

/* What a program was at that died is under suspicion: it comes last, and alone. */
static void a_suspect_comes_alone(void)
{
    struct cfsplit_run *run = plan("suspect", 3, 1, 0);
    int status;
    pid_t child = fork();
    if (child == 0) {
        (void)next(join("suspect", &first));
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    struct cfsplit_worker *worker = join("suspect", &first);
    struct cfsplit_work *second = next(worker), *third = next(worker);
    CHECK_EQUAL(second->index + third->index, 3);
    CHECK_OK(cfsplit_item_done(worker, second, &err));
    CHECK_OK(cfsplit_item_done(worker, third, &err));
    struct cfsplit_work *work = next(worker);
    CHECK_EQUAL(work->index, 0);
    CHECK_EQUAL(work->attempt, 2);
    CHECK_OK(cfsplit_item_done(worker, work, &err));
    no_more(worker, CFSPLIT_END);
    CHECK_EQUAL(close_with(worker, CFSPLIT_OK).done, 3);
    cfsplit_run_close(run);
}

/* ---- threads and processes */

static void a_child_is_told_and_touches_nothing(void)
{
    struct cfsplit_run *run = plan("fork", 2, 1, 0);
    struct cfsplit_worker *worker = join("fork", &unsynced);
    struct cfsplit_work *work = next(worker);
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct cfsplit_work *mine;
        struct cfsplit_worker_result result;
        int told = cfsplit_item_next(worker, &mine, &err) == CFSPLIT_USAGE && !mine;
        told += strncmp(err.message, "after fork", 10) == 0;
        told += cfsplit_item_done(worker, work, &err) == CFSPLIT_USAGE;
        told += cfsplit_item_failed(worker, work, "x", NULL) == CFSPLIT_USAGE;
        told += cfsplit_item_rejected(worker, work, "x", &err) == CFSPLIT_USAGE;
        told += cfsplit_item_later(worker, work, "x", &err) == CFSPLIT_USAGE;
        told += cfsplit_worker_sync(worker, &err) == CFSPLIT_USAGE;
        told += cfsplit_worker_close(worker, &result, &err) == CFSPLIT_USAGE;
        _exit(told);
    }
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 8);
    CHECK_OK(cfsplit_item_done(worker, work, &err));
    CHECK_OK(cfsplit_worker_sync(worker, &err));
    CHECK_EQUAL(in_state(run, CFSPLIT_DONE), 1);
    CHECK_EQUAL(close_with(worker, CFSPLIT_OK).not_started, 1);
    cfsplit_run_close(run);
}

enum { threads = 8, items_of_all = 8000 };

struct taking {
    struct cfsplit_worker *worker;
    pthread_t thread;
    unsigned ends;
    cfsplit_status status;
};

static void *take_items(void *argument)
{
    struct taking *taking = argument;
    struct cfsplit_worker *worker = taking->worker;
    struct cfsplit_work *work;
    cfsplit_status status;
    while ((status = cfsplit_item_next(worker, &work, NULL)) == CFSPLIT_OK) {
        status = work->index % 10 == 9 && work->attempt == 1 ? cfsplit_item_failed(worker, work, "once", NULL)
                                                             : cfsplit_item_done(worker, work, NULL);
        if (status == CFSPLIT_OK && ++taking->ends % 100 == 0)
            status = cfsplit_worker_sync(worker, NULL);
        if (status != CFSPLIT_OK)
            break;
    }
    taking->status = status;
    return NULL;
}

static void many_threads_share_a_worker(void)
{
    struct cfsplit_run *run = plan("threads", items_of_all, 1, 1);
    struct cfsplit_worker *worker = join("threads", &first);
    struct taking taking[threads];
    unsigned ends = 0;
    for (int i = 0; i < threads; i++) {
        taking[i] = (struct taking){.worker = worker};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&taking[i].thread, NULL, take_items, &taking[i]), 0);
    }
    for (int i = 0; i < threads; i++) {
        CHECK_EQUAL(pthread_join(taking[i].thread, NULL), 0);
        CHECK_EQUAL(taking[i].status, CFSPLIT_END);
        ends += taking[i].ends;
    }
    CHECK_EQUAL(ends, items_of_all + items_of_all / 10);
    struct cfsplit_worker_result result = close_with(worker, CFSPLIT_OK);
    CHECK_EQUAL(result.done, items_of_all);
    CHECK_EQUAL(in_state(run, CFSPLIT_DONE), items_of_all);
    cfsplit_run_close(run);
}

/* The same threads on a queue: two workers in one process, one of which hands out the items. */
static void threads_of_two_share_a_queue(void)
{
    static const struct cfsplit_worker_options spare = {.size = sizeof spare, .spare = 1};
    enum { items = 2000 };
    struct cfsplit_run *run = plan_by(CFSPLIT_QUEUE, "queue", items, 2, 1);
    struct cfsplit_worker *workers[2] = {join("queue", &first), join("queue", &spare)};
    struct taking taking[threads];
    unsigned ends = 0;
    for (int i = 0; i < threads; i++) {
        taking[i] = (struct taking){.worker = workers[i % 2]};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&taking[i].thread, NULL, take_items, &taking[i]), 0);
    }
    for (int i = 0; i < threads; i++) {
        CHECK_EQUAL(pthread_join(taking[i].thread, NULL), 0);
        CHECK_EQUAL(taking[i].status, CFSPLIT_END);
        ends += taking[i].ends;
    }
    CHECK_EQUAL(ends, items + items / 10);
    uint64_t done = close_with(workers[1], CFSPLIT_OK).done;
    CHECK_EQUAL(done + close_with(workers[0], CFSPLIT_OK).done, items);
    CHECK_EQUAL(in_state(run, CFSPLIT_DONE), items);
    cfsplit_run_close(run);
}

struct waiting {
    struct cfsplit_worker *worker;
    struct cfsplit_work *work;
    cfsplit_status status;
    int said[2];
};

static void *wait_for_item(void *argument)
{
    struct waiting *waiting = argument;
    struct cfsplit_error failure;
    pid_t self = gettid();
    CHECK(write(waiting->said[1], &self, sizeof self) == sizeof self);
    waiting->status = cfsplit_item_next(waiting->worker, &waiting->work, &failure);
    return NULL;
}

static bool sleeps(pid_t thread)
{
    char name[64], line[256] = "", state = '?';
    snprintf(name, sizeof name, "/proc/self/task/%d/stat", (int)thread);
    FILE *stat = fopen(name, "re");
    CHECK(stat && fgets(line, sizeof line, stat));
    fclose(stat);
    const char *after_name = strrchr(line, ')');
    CHECK(after_name && sscanf(after_name + 1, " %c", &state) == 1);
    return state == 'S';
}

/* A thread that is blocked in its call when this returns. */
static pthread_t start_waiting(struct waiting *waiting, struct cfsplit_worker *worker)
{
    pthread_t thread;
    pid_t its_id;
    *waiting = (struct waiting){.worker = worker};
    CU_ASSERT_EQUAL_FATAL(pipe2(waiting->said, O_CLOEXEC), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, wait_for_item, waiting), 0);
    CHECK(read(waiting->said[0], &its_id, sizeof its_id) == sizeof its_id);
    while (!sleeps(its_id))
        sched_yield();
    return thread;
}

static cfsplit_status end_waiting(struct waiting *waiting, pthread_t thread)
{
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    close(waiting->said[0]);
    close(waiting->said[1]);
    return waiting->status;
}

static void who_waits_gets_what_failed(void)
{
    struct cfsplit_run *run = plan("wakes", 1, 1, 1);
    struct cfsplit_worker *worker = join("wakes", &first);
    struct cfsplit_work *work = next(worker);
    struct waiting waiting;
    pthread_t thread = start_waiting(&waiting, worker);
    CHECK_OK(cfsplit_item_failed(worker, work, "once", &err));
    CHECK_EQUAL(end_waiting(&waiting, thread), CFSPLIT_OK);
    work = waiting.work;
    CHECK_EQUAL(work->attempt, 2);
    thread = start_waiting(&waiting, worker);
    CHECK_OK(cfsplit_item_done(worker, work, &err));
    CHECK_EQUAL(end_waiting(&waiting, thread), CFSPLIT_END);
    CHECK_EQUAL(close_with(worker, CFSPLIT_OK).done, 1);
    cfsplit_run_close(run);
}

static void who_waits_is_sent_home_by_close(void)
{
    struct cfsplit_run *run = plan("home", 1, 1, 0);
    struct cfsplit_worker *worker = join("home", &first);
    struct waiting waiting;
    (void)next(worker);
    pthread_t thread = start_waiting(&waiting, worker);
    CHECK_EQUAL(close_with(worker, CFSPLIT_OK).stopped, 1);
    CHECK_EQUAL(end_waiting(&waiting, thread), CFSPLIT_STOPPED);
    cfsplit_run_close(run);
}

/* ---- orders and failures */

static void stop_is_obeyed(void)
{
    struct cfsplit_run *run = plan("stop", 2, 1, 0);
    CHECK_OK(cfsplit_stop(run, false, &err)); /* before it came: not meant for it */
    struct cfsplit_worker *worker = join("stop", &first);
    struct cfsplit_work *work = next(worker), *other = next(worker);
    struct waiting waiting;
    pthread_t thread = start_waiting(&waiting, worker);
    CHECK_OK(cfsplit_stop(run, false, &err));
    CHECK_EQUAL(end_waiting(&waiting, thread), CFSPLIT_STOPPED);
    no_more(worker, CFSPLIT_STOPPED);
    CHECK_OK(cfsplit_item_done(worker, work, &err)); /* what runs is finished */
    CHECK_OK(cfsplit_item_failed(worker, other, NULL, &err));
    CHECK_EQUAL(close_with(worker, CFSPLIT_OK).done, 1);
    cfsplit_run_close(run);
}

/* Puts another file in the place of the worker's journal, behind its back. */
static void replace_journal(const char *by)
{
    for (int fd = 3; fd < 256; fd++) {
        char link[32], target[4096];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        if (!strstr(target, "/journal/"))
            continue;
        int other = open(by, O_RDWR | O_CLOEXEC);
        CHECK(other >= 0 && dup3(other, fd, O_CLOEXEC) == fd);
        close(other);
        return;
    }
    CU_FAIL("no journal is open");
}

static void a_failed_sync_is_told(void)
{
    struct cfsplit_run *run = plan("failing", 3, 1, 0);
    struct cfsplit_worker *worker = join("failing", &unsynced);
    CHECK_OK(cfsplit_item_done(worker, next(worker), &err));
    CHECK_OK(cfsplit_worker_sync(worker, &err));
    CHECK_OK(cfsplit_item_done(worker, next(worker), &err));
    replace_journal("/dev/null"); /* takes what is written, and cannot be synced */
    CHECK_EQUAL(cfsplit_worker_sync(worker, &err), CFSPLIT_STORAGE);
    CHECK(strncmp(err.message, "cannot sync 'journal/1-", 23) == 0);
    no_more(worker, CFSPLIT_STORAGE);
    CHECK(strncmp(err.message, "cannot sync 'journal/1-", 23) == 0);
    CHECK_EQUAL(close_with(worker, CFSPLIT_STORAGE).done, 1);
    worker = join("failing", &first); /* this process lives on, and what it had is free */
    CHECK_OK(cfsplit_item_done(worker, next(worker), &err));
    CHECK_OK(cfsplit_item_done(worker, next(worker), &err));
    no_more(worker, CFSPLIT_END);
    CHECK_EQUAL(close_with(worker, CFSPLIT_OK).done, 2);
    CHECK_EQUAL(in_state(run, CFSPLIT_DONE), 3);
    cfsplit_run_close(run);
}

static void a_sync_that_fails_meanwhile_is_told_by_the_next_call(void)
{
    struct cfsplit_run *run = plan("meanwhile", 3, 1, 0);
    struct cfsplit_worker *worker = join("meanwhile", &first);
    struct cfsplit_work *work = next(worker), *other = next(worker);
    replace_journal("/dev/null");
    struct waiting waiting;
    (void)next(worker);
    pthread_t thread = start_waiting(&waiting, worker);
    CHECK_OK(cfsplit_item_done(worker, work, &err)); /* the thread is woken when this is found not to be on disk */
    CHECK_EQUAL(end_waiting(&waiting, thread), CFSPLIT_STORAGE);
    CHECK_EQUAL(cfsplit_item_done(worker, other, &err), CFSPLIT_STORAGE);
    CHECK_EQUAL(close_with(worker, CFSPLIT_STORAGE).done, 0);
    cfsplit_run_close(run);
}

static void without_room_the_ends_still_count(void)
{
    struct cfsplit_run *run = plan("room", 2000, 1, 0);
    struct cfsplit_worker *worker = join("room", &first);
    struct rlimit before, tight = {.rlim_cur = 64 << 10};
    struct cfsplit_work *work;
    uint64_t done = 0;
    cfsplit_status status;
    CHECK_EQUAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &tight), 0);
    for (; (status = cfsplit_item_next(worker, &work, &err)) == CFSPLIT_OK; done++)
        CHECK_OK(cfsplit_item_done(worker, work, &err));
    CHECK_EQUAL(status, CFSPLIT_STORAGE);
    CHECK(strncmp(err.message, "cannot make room in 'journal/1-", 31) == 0);
    CHECK(done > 100);
    CHECK_OK(cfsplit_worker_sync(worker, &err));
    CHECK_EQUAL(in_state(run, CFSPLIT_DONE), done);
    struct cfsplit_worker_result result = close_with(worker, CFSPLIT_OK);
    CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
    CHECK_EQUAL(result.done, done);
    CHECK_EQUAL(result.not_started, 2000 - done);
    cfsplit_run_close(run);
}

/* ---- joining */

static void refused(const struct cfsplit_worker_options *options, const char *message)
{
    struct cfsplit_worker *worker;
    CHECK_EQUAL(cfsplit_worker_open("who", options, &worker, &err), CFSPLIT_USAGE);
    CHECK(worker == NULL);
    CHECK_TEXT(err.message, message);
}

static void who_it_is_is_checked(void)
{
    struct cfsplit_run *run = plan("who", 4, 2, 0);
    struct cfsplit_worker_options options = {.size = sizeof options, .id = 5};
    refused(&options, "--replica says replica 5, but there are 2 (the plan)");
    options.id = 0;
    refused(&options, "no replica number here, and who has 2");
    refused(NULL, "no replica number here, and who has 2");
    setenv("REPLICA_ID", "2", 1);
    setenv("REPLICA_COUNT", "7", 1);
    refused(&options, "replica 2 of 7, but who was planned for 2");
    setenv("REPLICA_COUNT", "2", 1);
    CHECK(strncmp(close_with(join("who", NULL), CFSPLIT_OK).name, "2-", 2) == 0);
    options.spare = 1;
    CHECK(strncmp(close_with(join("who", &options), CFSPLIT_OK).name, "0-", 2) == 0);
    unsetenv("REPLICA_ID");
    unsetenv("REPLICA_COUNT");
    struct cfsplit_worker *worker;
    CHECK_EQUAL(cfsplit_worker_open("nowhere", &first, &worker, &err), CFSPLIT_USAGE);
    cfsplit_run_close(run);
}

static void options_of_another_version_are_refused(void)
{
    struct cfsplit_worker_options options = first;
    options.size -= 8;
    refused(&options, "cfsplit_worker_options of another version of the library");
    options = first;
    options.reserved_[2] = 1;
    refused(&options, "cfsplit_worker_options of another version of the library");
    struct cfsplit_run_options shorter = CFSPLIT_RUN_OPTIONS_INIT;
    shorter.size -= 8;
    options = first;
    options.run = &shorter;
    refused(&options, "cfsplit_run_options of another version of the library");
}

static void refused_replica(struct cfsplit_run *run, const struct cfsplit_replica_options *options, const char *name)
{
    struct cfsplit_replica_result result;
    char message[96];
    snprintf(message, sizeof message, "%s of another version of the library", name);
    CHECK_EQUAL(cfsplit_replica_run(run, options, &result, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, message);
    CHECK_EQUAL(cfsplit_replica_run(run, options, &result, NULL), CFSPLIT_USAGE);
}

static void options_of_a_replica_are_checked(void)
{
    struct cfsplit_run *run = plan("replica", 4, 2, 0);
    const struct cfsplit_replica_options good = {
        .size = sizeof good, .id = 1, .run = CFSPLIT_RUN_OPTIONS_INIT, .wake_fd = -1};
    struct cfsplit_replica_options options = good;
    options.size -= 8;
    refused_replica(run, &options, "cfsplit_replica_options");
    options = good;
    options.reserved_ = 1;
    refused_replica(run, &options, "cfsplit_replica_options");
    options = good;
    options.run.size += 8;
    refused_replica(run, &options, "cfsplit_run_options");
    CHECK_EQUAL(cfsplit_command_check(NULL, 0, &options.run, &err), CFSPLIT_USAGE);
    cfsplit_run_close(run);
}

/* Nothing behind the size is read: there is nothing. */
static void a_shorter_identity_is_not_read(void)
{
    struct cfsplit_run *run = plan("identity", 4, 2, 0);
    struct cfsplit_identity who = {.count = 9};
    uint64_t *size = malloc(sizeof *size);
    if (!size)
        abort();
    *size = sizeof *size;
    CHECK_EQUAL(cfsplit_run_identity(run, (const struct cfsplit_identity_options *)size, getenv, &who, &err),
                CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "cfsplit_identity_options of another version of the library");
    CHECK_EQUAL(who.count, 0);
    free(size);
    cfsplit_run_close(run);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"what a suspect is comes last and alone", a_suspect_comes_alone},
        {"what is synced is accepted", what_is_synced_is_accepted},
        {"an end reaches the disk while the program computes", an_end_does_not_wait_for_the_next_call},
        {"who was taken for lost is late, by sync and by close", who_was_taken_for_lost_is_late},
        {"a failed item comes again while retries are left", retries_are_as_planned},
        {"rejected is accounted for, later is pending", rejected_and_later},
        {"an item ends once", an_item_ends_once},
        {"too many failures end it", too_many_failures_end_it},
        {"what is open is given back, charged with nothing", what_is_open_is_given_back},
        {"a forked child gets errors, touches nothing, and may go", a_child_is_told_and_touches_nothing},
        {"eight threads share a worker", many_threads_share_a_worker},
        {"threads of two workers share a queue", threads_of_two_share_a_queue},
        {"who waits for an item gets what failed elsewhere, or the end", who_waits_gets_what_failed},
        {"who waits for an item is sent home by close", who_waits_is_sent_home_by_close},
        {"an order to stop is obeyed, also by who waits", stop_is_obeyed},
        {"a failed sync is told, and others may go on", a_failed_sync_is_told},
        {"a sync that fails meanwhile is told by the next call", a_sync_that_fails_meanwhile_is_told_by_the_next_call},
        {"without room for more starts the ends still count", without_room_the_ends_still_count},
        {"id and count are checked against the plan", who_it_is_is_checked},
        {"options of another version are refused", options_of_another_version_are_refused},
        {"options of another version make no replica", options_of_a_replica_are_checked},
        {"options that are shorter are not read to their end", a_shorter_identity_is_not_read},
    };
    never_synced = (struct cfsplit_run_options)CFSPLIT_RUN_OPTIONS_INIT;
    never_synced.sync_every_ms = UINT64_C(3600000);
    unsetenv("REPLICA_ID");
    unsetenv("REPLICA_COUNT");
    scratch_enter();
    return check_main("the door for programs that link the library", cases, sizeof cases / sizeof cases[0]);
}
