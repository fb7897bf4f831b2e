#include "talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

enum { packed_bytes = 1 << 16, address_bytes = 128, key_bytes = 41, name_bytes = 64, bound_s = 600 };

struct way {
    const char *word;
    bool zmq, curve;
    int family;       /* without ZeroMQ */
    const char *bind; /* with it; after ipc:// and a name comes the number of the process */
};

static const struct way ways[] = {
    {.word = "tcp", .family = AF_INET},
    {.word = "unix", .family = AF_UNIX},
    {.word = "plain-tcp", .zmq = true, .bind = "tcp://127.0.0.1:*"},
    {.word = "plain-ipc", .zmq = true, .bind = "ipc://@canfar-split-bench-"},
    {.word = "curve-tcp", .zmq = true, .curve = true, .bind = "tcp://127.0.0.1:*"},
    {.word = "curve-ipc", .zmq = true, .curve = true, .bind = "ipc://@canfar-split-bench-"},
};

struct keys {
    char open[key_bytes], secret[key_bytes];
};

struct talk {
    const struct way *way;
    pid_t other;
    int fd;
    void *context, *socket;
    struct keys server, client;
    char to[name_bytes]; /* a ROUTER's name of the other one */
    size_t to_length;    /* 0 at a DEALER */
};

static char packed[packed_bytes];

/* ---- ZeroMQ */

static bool set_number(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_key(void *socket, int option, const char *key)
{
    return zmq_setsockopt(socket, option, key, key_bytes) == 0;
}

static bool encrypt(struct talk *t, bool serves)
{
    if (serves)
        return set_number(t->socket, ZMQ_CURVE_SERVER, 1) && set_key(t->socket, ZMQ_CURVE_SECRETKEY, t->server.secret);
    return set_key(t->socket, ZMQ_CURVE_SERVERKEY, t->server.open) &&
           set_key(t->socket, ZMQ_CURVE_PUBLICKEY, t->client.open) &&
           set_key(t->socket, ZMQ_CURVE_SECRETKEY, t->client.secret);
}

static bool open_zmq(struct talk *t, bool serves)
{
    t->context = zmq_ctx_new();
    t->socket = t->context ? zmq_socket(t->context, serves ? ZMQ_ROUTER : ZMQ_DEALER) : NULL;
    return t->socket && set_number(t->socket, ZMQ_SNDHWM, 0) && set_number(t->socket, ZMQ_RCVHWM, 0) &&
           (!t->way->curve || encrypt(t, serves));
}

static bool bind_zmq(struct talk *t, char *address)
{
    char asked[address_bytes];
    size_t length = address_bytes;
    if (strncmp(t->way->bind, "ipc:", 4) == 0)
        snprintf(asked, sizeof asked, "%s%ld", t->way->bind, (long)getpid());
    else
        snprintf(asked, sizeof asked, "%s", t->way->bind);
    return open_zmq(t, true) && zmq_bind(t->socket, asked) == 0 &&
           zmq_getsockopt(t->socket, ZMQ_LAST_ENDPOINT, address, &length) == 0;
}

static bool send_zmq(struct talk *t, long messages)
{
    for (long i = 0; i < messages; i++)
        if ((t->to_length > 0 && zmq_send(t->socket, t->to, t->to_length, ZMQ_SNDMORE) < 0) ||
            zmq_send(t->socket, packed, talk_bytes, 0) < 0)
            return false;
    return true;
}

static bool take_zmq(struct talk *t, long messages, bool serves)
{
    for (long i = 0; i < messages; i++) {
        if (serves) {
            int length = zmq_recv(t->socket, t->to, sizeof t->to, 0);
            if (length < 0)
                return false;
            t->to_length = (size_t)length;
        }
        if (zmq_recv(t->socket, packed, talk_bytes, 0) != talk_bytes)
            return false;
    }
    return true;
}

/* ---- bare sockets */

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_un un;
};

/* text: a port, or the name of an abstract socket. */
static socklen_t make_address(const struct way *way, const char *text, union address *out)
{
    memset(out, 0, sizeof *out);
    out->any.sa_family = (sa_family_t)way->family;
    if (way->family == AF_INET) {
        out->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        out->in.sin_port = htons((uint16_t)strtoul(text, NULL, 10));
        return sizeof out->in;
    }
    snprintf(out->un.sun_path + 1, sizeof out->un.sun_path - 1, "%s", text);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(text));
}

static bool has_no_delay(const struct talk *t)
{
    int yes = 1;
    return t->way->family != AF_INET || setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0;
}

