#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "net/address.h"
#include "net/keys.h"
#include "net/socket.h"

struct csi_link {
    pid_t pid; /* that opened it */
    void *context, *dealer;
    int fd;
    zmq_msg_t frame; /* the last that was taken */
};

static cfsplit_status open_dealer(struct csi_link *link, struct cfsplit_error *err)
{
    static const struct csi_net_option options[] = {
        {ZMQ_LINGER, 200},
        {ZMQ_IPV6, 1},
        {ZMQ_IMMEDIATE, 0},
        {ZMQ_RCVHWM, 1000},
        {ZMQ_SNDHWM, 1000},
        {ZMQ_RECONNECT_IVL, 100},
        {ZMQ_RECONNECT_IVL_MAX, 2000},
        {ZMQ_CONNECT_TIMEOUT, 2000},
        {ZMQ_HANDSHAKE_IVL, 5000},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_TCP_KEEPALIVE_IDLE, 60},
        {ZMQ_TCP_MAXRT, 60000},
    };
    return csi_net_socket(link->context, ZMQ_DEALER, options, sizeof options / sizeof options[0], &link->dealer, err);
}

static cfsplit_status set_keys(struct csi_link *link, const char *server_key, const struct csi_net_keys *keys,
                               struct cfsplit_error *err)
{
    unsigned char raw[CSI_NET_RAW_KEY_BYTES];
    if (!csi_net_key_bytes(server_key, raw))
        return csi_fail(err, CFSPLIT_UNREACHABLE, "the key of the queue's other end is none");
    bool whole = csi_net_key_bytes(keys->open, raw) && csi_net_key_bytes(keys->secret, raw);
    explicit_bzero(raw, sizeof raw);
    if (!whole)
        return csi_fail(err, CFSPLIT_UNREACHABLE, "the client key of the queue is none");
    cfsplit_status status = csi_net_set_text(link->dealer, ZMQ_CURVE_SERVERKEY, server_key, err);
    if (status == CFSPLIT_OK)
        status = csi_net_set_text(link->dealer, ZMQ_CURVE_PUBLICKEY, keys->open, err);
    if (status == CFSPLIT_OK)
        status = csi_net_set_text(link->dealer, ZMQ_CURVE_SECRETKEY, keys->secret, err);
    return status;
}

static cfsplit_status connect_dealer(struct csi_link *link, const char *address, struct cfsplit_error *err)
{
    size_t length = sizeof link->fd;
    if (zmq_connect(link->dealer, address) != 0 || zmq_getsockopt(link->dealer, ZMQ_FD, &link->fd, &length) != 0)
        return csi_net_fail(err, "cannot connect to %s", csi_quote(address).text);
    return CFSPLIT_OK;
}

cfsplit_status csi_link_open(const char *address, const char *server_key, const struct csi_net_keys *keys,
                             struct csi_link **out, struct cfsplit_error *err)
{
    *out = NULL;
    if (!csi_net_is_address(address)) /* libzmq would look a name up for ever */
        return csi_fail(err, CFSPLIT_UNREACHABLE, "cannot connect to %s: no numeric address", csi_quote(address).text);
    struct csi_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return csi_fail_memory(err);
    link->pid = getpid();
    link->fd = -1;
    zmq_msg_init(&link->frame);
    cfsplit_status status = csi_net_context(&link->context, err);
    if (status == CFSPLIT_OK)
        status = open_dealer(link, err);
    if (status == CFSPLIT_OK)
        status = set_keys(link, server_key, keys, err);
    if (status == CFSPLIT_OK)
        status = connect_dealer(link, address, err);
    if (status == CFSPLIT_OK)
        *out = link;
    else
        csi_link_close(link);
    return status;
}

void csi_link_close(struct csi_link *link)
{
    if (link == NULL)
        return;
    if (link->pid == getpid()) { /* in a child that was forked, there is no thread that would end them */
        zmq_msg_close(&link->frame);
        if (link->dealer)
            zmq_close(link->dealer);
        if (link->context)
            zmq_ctx_term(link->context);
    }
    free(link);
}

int csi_link_fd(const struct csi_link *link)
{
    return link->fd;
}

/* libzmq has read its own descriptor dry when it says that there is none: what comes later makes it readable again. */
cfsplit_status csi_link_take(struct csi_link *link, const void **frame, size_t *length, struct cfsplit_error *err)
{
    *frame = NULL;
    *length = 0;
    bool single = false;
    while (!single) {
        cfsplit_status status = csi_net_take_part(link->dealer, &link->frame, err);
        single = status == CFSPLIT_OK && !zmq_msg_more(&link->frame);
        if (status == CFSPLIT_OK)
            status = csi_net_drop_rest(link->dealer, &link->frame, err);
        if (status != CFSPLIT_OK)
            return status;
    }
    *frame = zmq_msg_data(&link->frame);
    *length = zmq_msg_size(&link->frame);
    return CFSPLIT_OK;
}

cfsplit_status csi_link_put(struct csi_link *link, const void *frame, size_t length, struct cfsplit_error *err)
{
    cfsplit_status status = csi_net_check_length(length, err);
    return status == CFSPLIT_OK ? csi_net_put_part(link->dealer, frame, length, 0, err) : status;
}
