/* How many items go to a worker at a time. Part of the queue (queue/queue.h). */
#ifndef CSI_QUEUE_PACE_H
#define CSI_QUEUE_PACE_H

#include <stdint.h>

struct csi_pace {
    uint64_t items; /* in a batch, at least 1 */
    uint64_t ahead; /* how many the worker may keep waiting */
};

struct csi_pace_input {
    double mean_us;          /* of an item; 0: not known */
    uint64_t batch;          /* as told; 0: by the mean */
    uint64_t ready;          /* items that may go to anybody now */
    uint64_t slots, workers; /* of all */
};

struct csi_pace csi_pace_of(const struct csi_pace_input *in);

/* The mean after one item more: the last 32 or so weigh most. 0: none is known. */
double csi_pace_mean(double mean_us, uint64_t took_us);

#endif