static int listen_bare(const struct way *way, char *address)
{
    union address at;
    snprintf(address, address_bytes, "%s%ld", way->family == AF_INET ? "" : "canfar-split-bench-",
             way->family == AF_INET ? 0 : (long)getpid());
    socklen_t length = make_address(way, address, &at);
    int fd = socket(way->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, &at.any, length) != 0 || listen(fd, 1) != 0 || getsockname(fd, &at.any, &length) != 0)
        return -1;
    if (way->family == AF_INET)
        snprintf(address, address_bytes, "%u", (unsigned)ntohs(at.in.sin_port));
    return fd;
}

static bool connect_bare(struct talk *t, const char *address)
{
    union address to;
    socklen_t length = make_address(t->way, address, &to);
    t->fd = socket(t->way->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return t->fd >= 0 && has_no_delay(t) && connect(t->fd, &to.any, length) == 0;
}

static bool send_bare(struct talk *t, long messages)
{
    for (size_t left = (size_t)messages * talk_bytes; left > 0;) {
        ssize_t sent = send(t->fd, packed, left < packed_bytes ? left : packed_bytes, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        left -= (size_t)sent;
    }
    return true;
}

static bool take_bare(struct talk *t, long messages)
{
    for (size_t left = (size_t)messages * talk_bytes; left > 0;) {
        ssize_t got = recv(t->fd, packed, left < packed_bytes ? left : packed_bytes, 0);
        if (got <= 0)
            return false;
        left -= (size_t)got;
    }
    return true;
}

/* ---- both */

static bool take(struct talk *t, long messages, bool serves)
{
    return t->way->zmq ? take_zmq(t, messages, serves) : take_bare(t, messages);
}

bool talk_send(struct talk *t, long messages)
{
    return t->way->zmq ? send_zmq(t, messages) : send_bare(t, messages);
}

bool talk_take(struct talk *t, long messages)
{
    return take(t, messages, false);
}

static bool serve(struct talk *t, struct talk_plan plan)
{
    if (!plan.echo)
        return take(t, plan.messages, true) && talk_send(t, 1);
    for (long i = 0; i < plan.messages; i++)
        if (!take(t, 1, true) || !talk_send(t, 1))
            return false;
    return true;
}

static bool tell_address(int to, const char *address)
{
    return write(to, address, address_bytes) == address_bytes;
}

/* The other process: tells its address, and serves one connection. */
static bool be_server(struct talk *t, struct talk_plan plan, int tell)
{
    char address[address_bytes] = "";
    if (t->way->zmq) {
        bool good = bind_zmq(t, address) && tell_address(tell, address) && serve(t, plan);
        return zmq_close(t->socket) == 0 && zmq_ctx_term(t->context) == 0 && good; /* when the last answer is sent */
    }
    int listening = listen_bare(t->way, address);
    if (listening < 0 || !tell_address(tell, address))
        return false;
    t->fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    return t->fd >= 0 && has_no_delay(t) && serve(t, plan);
}

static bool start_server(struct talk *t, struct talk_plan plan, char *address)
{
    int pipes[2];
    if (pipe(pipes) != 0)
        return false;
    t->other = fork();
    if (t->other == 0) {
        alarm(bound_s);
        close(pipes[0]);
        bool good = be_server(t, plan, pipes[1]);
        if (!good)
            perror("bench_limits: the other process");
        _exit(!good);
    }
    close(pipes[1]);
    bool good = t->other > 0 && read(pipes[0], address, address_bytes) == address_bytes;
    close(pipes[0]);
    return good;
}

static bool open_client(struct talk *t, const char *address)
{
    if (!t->way->zmq)
        return connect_bare(t, address);
    return open_zmq(t, false) && zmq_connect(t->socket, address) == 0;
}

static const struct way *find_way(const char *word)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].word, word) == 0)
            return &ways[i];
    errno = EINVAL;
    return NULL;
}

struct talk *talk_open(const char *word, struct talk_plan plan)
{
    char address[address_bytes];
    const struct way *way = find_way(word);
    struct talk *t = way ? calloc(1, sizeof *t) : NULL;
    if (!t)
        return NULL;
    t->way = way;
    t->fd = -1;
    if ((!way->curve || (zmq_curve_keypair(t->server.open, t->server.secret) == 0 &&
                         zmq_curve_keypair(t->client.open, t->client.secret) == 0)) &&
        start_server(t, plan, address) && open_client(t, address))
        return t;
    if (t->other > 0)
        kill(t->other, SIGKILL); /* nobody comes to it */
    talk_close(t);
    return NULL;
}

bool talk_close(struct talk *t)
{
    int status = 1;
    if (!t)
        return false;
    if (t->socket)
        zmq_close(t->socket);
    if (t->context)
        zmq_ctx_term(t->context);
    if (t->fd >= 0)
        close(t->fd);
    bool good = t->other > 0 && waitpid(t->other, &status, 0) == t->other && status == 0;
    free(t);
    return good;
}
