#include "base/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "base/error.h"

cfsplit_status csi_thread_start(pthread_t *thread, void *(*work)(void *argument), void *argument,
                                struct cfsplit_error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, work, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? csi_fail_errno(err, CFSPLIT_MEMORY, failed, "cannot start a thread") : CFSPLIT_OK;
}

static atomic_uint forks;
static int cannot_count;

static void count_fork(void)
{
    forks++;
}

static void begin_to_count(void)
{
    cannot_count = pthread_atfork(NULL, NULL, count_fork);
}

cfsplit_status csi_thread_count_forks(struct cfsplit_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin_to_count);
    return cannot_count ? csi_fail_memory(err) : CFSPLIT_OK;
}

unsigned csi_thread_forks(void)
{
    return forks;
}

void csi_thread_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void csi_thread_wait(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t until_ms)
{
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000 * 1000000)};
    if (until_ms == UINT64_MAX)
        pthread_cond_wait(condition, lock);
    else
        pthread_cond_timedwait(condition, lock, &until);
}

unsigned csi_thread_processors(void)
{
    for (size_t count = 1024; count <= 1u << 20; count *= 4) {
        cpu_set_t *mask = CPU_ALLOC(count);
        size_t size = CPU_ALLOC_SIZE(count);
        if (!mask)
            return 0;
        int found = sched_getaffinity(0, size, mask) == 0 ? CPU_COUNT_S(size, mask) : -1;
        CPU_FREE(mask);
        if (found >= 0) /* else the kernel's mask is larger than ours */
            return (unsigned)found;
    }
    return 0;
}

void csi_thread_team(size_t most, void *(*work)(void *argument), void *argument)
{
    enum { helpers_max = 3 };
    pthread_t helpers[helpers_max];
    size_t here = csi_thread_processors(), wanted = most < here ? most : here, started = 0;
    while (started < helpers_max && started + 1 < wanted &&
           csi_thread_start(&helpers[started], work, argument, NULL) == CFSPLIT_OK)
        started++;
    work(argument);
    for (size_t i = 0; i < started; i++)
        pthread_join(helpers[i], NULL);
}
