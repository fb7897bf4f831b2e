/* What the in-process door costs. Prints microseconds an item.
 *
 *   bench_door group RUN          next + done of every item that this replica gets; synced in groups
 *   bench_door sync RUN           next + done + sync of every one
 *   bench_door bare FILE N BYTES  no door: N times pwrite of BYTES and fdatasync, in a file whose blocks are there already */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cfsplit/worker.h>

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int through_the_door(const char *path, bool sync_each)
{
    const struct cfsplit_worker_options options = {.size = sizeof options, .id = 1};
    struct cfsplit_worker_result result;
    struct cfsplit_worker *worker;
    struct cfsplit_work *work;
    struct cfsplit_error err;
    cfsplit_status status = cfsplit_worker_open(path, &options, &worker, &err);
    if (status != CFSPLIT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    double from = now_us();
    while ((status = cfsplit_item_next(worker, &work, &err)) == CFSPLIT_OK) {
        status = cfsplit_item_done(worker, work, &err);
        if (status == CFSPLIT_OK && sync_each)
            status = cfsplit_worker_sync(worker, &err);
        if (status != CFSPLIT_OK)
            break;
    }
    if (status == CFSPLIT_END)
        status = cfsplit_worker_sync(worker, &err);
    double took = now_us() - from;
    if (status == CFSPLIT_OK)
        status = cfsplit_worker_close(worker, &result, &err);
    if (status != CFSPLIT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("%.2f\n", took / (double)result.done);
    return 0;
}

static int bare(const char *name, long count, long bytes)
{
    static char line[4096];
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && bytes > 0 && bytes <= (long)sizeof line;
    for (long i = 0; good && i < count; i++) /* zeros, as a journal has them ahead */
        good = pwrite(fd, line, (size_t)bytes, i * bytes) == bytes;
    good = good && fsync(fd) == 0;
    memset(line, 'x', sizeof line);
    double from = now_us();
    for (long i = 0; good && i < count; i++)
        good = pwrite(fd, line, (size_t)bytes, i * bytes) == bytes && fdatasync(fd) == 0;
    if (good)
        printf("%.2f\n", (now_us() - from) / (double)count);
    else
        perror(name);
    if (fd >= 0)
        close(fd);
    return !good;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "group") == 0)
        return through_the_door(argv[2], false);
    if (argc == 3 && strcmp(argv[1], "sync") == 0)
        return through_the_door(argv[2], true);
    if (argc == 5 && strcmp(argv[1], "bare") == 0)
        return bare(argv[2], strtol(argv[3], NULL, 10), strtol(argv[4], NULL, 10));
    fprintf(stderr, "usage: %s group RUN | sync RUN | bare FILE N BYTES\n", argv[0]);
    return 2;
}
