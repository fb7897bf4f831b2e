/* All replicas of a run on one machine, each a process of its own that does nothing with its items.
 *
 *   bench_scale run RUN REPLICAS [kill N] [absent N] [seed S] [limit SECONDS]
 *       starts them at one moment, waits for all, and prints what they took: time, calls of storage, memory. `absent` random
 *       ones are never started, `kill` others are killed (-9) when half of the items are done. Ends them all after the limit.
 *   bench_scale peak COMMAND [ARGUMENT...]
 *       runs it; prints how long it took and the most memory it had, on stderr */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cfsplit/worker.h>

#include "calls.h"

struct replica { /* shared with its process */
    pid_t pid;
    bool runs, killed, absent, good;
    uint64_t done, peak_kib, cpu_us;
    uint64_t calls[CALL_COUNT];
};

struct crowd {
    const char *path;
    uint32_t count, kill, absent;
    uint64_t items, seed, limit_s, random;
    struct replica *at; /* shared */
};

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- one replica, in its own process */

static void say(void *context, const char *sentence)
{
    fprintf(stderr, "replica %" PRIu32 ": %s\n", *(uint32_t *)context, sentence);
}

static int be(const struct crowd *crowd, uint32_t id)
{
    struct replica *self = &crowd->at[id - 1];
    const struct cfsplit_worker_options options = {.size = sizeof options, .id = id, .say = say, .context = &id};
    struct cfsplit_worker *worker;
    struct cfsplit_work *work;
    struct cfsplit_error err;
    calls_count_in(self->calls);
    cfsplit_status status = cfsplit_worker_open(crowd->path, &options, &worker, &err);
    while (status == CFSPLIT_OK && (status = cfsplit_item_next(worker, &work, &err)) == CFSPLIT_OK) {
        status = cfsplit_item_done(worker, work, &err);
        __atomic_store_n(&self->done, self->done + 1, __ATOMIC_RELAXED);
    }
    if (status == CFSPLIT_END)
        status = cfsplit_worker_close(worker, NULL, &err);
    if (status != CFSPLIT_OK)
        say(&id, err.message);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    self->cpu_us = (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
                   (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    self->peak_kib = (uint64_t)used.ru_maxrss;
    self->good = status == CFSPLIT_OK;
    return !self->good;
}

/* ---- all of them */

static uint64_t next_random(struct crowd *crowd, uint64_t below)
{
    crowd->random = crowd->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (crowd->random >> 33) % below;
}

static void pick_absent(struct crowd *crowd)
{
    for (uint32_t left = crowd->absent; left > 0;) {
        struct replica *r = &crowd->at[next_random(crowd, crowd->count)];
        left -= !r->absent;
        r->absent = true;
    }
}

/* Each waits at the gate, a pipe, until it is closed. */
static bool start(struct crowd *crowd)
{
    int gate[2];
    char nothing;
    if (pipe(gate) != 0)
        return false;
    for (uint32_t i = 0; i < crowd->count; i++) {
        struct replica *r = &crowd->at[i];
        if (r->absent)
            continue;
        pid_t pid = fork();
        if (pid == 0) {
            close(gate[1]);
            while (read(gate[0], &nothing, 1) < 0 && errno == EINTR)
                ;
            close(gate[0]);
            exit(be(crowd, i + 1));
        }
        r->pid = pid;
        r->runs = pid > 0;
        if (!r->runs)
            perror("fork");
    }
    close(gate[0]);
    close(gate[1]);
    return true;
}

static uint64_t all_done(const struct crowd *crowd)
{
    uint64_t done = 0;
    for (uint32_t i = 0; i < crowd->count; i++)
        done += __atomic_load_n(&crowd->at[i].done, __ATOMIC_RELAXED);
    return done;
}

/* Takes leave of those that have ended; how many still run. */
static uint32_t reap(struct crowd *crowd)
{
    uint32_t running = 0;
    for (uint32_t i = 0; i < crowd->count; i++) {
        struct replica *r = &crowd->at[i];
        if (r->runs && waitpid(r->pid, NULL, WNOHANG) == r->pid)
            r->runs = false;
        running += r->runs;
    }
    return running;
}

static void kill_some(struct crowd *crowd, uint32_t running)
{
    uint32_t left = crowd->kill < running ? crowd->kill : running;
    while (left > 0) {
        struct replica *r = &crowd->at[next_random(crowd, crowd->count)];
        if (!r->runs || r->killed)
            continue;
        kill(r->pid, SIGKILL);
        r->killed = true;
        left--;
    }
}

/* Waits for all; false if they had to be ended. */
static bool watch(struct crowd *crowd)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000000L};
    uint64_t until = now_ms() + crowd->limit_s * 1000;
    bool killed = crowd->kill == 0;
    for (uint32_t running; (running = reap(crowd)) > 0; nanosleep(&pause, NULL)) {
        if (!killed && all_done(crowd) >= crowd->items / 2) {
            kill_some(crowd, running);
            killed = true;
        }
        if (now_ms() < until)
            continue;
        for (uint32_t i = 0; i < crowd->count; i++)
            if (crowd->at[i].runs)
                kill(crowd->at[i].pid, SIGKILL);
        fprintf(stderr, "%" PRIu32 " still ran after %" PRIu64 " s\n", running, crowd->limit_s);
        return false;
    }
    return true;
}

