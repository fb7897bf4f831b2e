#include "node/heart.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"

/* One beat, written outside the lock so that nobody waits for the disk. */
static void beat_once(struct csi_heart *heart)
{
    heart->beat.sequence++;
    heart->beat.age_ms = csi_clock_boot_ms() - heart->first_boot_ms;
    struct csi_beat beat = heart->beat;
    pthread_mutex_unlock(&heart->lock);
    struct cfsplit_error failure = heart->failure; /* a file that failed once is never written and synced again */
    cfsplit_status status = failure.status ? failure.status : csi_beat_write(heart->fd, &beat, &failure);
    pthread_mutex_lock(&heart->lock);
    heart->failure = failure;
    if (status != CFSPLIT_OK)
        return;
    uint64_t now = csi_clock_boot_ms();
    if (heart->gap_ms < now - heart->last_boot_ms)
        heart->gap_ms = now - heart->last_boot_ms;
    heart->last_boot_ms = now;
}

/* Up to a quarter less, so that hundreds of replicas do not beat at one moment. */
static uint64_t jittered(uint64_t interval_ms, uint64_t salt)
{
    return interval_ms - (salt * UINT64_C(0x9E3779B97F4A7C15) >> 32) % (interval_ms / 4 + 1);
}

static void *live(void *argument)
{
    struct csi_heart *heart = argument;
    pthread_mutex_lock(&heart->lock);
    while (!heart->stopping) {
        uint64_t until = csi_clock_mono_ms() + jittered(heart->interval_ms, heart->beat.sequence + (uint64_t)getpid());
        while (!heart->stopping && csi_clock_mono_ms() < until)
            csi_thread_wait(&heart->wake, &heart->lock, until);
        if (!heart->stopping)
            beat_once(heart);
    }
    pthread_mutex_unlock(&heart->lock);
    return NULL;
}

cfsplit_status csi_heart_start(struct csi_heart *heart, const struct cfsplit_run *run, const char *inc,
                               uint64_t interval_ms, struct cfsplit_error *err)
{
    *heart = (struct csi_heart){.fd = -1, .interval_ms = interval_ms, .beat = {.sequence = 1}};
    cfsplit_status status = csi_beat_open(run, inc, &heart->fd, err);
    if (status != CFSPLIT_OK)
        return status;
    heart->first_boot_ms = heart->last_boot_ms = csi_clock_boot_ms();
    pthread_mutex_init(&heart->lock, NULL);
    csi_thread_condition(&heart->wake);
    status = csi_thread_start(&heart->thread, live, heart, err);
    heart->started = status == CFSPLIT_OK;
    return status;
}

void csi_heart_tell(struct csi_heart *heart, const struct csi_beat *counts)
{
    pthread_mutex_lock(&heart->lock);
    uint64_t sequence = heart->beat.sequence, state = heart->beat.state;
    heart->beat = *counts;
    heart->beat.sequence = sequence;
    heart->beat.state = state;
    pthread_mutex_unlock(&heart->lock);
}

uint64_t csi_heart_silent_ms(struct csi_heart *heart, struct cfsplit_error *failure)
{
    pthread_mutex_lock(&heart->lock);
    uint64_t silent = csi_clock_boot_ms() - heart->last_boot_ms;
    if (silent < heart->gap_ms)
        silent = heart->gap_ms;
    heart->gap_ms = 0;
    *failure = heart->failure;
    pthread_mutex_unlock(&heart->lock);
    return silent;
}

void csi_heart_stop(struct csi_heart *heart, enum csi_beat_state state)
{
    if (heart->started) {
        pthread_mutex_lock(&heart->lock);
        heart->stopping = true;
        heart->beat.state = state;
        pthread_cond_signal(&heart->wake);
        pthread_mutex_unlock(&heart->lock);
        pthread_join(heart->thread, NULL);
        pthread_mutex_lock(&heart->lock);
        beat_once(heart);
        pthread_mutex_unlock(&heart->lock);
        pthread_cond_destroy(&heart->wake);
        pthread_mutex_destroy(&heart->lock);
        heart->started = false;
    }
    if (heart->fd >= 0)
        close(heart->fd);
    heart->fd = -1;
}
