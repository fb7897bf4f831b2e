/* Counts what this process asks of storage: the program that links calls.c stands between the library and libc. */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include <stdint.h>

enum call { CALL_OPEN, CALL_LIST, CALL_READ, CALL_STAT, CALL_WRITE, CALL_SYNC, CALL_LINK, CALL_REMOVE, CALL_COUNT };
extern const char *const call_words[CALL_COUNT];

/* Where calls are counted from now on; borrowed. /proc is not storage, and close(2) is not counted. */
void calls_count_in(uint64_t counts[CALL_COUNT]);

#endif
