/* What the two ends have in common: libzmq's contexts, options and messages, and the sentences when they fail. */
#ifndef CSI_NET_SOCKET_H
#define CSI_NET_SOCKET_H

#include <zmq.h>

#include "net/net.h"

/* A frame under CURVE is some bytes longer on the way. What is longer ends the connection before it is in memory. */
enum { CSI_NET_ON_THE_WAY_MAX = CSI_NET_FRAME_MAX + 64 };

struct csi_net_option {
    int name; /* ZMQ_... */
    int value;
};

/* A context with one thread of its own. Errors: CFSPLIT_UNREACHABLE, also if no descriptors are left: libzmq would abort. */
CFSPLIT_MUST_USE cfsplit_status csi_net_context(void **out, struct cfsplit_error *err);

/* A socket of `context` with those options, `count` of them. Errors: CFSPLIT_UNREACHABLE, CFSPLIT_MEMORY. */
CFSPLIT_MUST_USE cfsplit_status csi_net_socket(void *context, int type, const struct csi_net_option *options,
                                               size_t count, void **out, struct cfsplit_error *err);

/* An option of libzmq that is text: keys, names. Errors: CFSPLIT_UNREACHABLE. */
CFSPLIT_MUST_USE cfsplit_status csi_net_set_text(void *socket, int option, const char *text, struct cfsplit_error *err);

/* CFSPLIT_UNREACHABLE (or CFSPLIT_MEMORY) with what libzmq's errno says; what failed is `format`. */
cfsplit_status csi_net_fail(struct cfsplit_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes one part, at once. CFSPLIT_END: there is none; CFSPLIT_UNREACHABLE: the socket is gone. */
CFSPLIT_MUST_USE cfsplit_status csi_net_take_part(void *socket, zmq_msg_t *part, struct cfsplit_error *err);

/* Hands one part over, at once; `flags`: ZMQ_SNDMORE or 0. CFSPLIT_END: it takes none now, or who it is for is gone. */
CFSPLIT_MUST_USE cfsplit_status csi_net_put_part(void *socket, const void *data, size_t length, int flags,
                                                 struct cfsplit_error *err);

/* Takes the parts that belong to `part` and come after it, and drops them. */
CFSPLIT_MUST_USE cfsplit_status csi_net_drop_rest(void *socket, zmq_msg_t *part, struct cfsplit_error *err);

/* CFSPLIT_USAGE if that is too long for a frame. */
CFSPLIT_MUST_USE cfsplit_status csi_net_check_length(size_t length, struct cfsplit_error *err);

#endif
