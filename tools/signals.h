/* Signals as orders to a replica: TERM drains, INT drains and then aborts, USR1 finishes what runs. Only the tool does this,
 * never the library. */
#ifndef TOOLS_SIGNALS_H
#define TOOLS_SIGNALS_H

#include <cfsplit/unstable.h>

struct signals {
    int fd;          /* readable when there is an order */
    int last_signal; /* 0: none that ends us came */
    enum cfsplit_order order;
};

/* Blocks the signals and opens a signalfd for them; SIGPIPE is ignored. */
cfsplit_status signals_open(struct signals *signals, struct cfsplit_error *err);

/* Reads what came; the order so far. For cfsplit_replica_options.wake, with the signals as context. */
enum cfsplit_order signals_read(struct signals *signals);

#endif
