/* The heart: how long it was silent is told once, even if it beats again before anybody asks. */
#include "node/heart.h"

#include <time.h>

#include "lib/rundir.h"

enum { interval_ms = 5, asleep_ms = 60000, tries_max = 6000 };

static struct cfsplit_run *run;

static uint64_t on_disk(const char *inc)
{
    struct csi_beat beat;
    CHECK_OK(csi_beat_read(run, inc, &beat, &err));
    return beat.sequence;
}

/* Waits for that beat, a minute at most. */
static void await_beat(const char *inc, uint64_t sequence)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000000L};
    for (int i = 0; i < tries_max && on_disk(inc) < sequence; i++)
        nanosleep(&pause, NULL);
    CHECK(on_disk(inc) >= sequence);
}

static void sleep_is_told_after_the_next_beat(void)
{
    struct csi_inc inc = rundir_inc(run, 1);
    struct csi_heart heart;
    struct cfsplit_error failure;
    CHECK_OK(csi_heart_start(&heart, run, inc.name, interval_ms, &err));
    CHECK(csi_heart_silent_ms(&heart, &failure) < asleep_ms);
    pthread_mutex_lock(&heart.lock);
    heart.last_boot_ms -= asleep_ms; /* as if the whole process had been stopped for so long */
    uint64_t before = heart.beat.sequence;
    pthread_mutex_unlock(&heart.lock);
    await_beat(inc.name, before + 2); /* the one before it is noted */
    CHECK(csi_heart_silent_ms(&heart, &failure) >= asleep_ms);
    CHECK(csi_heart_silent_ms(&heart, &failure) < asleep_ms);
    CHECK_EQUAL(failure.status, CFSPLIT_OK);
    csi_heart_stop(&heart, CSI_BEAT_FINISHED);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"a sleep is told, once, after the next beat", sleep_is_told_after_the_next_beat},
    };
    scratch_enter();
    run = rundir_new("r.run", 4, 1);
    int code = check_main("the heart", cases, sizeof cases / sizeof cases[0]);
    cfsplit_run_close(run);
    return code;
}
