/* Two processes that send messages of 64 bytes to each other, over bare sockets or ZeroMQ, for bench_limits. All addresses are
 * of this machine: 127.0.0.1, or abstract Unix sockets. The ways:
 *   tcp, unix               bare stream sockets, TCP_NODELAY; a write for each call of talk_send
 *   plain-tcp, plain-ipc    ZeroMQ, a DEALER and a ROUTER as in the queue of canfar-split
 *   curve-tcp, curve-ipc    the same, encrypted */
#ifndef BENCH_TALK_H
#define BENCH_TALK_H

#include <stdbool.h>

enum { talk_bytes = 64 };

struct talk;

/* What the other process does: sends so many messages back, each when it has come, or one when all have come. */
struct talk_plan {
    long messages;
    bool echo;
};

/* Starts the other process, and connects. NULL with errno on failure, also for a way that there is not. Yours to close. */
struct talk *talk_open(const char *way, struct talk_plan plan);

/* Sends so many messages, waits for so many. False with errno on failure. */
bool talk_send(struct talk *talk, long messages);
bool talk_take(struct talk *talk, long messages);

/* Waits for the end of the other process; false if it failed. NULL is left alone, and false. */
bool talk_close(struct talk *talk);

#endif
