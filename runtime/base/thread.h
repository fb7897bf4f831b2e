/* Threads of the library's own, and waiting until a time. */
#ifndef CSI_BASE_THREAD_H
#define CSI_BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include <cfsplit/error.h>

/* Starts a thread that no signal is ever delivered to: handlers are the program's, and run in its threads. */
CFSPLIT_MUST_USE cfsplit_status csi_thread_start(pthread_t *thread, void *(*work)(void *argument), void *argument,
                                                 struct cfsplit_error *err);

/* From here on csi_thread_forks tells another number in a child that was forked than in its parent. Errors: CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_thread_count_forks(struct cfsplit_error *err);
unsigned csi_thread_forks(void);

/* How many processors this process may run on, by its affinity mask (taskset, Slurm, cpusets); 0: it cannot be read. */
unsigned csi_thread_processors(void);

/* Does one piece of work in this thread and in helpers, `most` in all and no more than there are processors, up to 4; returns
 * when all have returned. A helper that cannot be started is done without. */
void csi_thread_team(size_t most, void *(*work)(void *argument), void *argument);

/* A condition that csi_thread_wait can be told a time for. */
void csi_thread_condition(pthread_cond_t *condition);

/* Waits for a signal until csi_clock_mono_ms() is `until_ms`, UINT64_MAX: for ever; may return early. The lock is held. */
void csi_thread_wait(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t until_ms);

#endif
