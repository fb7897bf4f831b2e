#include "net/zap.h"

#include <string.h>

#include "net/socket.h"

const char csi_zap_domain[] = "cfsplit";

enum { answers_at_once_max = 256 };

/* The parts of a question, in their order; what is behind them is of no interest. */
enum { VERSION, REQUEST, DOMAIN, ADDRESS, ROUTING_ID, MECHANISM, KEY, PARTS };

struct question {
    zmq_msg_t parts[PARTS];
    size_t count;
};

cfsplit_status csi_zap_open(void *context, void **out, struct cfsplit_error *err)
{
    static const struct csi_net_option options[] = {{ZMQ_LINGER, 0}, {ZMQ_RCVHWM, 0}, {ZMQ_SNDHWM, 0}};
    cfsplit_status status = csi_net_socket(context, ZMQ_REP, options, sizeof options / sizeof options[0], out, err);
    if (status == CFSPLIT_OK && zmq_bind(*out, "inproc://zeromq.zap.01") != 0) {
        status = csi_net_fail(err, "cannot set up who is let into the queue");
        zmq_close(*out);
        *out = NULL;
    }
    return status;
}

static cfsplit_status take_question(void *zap, struct question *q, struct cfsplit_error *err)
{
    cfsplit_status status = csi_net_take_part(zap, &q->parts[0], err);
    if (status != CFSPLIT_OK)
        return status;
    q->count = 1;
    while (status == CFSPLIT_OK && q->count < PARTS && zmq_msg_more(&q->parts[q->count - 1]))
        status = csi_net_take_part(zap, &q->parts[q->count++], err);
    return status == CFSPLIT_OK ? csi_net_drop_rest(zap, &q->parts[q->count - 1], err) : status;
}

static bool part_is(struct question *q, int part, const char *text)
{
    zmq_msg_t *is = &q->parts[part];
    return zmq_msg_size(is) == strlen(text) && memcmp(zmq_msg_data(is), text, strlen(text)) == 0;
}

static bool is_welcome(struct question *q, const unsigned char client_key[CSI_NET_RAW_KEY_BYTES])
{
    return q->count == PARTS && part_is(q, VERSION, "1.0") && part_is(q, DOMAIN, csi_zap_domain) &&
           part_is(q, MECHANISM, "CURVE") && zmq_msg_size(&q->parts[KEY]) == CSI_NET_RAW_KEY_BYTES &&
           csi_net_same_key(zmq_msg_data(&q->parts[KEY]), client_key);
}

static cfsplit_status put_answer(void *zap, struct question *q, bool welcome, struct cfsplit_error *err)
{
    zmq_msg_t *request = &q->parts[REQUEST];
    const struct {
        const void *data;
        size_t length;
    } answer[] = {
        {"1.0", 3},
        {zmq_msg_data(request), q->count > REQUEST ? zmq_msg_size(request) : 0},
        {welcome ? "200" : "400", 3},
        {welcome ? "OK" : "no", 2},
        {"", 0}, /* whom it is: all are alike */
        {"", 0}, /* what else is known */
    };
    const size_t count = sizeof answer / sizeof answer[0];
    cfsplit_status status = CFSPLIT_OK;
    for (size_t i = 0; status == CFSPLIT_OK && i < count; i++)
        status = csi_net_put_part(zap, answer[i].data, answer[i].length, i + 1 < count ? ZMQ_SNDMORE : 0, err);
    return status;
}

cfsplit_status csi_zap_serve(void *zap, const unsigned char client_key[CSI_NET_RAW_KEY_BYTES],
                             struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    for (int i = 0; status == CFSPLIT_OK && i < answers_at_once_max; i++) {
        struct question q = {.count = 0};
        for (int part = 0; part < PARTS; part++)
            zmq_msg_init(&q.parts[part]);
        status = take_question(zap, &q, err);
        if (status == CFSPLIT_OK)
            status = put_answer(zap, &q, is_welcome(&q, client_key), err);
        for (int part = 0; part < PARTS; part++)
            zmq_msg_close(&q.parts[part]);
    }
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}
