#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "net/address.h"
#include "net/monitor.h"
#include "net/socket.h"
#include "net/zap.h"

enum { handshake_ms = 5000, handshake_slack_ms = 1000, dropped_at_once_max = 64, own_descriptors = 64 };

struct csi_server {
    pid_t pid; /* that opened it */
    void *context, *zap, *router;
    struct csi_monitor monitor;
    char key[CSI_NET_KEY_BYTES];
    unsigned char client_key[CSI_NET_RAW_KEY_BYTES];
    struct csi_net_addresses addresses;
    uint64_t malformed, oversized;
    zmq_msg_t frame; /* the last that was taken */
};

/* Descriptors are the program's: it is told, and may raise the limit. */
static cfsplit_status check_descriptors(size_t connections, struct cfsplit_error *err)
{
    struct rlimit limit;
    if (connections == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= connections + own_descriptors)
        return CFSPLIT_OK;
    return csi_fail(err, CFSPLIT_UNREACHABLE, "%zu connections need %zu open files, but the limit is %llu (ulimit -n)",
                    connections, connections + own_descriptors, (unsigned long long)limit.rlim_cur);
}

static cfsplit_status open_router(struct csi_server *server, struct cfsplit_error *err)
{
    static const struct csi_net_option options[] = {
        {ZMQ_LINGER, 0},           {ZMQ_IPV6, 1},
        {ZMQ_ROUTER_MANDATORY, 1}, {ZMQ_CURVE_SERVER, 1},
        {ZMQ_RCVHWM, 10000},       {ZMQ_SNDHWM, 1000},
        {ZMQ_BACKLOG, 1024},       {ZMQ_HANDSHAKE_IVL, handshake_ms},
        {ZMQ_TCP_KEEPALIVE, 1},    {ZMQ_TCP_KEEPALIVE_IDLE, 60},
        {ZMQ_TCP_MAXRT, 60000},
    };
    cfsplit_status status =
        csi_net_socket(server->context, ZMQ_ROUTER, options, sizeof options / sizeof options[0], &server->router, err);
    return status == CFSPLIT_OK ? csi_net_set_text(server->router, ZMQ_ZAP_DOMAIN, csi_zap_domain, err) : status;
}

static cfsplit_status draw_keys(struct csi_server *server, struct cfsplit_error *err)
{
    struct csi_net_keys keys;
    cfsplit_status status = csi_net_new_keys(&keys, err);
    if (status == CFSPLIT_OK)
        status = csi_net_set_text(server->router, ZMQ_CURVE_SECRETKEY, keys.secret, err);
    memcpy(server->key, keys.open, sizeof server->key);
    explicit_bzero(&keys, sizeof keys);
    return status;
}

static cfsplit_status bind_ipc(struct csi_server *server, const char *name, struct cfsplit_error *err)
{
    char address[CSI_NET_ADDRESS_BYTES];
    int length = snprintf(address, sizeof address, "ipc://%s", name);
    if (length >= (int)sizeof address || !csi_net_is_address(address))
        return csi_fail(err, CFSPLIT_UNREACHABLE, "cannot bind to %s: no name of an abstract socket",
                        csi_quote(name).text);
    if (zmq_bind(server->router, address) != 0)
        return csi_net_fail(err, "cannot bind to %s", csi_quote(address).text);
    return CFSPLIT_OK;
}

/* With IPv6 on, libzmq would bind to an IPv4 address by its IPv6 form, and name it so. */
static int bind_as(void *router, const char *address, bool v6)
{
    const int on = v6;
    return zmq_setsockopt(router, ZMQ_IPV6, &on, sizeof on) == 0 ? zmq_bind(router, address) : -1;
}

/* All interfaces: one socket for both families, or IPv4 alone where there is nothing else. */
static int bind_everywhere(void *router)
{
    return bind_as(router, "tcp://*:*", true) == 0 ? 0 : bind_as(router, "tcp://0.0.0.0:*", false);
}

static cfsplit_status bind_tcp(struct csi_server *server, const char *where, struct cfsplit_error *err)
{
    char address[CSI_NET_ADDRESS_BYTES], endpoint[CSI_NET_ADDRESS_BYTES];
    bool v6 = true;
    if (where && !csi_net_bind_address(where, address, &v6))
        return csi_fail(err, CFSPLIT_UNREACHABLE, "cannot bind to %s: no numeric address", csi_quote(where).text);
    if ((where ? bind_as(server->router, address, v6) : bind_everywhere(server->router)) != 0)
        return csi_net_fail(err, "cannot bind to %s", where ? csi_quote(where).text : "any network interface");
    size_t length = sizeof endpoint;
    if (zmq_getsockopt(server->router, ZMQ_LAST_ENDPOINT, endpoint, &length) != 0)
        return csi_net_fail(err, "cannot tell where the queue listens");
    return csi_net_list_addresses(endpoint, &server->addresses, err);
}

/* In this order: nobody can connect before the handler is there that refuses them. */
static cfsplit_status open_all(struct csi_server *server, const struct csi_server_options *options,
                               struct cfsplit_error *err)
{
    cfsplit_status status = csi_net_context(&server->context, err);
    if (status == CFSPLIT_OK)
        status = csi_zap_open(server->context, &server->zap, err);
    if (status == CFSPLIT_OK)
        status = open_router(server, err);
    if (status == CFSPLIT_OK)
        status = draw_keys(server, err);
    if (status == CFSPLIT_OK)
        status = csi_monitor_open(&server->monitor, server->context, server->router, err);
    if (status == CFSPLIT_OK && options->ipc)
        status = bind_ipc(server, options->ipc, err);
    if (status == CFSPLIT_OK && !(options->bind && strcmp(options->bind, "none") == 0))
        status = bind_tcp(server, options->bind, err);
    return status;
}

