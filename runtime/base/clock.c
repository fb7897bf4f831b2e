#include "base/clock.h"

#include <time.h>

static uint64_t read_ms(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t); /* cannot fail for these clocks */
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t csi_clock_mono_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

uint64_t csi_clock_boot_ms(void)
{
    return read_ms(CLOCK_BOOTTIME);
}

uint64_t csi_clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}
