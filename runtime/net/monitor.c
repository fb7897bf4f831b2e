#include "net/monitor.h"

#include <string.h>

#include "net/socket.h"

enum {
    events_at_once_max = 4096,
    handshake_failed =
        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH,
    wanted_events = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | handshake_failed,
};

/* Without a limit of messages: with one, libzmq's thread waits for the reader when it is reached, and closing waits for that thread. */
cfsplit_status csi_monitor_open(struct csi_monitor *monitor, void *context, void *socket, struct cfsplit_error *err)
{
    static const struct csi_net_option options[] = {{ZMQ_LINGER, 0}, {ZMQ_RCVHWM, 0}};
    static const char name[] = "inproc://cfsplit.monitor";
    *monitor = (struct csi_monitor){0};
    cfsplit_status status =
        csi_net_socket(context, ZMQ_PAIR, options, sizeof options / sizeof options[0], &monitor->socket, err);
    if (status != CFSPLIT_OK)
        return status;
    if (zmq_socket_monitor(socket, name, wanted_events) != 0 || zmq_connect(monitor->socket, name) != 0)
        return csi_net_fail(err, "cannot watch the connections of the queue");
    return CFSPLIT_OK;
}

void csi_monitor_close(struct csi_monitor *monitor)
{
    if (monitor->socket)
        zmq_close(monitor->socket);
    monitor->socket = NULL;
}

static void note_event(struct csi_monitor *monitor, zmq_msg_t *told)
{
    uint16_t event;
    if (zmq_msg_size(told) < sizeof event)
        return;
    memcpy(&event, zmq_msg_data(told), sizeof event);
    monitor->came += event == ZMQ_EVENT_ACCEPTED;
    monitor->in += event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    monitor->ended += event == ZMQ_EVENT_DISCONNECTED;
    monitor->failed += (event & handshake_failed) != 0;
}

/* libzmq keeps silent about those that do not speak its language at all: there are at least so many as came, had the time for a
 * handshake, and had none; and as ended and had none. */
static void count_refused(struct csi_monitor *monitor)
{
    const uint64_t at_least[] = {
        monitor->failed,
        monitor->ended > monitor->in ? monitor->ended - monitor->in : 0,
        monitor->mark > monitor->in ? monitor->mark - monitor->in : 0,
    };
    for (size_t i = 0; i < sizeof at_least / sizeof at_least[0]; i++)
        if (monitor->refused < at_least[i])
            monitor->refused = at_least[i];
}

cfsplit_status csi_monitor_read(struct csi_monitor *monitor, uint64_t now_ms, uint64_t handshake_ms,
                                struct cfsplit_error *err)
{
    zmq_msg_t told;
    zmq_msg_init(&told);
    cfsplit_status status = CFSPLIT_OK;
    for (int i = 0; status == CFSPLIT_OK && i < events_at_once_max; i++) {
        status = csi_net_take_part(monitor->socket, &told, err);
        if (status != CFSPLIT_OK)
            break;
        note_event(monitor, &told);
        status = csi_net_drop_rest(monitor->socket, &told, err);
    }
    zmq_msg_close(&told);
    if (status == CFSPLIT_END && now_ms >= monitor->next_mark_ms) { /* all that is told of was read */
        monitor->mark = monitor->next_mark;
        monitor->next_mark = monitor->came;
        monitor->next_mark_ms = now_ms + handshake_ms;
    }
    count_refused(monitor);
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}
