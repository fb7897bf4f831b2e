/* Many workers of a queue in one process, for bench_queue: each is an identity, a journal and a worker's end of the queue
 * (node/queued.h), no beats; ends are told that stand in no journal, so the run cannot be verified. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stddef.h>
#include <sys/types.h>

double bench_now_us(void);

/* A coordinator alone in this process, until everything is accounted for. Prints peak_kib. Both: an exit status. */
int bench_lead(const char *path);

/* idle_s 0: connects all workers, and then has them take items, which are ended at once, until all are sent home. Else, with as many
 * items as workers: the first one takes all items, the others are connected and wait for so many seconds; then all is ended.
 * Prints items, took_us, lead_cpu_us (of process `lead`, the coordinator's) and own_cpu_us; and how many waited. With item_ms, an item
 * takes so long, or a little longer, and is not ended at once; it prints busy, too: the part of all workers' time, until the last
 * item has ended, in which they had an item to do, and item_us, what one took: more than item_ms as far as this process is late. */
int bench_crowd(const char *path, size_t workers, pid_t lead, long idle_s, long item_ms);

#endif