/* ---- what it took */

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Median, maximum and sum over those that came to their end. `offset`: of a uint64_t in struct replica. */
static void print_spread(const struct crowd *crowd, const char *word, size_t offset)
{
    uint64_t *all = calloc(crowd->count + 1, sizeof *all), sum = 0;
    size_t n = 0;
    for (uint32_t i = 0; all && i < crowd->count; i++) {
        if (!crowd->at[i].good)
            continue;
        memcpy(&all[n], (const char *)&crowd->at[i] + offset, sizeof *all);
        sum += all[n++];
    }
    if (n > 0) {
        qsort(all, n, sizeof *all, by_size);
        printf("%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", word, all[n / 2], all[n - 1], sum);
    }
    free(all);
}

static bool print_all(const struct crowd *crowd, uint64_t took_ms)
{
    uint32_t ended = 0, failed = 0, killed = 0;
    char word[32];
    for (uint32_t i = 0; i < crowd->count; i++) {
        ended += crowd->at[i].good;
        killed += crowd->at[i].killed;
        failed += !crowd->at[i].good && !crowd->at[i].killed && !crowd->at[i].absent;
    }
    printf("took_ms\t%" PRIu64 "\nended\t%" PRIu32 "\nfailed\t%" PRIu32 "\nkilled\t%" PRIu32 "\nabsent\t%" PRIu32 "\n",
           took_ms, ended, failed, killed, crowd->absent);
    print_spread(crowd, "items", offsetof(struct replica, done));
    print_spread(crowd, "peak_kib", offsetof(struct replica, peak_kib));
    print_spread(crowd, "cpu_us", offsetof(struct replica, cpu_us));
    for (int call = 0; call < CALL_COUNT; call++) {
        snprintf(word, sizeof word, "calls.%s", call_words[call]);
        print_spread(crowd, word, offsetof(struct replica, calls) + (size_t)call * sizeof(uint64_t));
    }
    return failed == 0;
}

static int run_all(struct crowd *crowd, int argc, char **argv)
{
    const struct {
        const char *word;
        uint64_t *to;
    } numbers[] = {{"seed", &crowd->seed}, {"limit", &crowd->limit_s}, {"items", &crowd->items}};
    for (int i = 0; i + 1 < argc; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "kill") == 0)
            crowd->kill = (uint32_t)value;
        if (strcmp(argv[i], "absent") == 0)
            crowd->absent = (uint32_t)value;
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
            if (strcmp(argv[i], numbers[k].word) == 0)
                *numbers[k].to = value;
    }
    size_t bytes = crowd->count * sizeof *crowd->at;
    crowd->at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (crowd->at == MAP_FAILED || crowd->absent >= crowd->count) {
        fprintf(stderr, "cannot have so many\n");
        return 2;
    }
    crowd->random = crowd->seed;
    pick_absent(crowd);
    uint64_t from = now_ms();
    bool good = start(crowd) && watch(crowd);
    good &= print_all(crowd, now_ms() - from);
    munmap(crowd->at, bytes);
    return !good;
}

static int peak(char **command)
{
    uint64_t from = now_ms();
    struct rusage used;
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
        return 127;
    fprintf(stderr, "took_ms\t%" PRIu64 "\npeak_kib\t%ld\n", now_ms() - from, used.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int main(int argc, char **argv)
{
    struct crowd crowd = {.limit_s = 600};
    if (argc >= 3 && strcmp(argv[1], "peak") == 0)
        return peak(argv + 2);
    if (argc < 4 || strcmp(argv[1], "run") != 0 || (crowd.count = (uint32_t)strtoul(argv[3], NULL, 10)) == 0) {
        fprintf(stderr, "usage: %s run RUN REPLICAS [WORD NUMBER]... | peak COMMAND...\n", argv[0]);
        return 2;
    }
    crowd.path = argv[2];
    return run_all(&crowd, argc - 4, argv + 4);
}
