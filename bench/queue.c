/* What a queue gives, through the door; the crowd that it can hand out to is in crowd.c. Prints WORD TAB VALUE, times in microseconds
 * of CLOCK_MONOTONIC.
 *
 *   bench_queue door RUN ID [ITEM-MS]  a replica that does nothing with its items, or sleeps
 *   bench_queue door RUN ID GATE [PID AFTER]  the same that joins, and begins when GATE, a fifo, has a writer; after so many items
 *                                    it kills PID (-9)
 *   bench_queue lead RUN             a coordinator, in a process without a worker, until everything is accounted for
 *   bench_queue crowd RUN WORKERS PID IDLE-S ITEM-MS   so many workers in one process, see crowd.h; PID: the coordinator's
 *   bench_queue sync FILE N          the median and the rate of N times pwrite and fdatasync, in a file whose blocks are there already */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cfsplit/worker.h>

#include "base/error.h"
#include "crowd.h"

enum { sample_max = 1 << 20, bound_s = 600 }; /* whatever hangs ends by SIGALRM */

static double waits[sample_max]; /* each of them, as long as there is room */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return count ? values[count / 2] : 0;
}

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void compute_ms(long ms)
{
    for (double until = bench_now_us() + (double)ms * 1e3; bench_now_us() < until;)
        ;
}

struct door {
    long item_ms;
    const char *gate; /* NULL: none */
    pid_t victim;     /* 0: nobody */
    uint64_t after;
    uint64_t count;
    double began, killed,
        longest;          /* when the first item came, when somebody was killed, the longest wait from then on */
    double longest_end_s; /* since 1970: when that was over */
};

static double since_1970_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool wait_at(const char *gate)
{
    int fd = open(gate, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void note_wait(struct door *d, double us)
{
    if (d->count < sample_max)
        waits[d->count] = us;
    if (d->count > 0 && (d->victim == 0 || d->killed > 0) && us > d->longest) {
        d->longest = us;
        d->longest_end_s = since_1970_s();
    }
    d->count++;
}

static cfsplit_status work(struct cfsplit_worker *worker, struct door *d, struct cfsplit_error *err)
{
    struct cfsplit_work *item;
    cfsplit_status status;
    if (d->gate && !wait_at(d->gate))
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot open '%s'", d->gate);
    double asked = bench_now_us();
    while ((status = cfsplit_item_next(worker, &item, err)) == CFSPLIT_OK) {
        double got = bench_now_us();
        if (d->count == 0)
            d->began = got;
        note_wait(d, got - asked);
        if (d->item_ms > 0)
            compute_ms(d->item_ms);
        status = cfsplit_item_done(worker, item, err);
        if (status != CFSPLIT_OK)
            return status;
        if (d->victim > 0 && d->count == d->after) {
            if (kill(d->victim, SIGKILL) != 0)
                perror("kill");
            d->killed = bench_now_us();
        }
        asked = bench_now_us();
    }
    return status == CFSPLIT_END ? cfsplit_worker_sync(worker, err) : status;
}

static int through_the_door(const char *path, uint32_t id, struct door *d)
{
    const struct cfsplit_worker_options options = {.size = sizeof options, .id = id};
    struct cfsplit_worker_result result;
    struct cfsplit_worker *worker;
    struct cfsplit_error err;
    cfsplit_status status = cfsplit_worker_open(path, &options, &worker, &err);
    if (status == CFSPLIT_OK) {
        status = work(worker, d, &err);
        double ended = bench_now_us();
        cfsplit_status closing = cfsplit_worker_close(worker, &result, status == CFSPLIT_OK ? &err : NULL);
        status = status == CFSPLIT_OK ? closing : status;
        printf("began\t%.0f\nended\t%.0f\ndone\t%" PRIu64 "\n", d->began, ended, result.done);
        printf("wait_longest\t%.0f\nwait_longest_end_s\t%.6f\n", d->longest, d->longest_end_s);
        printf("cpu_us\t%.0f\n", cpu_us());
        printf("wait_median\t%.1f\n", median(waits, d->count < sample_max ? (size_t)d->count : sample_max));
    }
    if (status != CFSPLIT_OK)
        fprintf(stderr, "%s\n", err.message);
    return status == CFSPLIT_OK ? 0 : 1;
}

static int sync_often(const char *name, long count)
{
    static char line[80];
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && count > 0 && count <= sample_max;
    for (long i = 0; good && i < count; i++) /* zeros, as a journal has them ahead */
        good = pwrite(fd, line, sizeof line, i * (long)sizeof line) == (ssize_t)sizeof line;
    good = good && fsync(fd) == 0;
    memset(line, 'x', sizeof line);
    for (long i = 0; good && i < count; i++) {
        double from = bench_now_us();
        good = pwrite(fd, line, sizeof line, i * (long)sizeof line) == (ssize_t)sizeof line && fdatasync(fd) == 0;
        waits[i] = bench_now_us() - from;
    }
    double sum = 0;
    for (long i = 0; i < count; i++)
        sum += waits[i];
    if (good)
        printf("sync_median\t%.1f\nsync_rate\t%.0f\n", median(waits, (size_t)count), (double)count * 1e6 / sum);
    else
        perror(name);
    if (fd >= 0)
        close(fd);
    return !good;
}

static long number(const char *text)
{
    return strtol(text, NULL, 10);
}

/* Each worker of a crowd has a connection of its own. */
static void take_all_descriptors(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        perror("setrlimit");
}

int main(int argc, char **argv)
{
    alarm(bound_s);
    take_all_descriptors();
    if (argc >= 4 && argc <= 7 && argc != 6 && strcmp(argv[1], "door") == 0) {
        struct door d = {.item_ms = argc > 4 ? number(argv[4]) : 0};
        d.gate = argc > 4 && d.item_ms == 0 ? argv[4] : NULL;
        d.victim = argc > 5 ? (pid_t)number(argv[5]) : 0;
        d.after = argc > 5 ? (uint64_t)number(argv[6]) : 0;
        return through_the_door(argv[2], (uint32_t)number(argv[3]), &d);
    }
    if (argc == 3 && strcmp(argv[1], "lead") == 0)
        return bench_lead(argv[2]);
    if (argc == 7 && strcmp(argv[1], "crowd") == 0)
        return bench_crowd(argv[2], (size_t)number(argv[3]), (pid_t)number(argv[4]), number(argv[5]), number(argv[6]));
    if (argc == 4 && strcmp(argv[1], "sync") == 0)
        return sync_often(argv[2], number(argv[3]));
    fprintf(stderr,
            "usage: %s door RUN ID [ITEM-MS | GATE [PID AFTER]] | lead RUN | crowd RUN WORKERS PID IDLE-S ITEM-MS | "
            "sync FILE N\n",
            argv[0]);
    return 2;
}
