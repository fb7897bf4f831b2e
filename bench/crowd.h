/* Many workers of a queue in one process, for bench_queue: each is an identity, a journal and a worker's end of the queue
 * (node/queued.h), no beats; ends are told that stand in no journal, so the run cannot be verified. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stddef.h>
#include <sys/types.h>

double bench_now_us(void);

/* A coordinator alone in this process, until everything is accounted for. Prints peak_kib. Both: an exit status. */
int bench_lead(const char *path);

/* Connects all workers, and then has them take items until all are sent home. What is taken is ended at once, or after so many seconds
 * if `seconds` is not 0. Prints, from the moment when all are connected: items, took_us, lead_cpu_us (of process `lead`),
 * own_cpu_us. */
int bench_crowd(const char *path, size_t workers, pid_t lead, long seconds);

#endif