cfsplit_status csi_server_open(const struct csi_server_options *options, struct csi_server **out,
                               struct cfsplit_error *err)
{
    *out = NULL;
    cfsplit_status status = check_descriptors(options->connections, err);
    if (status != CFSPLIT_OK)
        return status;
    struct csi_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return csi_fail_memory(err);
    server->pid = getpid();
    zmq_msg_init(&server->frame);
    if (csi_net_key_bytes(options->client_key, server->client_key))
        status = open_all(server, options, err);
    else
        status = csi_fail(err, CFSPLIT_UNREACHABLE, "the key of those who are let into the queue is none");
    if (status == CFSPLIT_OK)
        *out = server;
    else
        csi_server_close(server);
    return status;
}

void csi_server_close(struct csi_server *server)
{
    if (server == NULL)
        return;
    if (server->pid == getpid()) { /* in a child that was forked, there is no thread that would end them */
        zmq_msg_close(&server->frame);
        if (server->router)
            zmq_close(server->router);
        csi_monitor_close(&server->monitor);
        if (server->zap)
            zmq_close(server->zap);
        if (server->context)
            zmq_ctx_term(server->context);
    }
    free(server);
}

const char *csi_server_key(const struct csi_server *server)
{
    return server->key;
}

const char *csi_server_address(const struct csi_server *server, size_t i)
{
    return i < server->addresses.count ? server->addresses.text[i] : NULL;
}

cfsplit_status csi_server_wait(struct csi_server *server, int timeout_ms, int wake_fd, bool *woken,
                               struct cfsplit_error *err)
{
    zmq_pollitem_t items[] = {
        {.socket = server->router, .events = ZMQ_POLLIN},
        {.socket = server->zap, .events = ZMQ_POLLIN},
        {.socket = server->monitor.socket, .events = ZMQ_POLLIN},
        {.fd = wake_fd, .events = ZMQ_POLLIN},
    };
    *woken = false;
    if (zmq_poll(items, wake_fd < 0 ? 3 : 4, timeout_ms) < 0)
        return zmq_errno() == EINTR ? CFSPLIT_OK : csi_net_fail(err, "cannot wait for the queue's network");
    *woken = items[3].revents != 0;
    cfsplit_status status = csi_zap_serve(server->zap, server->client_key, err);
    if (status == CFSPLIT_OK)
        status = csi_monitor_read(&server->monitor, csi_clock_mono_ms(), handshake_ms + handshake_slack_ms, err);
    return status;
}

/* Takes one message of two parts, the peer's name and the frame; *good tells whether it was one. */
static cfsplit_status take_message(struct csi_server *server, struct csi_net_peer *peer, bool *good,
                                   struct cfsplit_error *err)
{
    *good = false;
    cfsplit_status status = csi_net_take_part(server->router, &server->frame, err);
    if (status != CFSPLIT_OK)
        return status;
    bool named = zmq_msg_size(&server->frame) == CSI_NET_PEER_BYTES && zmq_msg_more(&server->frame);
    if (named) {
        memcpy(peer->id, zmq_msg_data(&server->frame), CSI_NET_PEER_BYTES);
        peer->length = CSI_NET_PEER_BYTES;
        status = csi_net_take_part(server->router, &server->frame, err);
    }
    bool single = status == CFSPLIT_OK && !zmq_msg_more(&server->frame);
    bool fits = !single || zmq_msg_size(&server->frame) <= CSI_NET_FRAME_MAX;
    *good = named && single && fits;
    server->oversized += named && single && !fits;
    server->malformed += !*good && fits;
    return status == CFSPLIT_OK ? csi_net_drop_rest(server->router, &server->frame, err) : status;
}

cfsplit_status csi_server_take(struct csi_server *server, struct csi_net_peer *peer, const void **frame, size_t *length,
                               struct cfsplit_error *err)
{
    *frame = NULL;
    *length = 0;
    *peer = (struct csi_net_peer){.length = 0};
    for (int i = 0; i < dropped_at_once_max; i++) {
        bool good;
        cfsplit_status status = take_message(server, peer, &good, err);
        if (status != CFSPLIT_OK)
            return status;
        if (good) {
            *frame = zmq_msg_data(&server->frame);
            *length = zmq_msg_size(&server->frame);
            return CFSPLIT_OK;
        }
    }
    return CFSPLIT_END; /* the rest after the next wait, which does not last */
}

cfsplit_status csi_server_put(struct csi_server *server, const struct csi_net_peer *peer, const void *frame,
                              size_t length, struct cfsplit_error *err)
{
    cfsplit_status status = csi_net_check_length(length, err);
    if (status == CFSPLIT_OK)
        status = csi_net_put_part(server->router, peer->id, peer->length, ZMQ_SNDMORE, err);
    return status == CFSPLIT_OK ? csi_net_put_part(server->router, frame, length, 0, err) : status;
}

void csi_server_count(const struct csi_server *server, struct csi_server_counts *out)
{
    *out = (struct csi_server_counts){
        .accepted = server->monitor.in,
        .refused = server->monitor.refused,
        .disconnected = server->monitor.ended,
        .oversized = server->oversized,
        .malformed = server->malformed,
    };
}
