#include "queue/pace.h"

#include "queue/queue.h"

enum {
    batch_min = 16,
    short_us = 1000,
    long_us = 20000,
    very_long_us = 100000,
    target_us = 2000,
    mean_of = 32,
    ahead = 2,
    ahead_tiny = 6,
    plenty = 4096,
    apart_us = 200
};

double csi_pace_mean(double mean_us, uint64_t took_us)
{
    double took = took_us > 0 ? (double)took_us : 1;
    return mean_us > 0 ? mean_us + (took - mean_us) / mean_of : took;
}

static uint64_t clamp(double value, uint64_t least, uint64_t most)
{
    return value < (double)least ? least : value > (double)most ? most : (uint64_t)value;
}

/* Short ones: 2 ms of work, at least 16; then fewer and fewer, up to 20 ms of work; long ones one by one. */
static uint64_t by_mean(double mean_us)
{
    if (mean_us <= 0 || mean_us >= long_us)
        return 1;
    if (mean_us < short_us)
        return clamp(target_us / mean_us, batch_min, CSI_QUEUE_BATCH_MAX);
    return clamp(long_us / mean_us, 1, batch_min);
}

/* Many slots: so many that all together ask no more than 5,000 times a second, as far as 64 go, and as long as each still gets
 * eight such batches. */
static uint64_t by_slots(const struct csi_pace_input *in, uint64_t part)
{
    if (in->mean_us <= 0 || in->mean_us >= long_us)
        return 1;
    uint64_t count = clamp((double)in->slots * apart_us / in->mean_us, 1, CSI_QUEUE_BATCH_MAX);
    return count < part / 8 ? count : part / 8;
}

static uint64_t items_of(const struct csi_pace_input *in, uint64_t part)
{
    if (in->batch)
        return clamp((double)in->batch, 1, CSI_QUEUE_BATCH_MAX);
    uint64_t one = by_mean(in->mean_us), all = by_slots(in, part);
    return one > all ? one : all;
}

/* How many batches may wait: more of those that are over before the next one could come, as long as there is plenty for everybody. */
static uint64_t batches_ahead(const struct csi_pace_input *in, uint64_t part)
{
    bool tiny = in->batch == 0 && in->mean_us * CSI_QUEUE_BATCH_MAX <= target_us;
    return tiny && part >= plenty ? ahead_tiny : ahead;
}

/* One that waits behind an item of 100 ms and more would wait for longer than its way takes. Before any has ended nobody knows, and
 * the first ones are the largest: none of them waits behind another. */
struct csi_pace csi_pace_of(const struct csi_pace_input *in)
{
    uint64_t part = in->workers ? (in->ready + in->workers - 1) / in->workers : 1;
    struct csi_pace pace = {.items = items_of(in, part)};
    if (in->ready < 2 * in->slots) /* the tail */
        return (struct csi_pace){.items = 1};
    if (pace.items > part)
        pace.items = part > 0 ? part : 1;
    if (in->mean_us < long_us)
        pace.ahead = in->mean_us > 0 || in->batch ? batches_ahead(in, part) * pace.items : 0;
    else if (in->mean_us < very_long_us)
        pace.ahead = 1;
    return pace;
}
