/* Links between workers and the coordinator: ZeroMQ with CURVE, one DEALER to one ROUTER. Frames go in and out; what they say is
 * for others. Nothing blocks but csi_server_wait and closing. One thread at a time for each object, and only the process that
 * opened it: a child that was forked may close it, which frees the memory and leaves the sockets alone (they are closed on exec). */
#ifndef CSI_NET_NET_H
#define CSI_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    CSI_NET_KEY_BYTES = 41,
    CSI_NET_ADDRESS_BYTES = 128,
    CSI_NET_PEER_BYTES = 5,
    CSI_NET_PLACE_BYTES = 96,
    CSI_NET_FRAME_MAX = 1 << 20, /* bytes; who hands over a longer one gets CFSPLIT_USAGE */
};

struct csi_net_keys { /* Z85, NUL-terminated */
    char open[CSI_NET_KEY_BYTES], secret[CSI_NET_KEY_BYTES];
};
CFSPLIT_MUST_USE cfsplit_status csi_net_new_keys(struct csi_net_keys *out, struct cfsplit_error *err);

/* ---- the coordinator's end */

struct csi_server;

struct csi_server_options {
    const char *client_key; /* the public key of those who are let in */
    const char *ipc;        /* "@name": also bound as an abstract socket; NULL: not */
    const char *bind;       /* --bind: numeric address to bind TCP to; "none": no TCP; NULL: all interfaces */
    size_t connections;     /* so many must be possible (RLIMIT_NOFILE, which stays as it is); 0: not looked at */
};

/* Binds (the ZAP handler first) and draws a key pair. Errors: CFSPLIT_UNREACHABLE with what cannot be bound, CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_server_open(const struct csi_server_options *options, struct csi_server **out,
                                                struct cfsplit_error *err);
/* Drops what was not sent. NULL is fine. */
void csi_server_close(struct csi_server *server);

const char *csi_server_key(const struct csi_server *server); /* its public key */

/* "tcp://192.0.2.7:40123": the addresses that others may reach it at, numeric, loopback last; NULL behind the last. */
const char *csi_server_address(const struct csi_server *server, size_t i);

struct csi_net_peer { /* a connection; a worker that comes again has another */
    unsigned char id[CSI_NET_PEER_BYTES];
    unsigned char length;
};

/* Waits for anything to do, up to timeout_ms, or until `wake_fd` (-1: none) is readable, and answers handshakes. *woken tells about wake_fd.
 * Errors: CFSPLIT_UNREACHABLE if the sockets are gone. */
CFSPLIT_MUST_USE cfsplit_status csi_server_wait(struct csi_server *server, int timeout_ms, int wake_fd, bool *woken,
                                                struct cfsplit_error *err);

/* The next frame, borrowed until the next call. CFSPLIT_END: none now. */
CFSPLIT_MUST_USE cfsplit_status csi_server_take(struct csi_server *server, struct csi_net_peer *peer,
                                                const void **frame, size_t *length, struct cfsplit_error *err);

/* Hands a frame over. CFSPLIT_END: that peer takes nothing now, or is gone: nothing was sent. */
CFSPLIT_MUST_USE cfsplit_status csi_server_put(struct csi_server *server, const struct csi_net_peer *peer,
                                               const void *frame, size_t length, struct cfsplit_error *err);

struct csi_server_counts {
    uint64_t accepted;     /* handshakes */
    uint64_t refused;      /* wrong key, no key, no handshake at all: these are counted seconds later */
    uint64_t disconnected; /* connections that ended, refused ones too */
    uint64_t oversized;    /* frames a little too long, dropped; much too long, libzmq ends the connection */
    uint64_t malformed;    /* messages of more than one frame, dropped */
};
void csi_server_count(const struct csi_server *server, struct csi_server_counts *out);

/* ---- a worker's end */

struct csi_link;

/* Begins to connect; whether anybody is there shows when a frame comes. Errors: CFSPLIT_UNREACHABLE for what is no address
 * or no key. */
CFSPLIT_MUST_USE cfsplit_status csi_link_open(const char *address, const char *server_key,
                                              const struct csi_net_keys *keys, struct csi_link **out,
                                              struct cfsplit_error *err);
void csi_link_close(struct csi_link *link); /* sends what can be sent within 200 ms; NULL is fine */

/* Readable when csi_link_take may have a frame. It is told once: take until CFSPLIT_END, also after each put, before waiting for it. */
int csi_link_fd(const struct csi_link *link);

CFSPLIT_MUST_USE cfsplit_status csi_link_take(struct csi_link *link, const void **frame, size_t *length,
                                              struct cfsplit_error *err);
CFSPLIT_MUST_USE cfsplit_status csi_link_put(struct csi_link *link, const void *frame, size_t length,
                                             struct cfsplit_error *err);

/* "<boot id> <network namespace>" of this process: who has the same may meet at an abstract socket. Empty: not known. */
void csi_net_place(char out[CSI_NET_PLACE_BYTES]);

#endif
