#include "net/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"

cfsplit_status csi_net_fail(struct cfsplit_error *err, const char *format, ...)
{
    int number = zmq_errno();
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    csi_fail(err, CFSPLIT_UNREACHABLE, "%s: %s", what, zmq_strerror(number));
    if (err)
        err->system_errno = number;
    return CFSPLIT_UNREACHABLE;
}

/* Whether a context and its sockets find the descriptors they need. */
static bool has_descriptors(void)
{
    enum { needed = 24 };
    int fds[needed], count = 0, number = 0;
    while (count < needed && (fds[count] = eventfd(0, EFD_CLOEXEC)) >= 0)
        count++;
    number = errno;
    bool enough = count == needed;
    while (count > 0)
        close(fds[--count]);
    errno = number;
    return enough;
}

cfsplit_status csi_net_context(void **out, struct cfsplit_error *err)
{
    *out = NULL;
    if (!has_descriptors())
        return csi_net_fail(err, "cannot open the sockets of the queue");
    void *context = zmq_ctx_new();
    if (context == NULL)
        return csi_net_fail(err, "cannot set up the queue's network");
    zmq_ctx_set(context, ZMQ_IO_THREADS, 1);
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 16);
    *out = context;
    return CFSPLIT_OK;
}

static cfsplit_status set_options(void *socket, const struct csi_net_option *options, size_t count,
                                  struct cfsplit_error *err)
{
    const int64_t longest = CSI_NET_ON_THE_WAY_MAX;
    if (zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &longest, sizeof longest) != 0)
        return csi_net_fail(err, "cannot limit the frames of a socket");
    for (size_t i = 0; i < count; i++)
        if (zmq_setsockopt(socket, options[i].name, &options[i].value, sizeof options[i].value) != 0)
            return csi_net_fail(err, "cannot set option %d of a socket to %d", options[i].name, options[i].value);
    return CFSPLIT_OK;
}

cfsplit_status csi_net_socket(void *context, int type, const struct csi_net_option *options, size_t count, void **out,
                              struct cfsplit_error *err)
{
    *out = NULL;
    void *socket = zmq_socket(context, type);
    if (socket == NULL)
        return csi_net_fail(err, "cannot open a socket of the queue");
    cfsplit_status status = set_options(socket, options, count, err);
    if (status == CFSPLIT_OK)
        *out = socket;
    else
        zmq_close(socket);
    return status;
}

cfsplit_status csi_net_set_text(void *socket, int option, const char *text, struct cfsplit_error *err)
{
    if (zmq_setsockopt(socket, option, text, strlen(text)) != 0)
        return csi_net_fail(err, "cannot set option %d of a socket", option);
    return CFSPLIT_OK;
}

cfsplit_status csi_net_take_part(void *socket, zmq_msg_t *part, struct cfsplit_error *err)
{
    int got;
    do
        got = zmq_msg_recv(part, socket, ZMQ_DONTWAIT);
    while (got < 0 && zmq_errno() == EINTR);
    if (got >= 0)
        return CFSPLIT_OK;
    return zmq_errno() == EAGAIN ? CFSPLIT_END : csi_net_fail(err, "cannot read from the queue's network");
}

cfsplit_status csi_net_put_part(void *socket, const void *data, size_t length, int flags, struct cfsplit_error *err)
{
    int sent;
    do
        sent = zmq_send(socket, data, length, flags | ZMQ_DONTWAIT);
    while (sent < 0 && zmq_errno() == EINTR);
    if (sent >= 0)
        return CFSPLIT_OK;
    if (zmq_errno() == EAGAIN || zmq_errno() == EHOSTUNREACH)
        return CFSPLIT_END;
    return csi_net_fail(err, "cannot write to the queue's network");
}

cfsplit_status csi_net_drop_rest(void *socket, zmq_msg_t *part, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    while (status == CFSPLIT_OK && zmq_msg_more(part))
        status = csi_net_take_part(socket, part, err);
    return status;
}

cfsplit_status csi_net_check_length(size_t length, struct cfsplit_error *err)
{
    if (length > CSI_NET_FRAME_MAX)
        return csi_fail(err, CFSPLIT_USAGE, "a frame of %zu bytes: %d is the most", length, CSI_NET_FRAME_MAX);
    return CFSPLIT_OK;
}
