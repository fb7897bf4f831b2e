/* A program that joins a run through <cfsplit/worker.h> with several threads, for tests.
 *
 *   test_door RUN ID THREADS      ID 0: a spare
 *
 * Each attempt adds a line, its item, to the file door.<ID>, and ends when the file `go` is there. An item whose name begins
 * with "no" is rejected, one with "twice" fails the first time. Exits as `canfar-split run` does. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cfsplit/cfsplit.h>
#include <cfsplit/worker.h>

enum { threads_most = 64 };

static struct cfsplit_worker *worker;
static FILE *log_file;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct cfsplit_error first; /* what ended it, under the lock */

static void keep_first(const struct cfsplit_error *err)
{
    pthread_mutex_lock(&lock);
    if (first.status == CFSPLIT_OK)
        first = *err;
    pthread_mutex_unlock(&lock);
}

static void note(const char *name)
{
    pthread_mutex_lock(&lock);
    if (fprintf(log_file, "%s\n", name) < 0 || fflush(log_file) != 0)
        abort();
    pthread_mutex_unlock(&lock);
}

static cfsplit_status do_one(struct cfsplit_work *work, struct cfsplit_error *err)
{
    const struct timespec moment = {.tv_nsec = 5000000};
    note(work->name);
    do
        nanosleep(&moment, NULL);
    while (access("go", F_OK) != 0);
    if (strncmp(work->name, "no", 2) == 0)
        return cfsplit_item_rejected(worker, work, "nothing in it", err);
    if (strncmp(work->name, "twice", 5) == 0 && work->attempt == 1)
        return cfsplit_item_failed(worker, work, "not yet", err);
    return cfsplit_item_done(worker, work, err);
}

static void *do_all(void *unused)
{
    struct cfsplit_work *work;
    struct cfsplit_error err;
    cfsplit_status status;
    while ((status = cfsplit_item_next(worker, &work, &err)) == CFSPLIT_OK)
        if ((status = do_one(work, &err)) != CFSPLIT_OK)
            break;
    if (status != CFSPLIT_END)
        keep_first(&err);
    return unused;
}

static void say(void *context, const char *sentence)
{
    (void)context;
    fprintf(stderr, "%s\n", sentence);
}

int main(int argc, char **argv)
{
    struct cfsplit_worker_options options = {.size = sizeof options, .say = say};
    struct cfsplit_worker_result result;
    struct cfsplit_error err;
    pthread_t threads[threads_most];
    char path[64];
    int count = argc == 4 ? (int)strtol(argv[3], NULL, 10) : 0;
    if (count < 1 || count > threads_most)
        return 2;
    options.id = (uint32_t)strtol(argv[2], NULL, 10);
    options.spare = options.id == 0;
    snprintf(path, sizeof path, "door.%u", options.id);
    log_file = fopen(path, "a");
    if (!log_file)
        return 2;
    cfsplit_status status = cfsplit_worker_open(argv[1], &options, &worker, &err);
    if (status == CFSPLIT_OK) {
        for (int i = 0; i < count; i++)
            if (pthread_create(&threads[i], NULL, do_all, NULL) != 0)
                abort();
        for (int i = 0; i < count; i++)
            pthread_join(threads[i], NULL);
        status = cfsplit_worker_close(worker, &result, &err);
        printf("%llu done, %llu rejected, %llu failed\n", (unsigned long long)result.done,
               (unsigned long long)result.rejected, (unsigned long long)result.failed);
    }
    fclose(log_file);
    if (status == CFSPLIT_OK && first.status != CFSPLIT_OK) {
        status = first.status;
        err = first;
    }
    if (status != CFSPLIT_OK)
        fprintf(stderr, "%s\n", err.message);
    return cfsplit_status_exit_code(status);
}
