/* What becomes of the connections to a server, as libzmq tells it. Strangers decide how often that is: a bounded number of tellings
 * is read at once, and what is not read yet is in memory, 200 bytes or so for each. */
#ifndef CSI_NET_MONITOR_H
#define CSI_NET_MONITOR_H

#include "net/net.h"

struct csi_monitor {
    void *socket;
    uint64_t came;   /* connections */
    uint64_t in;     /* of these, handshakes that succeeded */
    uint64_t failed; /* and those that libzmq calls failed */
    uint64_t ended;  /* connections, of any kind */
    uint64_t refused;
    uint64_t mark, next_mark; /* came, at two moments: all before `mark` had the time to shake hands */
    uint64_t next_mark_ms;
};

/* Begins to listen to what is said about `socket` of `context`, which is not bound yet. Errors: CFSPLIT_UNREACHABLE. */
CFSPLIT_MUST_USE cfsplit_status csi_monitor_open(struct csi_monitor *monitor, void *context, void *socket,
                                                 struct cfsplit_error *err);
void csi_monitor_close(struct csi_monitor *monitor);

/* Reads what was told. A connection had the time to shake hands when it is `handshake_ms` old. Errors: CFSPLIT_UNREACHABLE. */
CFSPLIT_MUST_USE cfsplit_status csi_monitor_read(struct csi_monitor *monitor, uint64_t now_ms, uint64_t handshake_ms,
                                                 struct cfsplit_error *err);

#endif
