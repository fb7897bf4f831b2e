/* The queue's network: frames go both ways, whoever has not the key stays out, and what strangers do disturbs nobody else. */
#include "net/net.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "lib/check.h"
#include "net/monitor.h"

enum { patience_ms = 60000, turn_ms = 20, links_max = 200, quick_connects = 1000 };

/* Serves until the condition holds; a minute at most. */
#define AWAIT(server, condition)                                                                                       \
    do {                                                                                                               \
        uint64_t until_ = csi_clock_mono_ms() + patience_ms;                                                           \
        bool holds_;                                                                                                   \
        while (!(holds_ = (condition)) && csi_clock_mono_ms() < until_)                                                \
            serve_once(server, -1);                                                                                    \
        CU_assertImplementation(holds_, __LINE__, #condition, __FILE__, "", CU_FALSE);                                 \
    } while (0)

static struct cfsplit_error err;
static struct csi_net_keys client;
static unsigned servers_count;

/* A server at an abstract socket of its own (in `ipc`), and at the loopback. */
static struct csi_server *server_new(char ipc[64])
{
    struct csi_server *server = NULL;
    snprintf(ipc, 64, "ipc://@cfsplit-test-%d-%u", (int)getpid(), servers_count++);
    struct csi_server_options options = {.client_key = client.open, .ipc = ipc + strlen("ipc://"), .bind = "127.0.0.1"};
    CHECK_OK(csi_server_open(&options, &server, &err));
    CU_ASSERT_FATAL(server != NULL);
    return server;
}

static struct csi_link *link_new(const char *address, const struct csi_server *server, const struct csi_net_keys *keys)
{
    struct csi_link *link = NULL;
    CHECK_OK(csi_link_open(address, csi_server_key(server), keys, &link, &err));
    CU_ASSERT_FATAL(link != NULL);
    return link;
}

static struct csi_server_counts counts_of(const struct csi_server *server)
{
    struct csi_server_counts counts;
    csi_server_count(server, &counts);
    return counts;
}

static void serve_once(struct csi_server *server, int fd)
{
    bool woken;
    CHECK_OK(csi_server_wait(server, turn_ms, fd, &woken, &err));
}

/* The server sends back what comes; how many came. */
static unsigned echo(struct csi_server *server)
{
    struct csi_net_peer peer;
    const void *frame;
    size_t length;
    unsigned count = 0;
    cfsplit_status status;
    while ((status = csi_server_take(server, &peer, &frame, &length, &err)) == CFSPLIT_OK) {
        CHECK_OK(csi_server_put(server, &peer, frame, length, &err));
        count++;
    }
    CHECK_EQUAL(status, CFSPLIT_END);
    return count;
}

/* What comes to the link while the server echoes, as text; false: nothing came in time. */
static bool hear(struct csi_server *server, struct csi_link *link, char text[64], uint64_t within_ms)
{
    const void *frame;
    size_t length;
    for (uint64_t until = csi_clock_mono_ms() + within_ms; csi_clock_mono_ms() < until;) {
        cfsplit_status status = csi_link_take(link, &frame, &length, &err);
        if (status == CFSPLIT_OK) {
            snprintf(text, 64, "%.*s", (int)length, (const char *)frame);
            return true;
        }
        CHECK_EQUAL(status, CFSPLIT_END);
        serve_once(server, csi_link_fd(link));
        echo(server);
    }
    return false;
}

static void say(struct csi_server *server, struct csi_link *link, const char *text)
{
    char heard[64] = "";
    CHECK_OK(csi_link_put(link, text, strlen(text), &err));
    CHECK(hear(server, link, heard, patience_ms));
    CHECK_TEXT(heard, text);
}

static void frames_go_both_ways(void)
{
    char ipc[64];
    struct csi_server *server = server_new(ipc);
    const char *addresses[] = {ipc, csi_server_address(server, 0)};
    CHECK(csi_server_address(server, 1) == NULL);
    for (int i = 0; i < 2; i++) {
        struct csi_link *link = link_new(addresses[i], server, &client);
        say(server, link, "one");
        say(server, link, "two");
        csi_link_close(link);
    }
    CHECK_EQUAL(counts_of(server).accepted, 2);
    CHECK_EQUAL(counts_of(server).refused, 0);
    csi_server_close(server);
}

static void many_links_at_once(void)
{
    char ipc[64], text[links_max][16], heard[64];
    struct csi_server *server = server_new(ipc);
    struct csi_link *links[links_max];
    for (int i = 0; i < links_max; i++) {
        links[i] = link_new(i % 2 ? ipc : csi_server_address(server, 0), server, &client);
        snprintf(text[i], sizeof text[i], "link %d", i);
        CHECK_OK(csi_link_put(links[i], text[i], strlen(text[i]), &err));
    }
    for (int i = 0; i < links_max; i++) {
        CHECK(hear(server, links[i], heard, patience_ms));
        CHECK_TEXT(heard, text[i]);
    }
    CHECK(counts_of(server).accepted >= links_max); /* on a slow machine, some come twice */
    for (int i = 0; i < links_max; i++)
        csi_link_close(links[i]);
    AWAIT(server, counts_of(server).disconnected == counts_of(server).accepted + counts_of(server).refused);
    csi_server_close(server);
}

static void largest_frame_goes_through_and_a_longer_one_is_not_sent(void)
{
    char ipc[64];
    struct csi_server *server = server_new(ipc);
    struct csi_link *link = link_new(ipc, server, &client);
    char *sent = malloc(CSI_NET_FRAME_MAX + 1);
    memset(sent, 'x', CSI_NET_FRAME_MAX + 1);
    CHECK_EQUAL(csi_link_put(link, sent, CSI_NET_FRAME_MAX + 1, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "a frame of 1048577 bytes: 1048576 is the most");
    CHECK_OK(csi_link_put(link, sent, CSI_NET_FRAME_MAX, &err));
    const void *frame = NULL;
    size_t length = 0;
    cfsplit_status status;
    uint64_t until = csi_clock_mono_ms() + patience_ms;
    while ((status = csi_link_take(link, &frame, &length, &err)) == CFSPLIT_END && csi_clock_mono_ms() < until) {
        serve_once(server, csi_link_fd(link));
        echo(server);
    }
    CHECK_OK(status);
    CHECK(length == CSI_NET_FRAME_MAX && memcmp(frame, sent, length) == 0);
    free(sent);
    csi_link_close(link);
    csi_server_close(server);
}

static void link_takes_nothing_more_when_nobody_comes(void)
{
    struct csi_net_keys other;
    struct csi_link *link = NULL;
    CHECK_OK(csi_net_new_keys(&other, &err));
    CHECK_OK(csi_link_open("ipc://@cfsplit-test-nobody", other.open, &client, &link, &err));
    CU_ASSERT_FATAL(link != NULL);
    cfsplit_status status = CFSPLIT_OK;
    unsigned count = 0;
    while (count < 5000 && (status = csi_link_put(link, "x", 1, &err)) == CFSPLIT_OK)
        count++;
    CHECK_EQUAL(status, CFSPLIT_END);
    CHECK_EQUAL(count, 1000);
    csi_link_close(link);
}

static void link_opens_to_numeric_addresses_only(void)
{
    static const char *const bad[] = {
        "",
        "tcp://",
        "tcp://localhost:1",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:*",
        "tcp://127.0.0.1;127.0.0.2:1",
        "tcp://eth0:1",
        "tcp://[127.0.0.1]:1",
        "tcp://::1:1",
        "tcp://[::1]",
        "tcp://[fe80::1%eth0]:1",
        "ipc:///tmp/x",
        "ipc://@",
        "inproc://x",
        "udp://127.0.0.1:1",
        "127.0.0.1:1",
    };
    static const char *const good[] = {"tcp://127.0.0.1:1", "tcp://[::1]:65535", "ipc://@x"};
    struct csi_link *link;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_EQUAL(csi_link_open(bad[i], client.open, &client, &link, &err), CFSPLIT_UNREACHABLE);
        CHECK(link == NULL);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        CHECK_OK(csi_link_open(good[i], client.open, &client, &link, &err));
        CHECK(csi_link_fd(link) >= 0);
        csi_link_close(link);
    }
    char longest[256];
    snprintf(longest, sizeof longest, "ipc://@%0100d", 0);
    CHECK_OK(csi_link_open(longest, client.open, &client, &link, &err));
    csi_link_close(link);
    snprintf(longest, sizeof longest, "ipc://@%0101d", 0);
    CHECK_EQUAL(csi_link_open(longest, client.open, &client, &link, &err), CFSPLIT_UNREACHABLE);
    struct csi_net_keys none = {"short", "short"};
    CHECK_EQUAL(csi_link_open(good[0], client.open, &none, &link, &err), CFSPLIT_UNREACHABLE);
    CHECK_TEXT(err.message, "the client key of the queue is none");
    CHECK_EQUAL(csi_link_open(good[0], "", &client, &link, &err), CFSPLIT_UNREACHABLE);
    CHECK_TEXT(err.message, "the key of the queue's other end is none");
}

static cfsplit_status open_and_close(const struct csi_server_options *options)
{
    struct csi_server *server;
    cfsplit_status status = csi_server_open(options, &server, &err);
    CHECK((status == CFSPLIT_OK) == (server != NULL));
    csi_server_close(server);
    return status;
}

static void what_cannot_be_bound_is_told(void)
{
    char ipc[64];
    struct csi_server *server = server_new(ipc);
    CHECK_EQUAL(open_and_close(&(struct csi_server_options){.client_key = client.open, .ipc = ipc + 6, .bind = "none"}),
                CFSPLIT_UNREACHABLE);
    CHECK(strncmp(err.message, "cannot bind to '", 16) == 0 && strstr(err.message, "': Address already in use"));
    CHECK_EQUAL(open_and_close(&(struct csi_server_options){.client_key = client.open, .bind = "localhost"}),
                CFSPLIT_UNREACHABLE);
    CHECK_TEXT(err.message, "cannot bind to 'localhost': no numeric address");
    CHECK_EQUAL(open_and_close(&(struct csi_server_options){.client_key = client.open, .bind = "203.0.113.1"}),
                CFSPLIT_UNREACHABLE);
    CHECK_TEXT(err.message, "cannot bind to '203.0.113.1': Cannot assign requested address");
    CHECK_EQUAL(open_and_close(&(struct csi_server_options){.client_key = client.open, .ipc = "name", .bind = "none"}),
                CFSPLIT_UNREACHABLE);
    CHECK_TEXT(err.message, "cannot bind to 'name': no name of an abstract socket");
    CHECK_EQUAL(open_and_close(&(struct csi_server_options){.client_key = "none"}), CFSPLIT_UNREACHABLE);
    CHECK_TEXT(err.message, "the key of those who are let into the queue is none");
    csi_server_close(server);
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "tcp://127.", 10) == 0 || strncmp(address, "tcp://[::1]:", 12) == 0;
}

/* Each address of a server that is bound so leads to it; how many there are. */
static size_t expect_addresses(const char *bind, bool *all_v4)
{
    struct csi_server *server = NULL;
    CHECK_OK(csi_server_open(&(struct csi_server_options){.client_key = client.open, .bind = bind}, &server, &err));
    CU_ASSERT_FATAL(server != NULL);
    size_t count = 0;
    bool loopback = false;
    *all_v4 = true;
    for (const char *address; (address = csi_server_address(server, count)); count++) {
        struct csi_link *link = link_new(address, server, &client);
        say(server, link, address);
        csi_link_close(link);
        CHECK(is_loopback(address) || !loopback);
        loopback = is_loopback(address);
        *all_v4 = *all_v4 && address[strlen("tcp://")] != '[';
        CHECK(strncmp(address, "tcp://169.254.", 14) != 0 && strncmp(address, "tcp://[fe80", 11) != 0);
    }
    CHECK(count <= 15 && loopback == (count > 0));
    csi_server_close(server);
    return count;
}

static bool has_v6(void)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

static void addresses_are_numeric_and_the_loopback_is_last(void)
{
    bool all_v4;
    size_t all = expect_addresses(NULL, &all_v4);
    CHECK(all > 0);
    CHECK_EQUAL(all_v4, !has_v6());
    size_t v4 = expect_addresses("0.0.0.0", &all_v4);
    CHECK(v4 > 0 && v4 <= all && all_v4);
    CHECK_EQUAL(expect_addresses("127.0.0.1", &all_v4), 1);
    CHECK(all_v4);
    CHECK_EQUAL(expect_addresses("none", &all_v4), 0);
    if (has_v6()) {
        CHECK_EQUAL(expect_addresses("::", &all_v4), all);
        CHECK_EQUAL(expect_addresses("::1", &all_v4), 1);
        CHECK(!all_v4);
    }
}

/* ---- strangers, by libzmq itself */

struct raw {
    void *context, *socket;
};

struct raw_options {
    int type;
    const char *server_key;          /* CURVE */
    const struct csi_net_keys *keys; /* of the client */
    bool plain;
};

static struct raw raw_new(const char *address, const struct raw_options *options)
{
    const int none = 0;
    struct raw raw = {.context = zmq_ctx_new()};
    raw.socket = zmq_socket(raw.context, options->type);
    zmq_setsockopt(raw.socket, ZMQ_LINGER, &none, sizeof none);
    if (options->server_key) {
        CHECK(zmq_setsockopt(raw.socket, ZMQ_CURVE_SERVERKEY, options->server_key, 40) == 0);
        CHECK(zmq_setsockopt(raw.socket, ZMQ_CURVE_PUBLICKEY, options->keys->open, 40) == 0);
        CHECK(zmq_setsockopt(raw.socket, ZMQ_CURVE_SECRETKEY, options->keys->secret, 40) == 0);
    }
    if (options->plain) {
        CHECK(zmq_setsockopt(raw.socket, ZMQ_PLAIN_USERNAME, "admin", 5) == 0);
        CHECK(zmq_setsockopt(raw.socket, ZMQ_PLAIN_PASSWORD, "admin", 5) == 0);
    }
    CHECK(zmq_connect(raw.socket, address) == 0);
    return raw;
}

static void raw_close(struct raw *raw)
{
    zmq_close(raw->socket);
    zmq_ctx_term(raw->context);
}

/* A TCP connection to the server's loopback address. */
static int tcp_new(const struct csi_server *server)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)strtoul(strrchr(csi_server_address(server, 0), ':') + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    return fd;
}

/* Ends it at once, so that its port is free again. */
static void tcp_reset(int fd)
{
    const struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static void expect_refused(const struct raw_options *options, const char *key)
{
    char ipc[64];
    struct csi_server *server = server_new(ipc);
    struct raw_options with = *options;
    with.server_key = key && *key == '\0' ? csi_server_key(server) : key;
    const char *addresses[] = {csi_server_address(server, 0), ipc};
    for (unsigned i = 0; i < 2; i++) {
        uint64_t before = counts_of(server).refused;
        struct raw raw = raw_new(addresses[i], &with);
        CHECK(zmq_send(raw.socket, "hello", 5, ZMQ_DONTWAIT) == 5);
        AWAIT(server, counts_of(server).refused > before);
        raw_close(&raw);
        CHECK_EQUAL(counts_of(server).accepted, 0);
        CHECK_EQUAL(echo(server), 0);
    }
    struct csi_link *link = link_new(ipc, server, &client);
    say(server, link, "still there");
    csi_link_close(link);
    csi_server_close(server);
}

static void wrong_client_key_is_refused(void)
{
    struct csi_net_keys other;
    CHECK_OK(csi_net_new_keys(&other, &err));
    expect_refused(&(struct raw_options){.type = ZMQ_DEALER, .keys = &other}, "");
    memcpy(other.open, client.open, sizeof other.open); /* the right one, without its secret */
    expect_refused(&(struct raw_options){.type = ZMQ_DEALER, .keys = &other}, "");
}

static void wrong_server_key_is_refused(void)
{
    expect_refused(&(struct raw_options){.type = ZMQ_DEALER, .keys = &client}, client.open);
}

static void other_mechanisms_are_refused(void)
{
    expect_refused(&(struct raw_options){.type = ZMQ_DEALER}, NULL);
    expect_refused(&(struct raw_options){.type = ZMQ_DEALER, .plain = true}, NULL);
}

static void other_kinds_of_sockets_are_refused(void)
{
    expect_refused(&(struct raw_options){.type = ZMQ_PUSH, .keys = &client}, "");
}

static void link_with_a_wrong_key_hears_nothing(void)
{
    char ipc[64], heard[64];
    struct csi_server *server = server_new(ipc), *second = server_new(ipc);
    struct csi_link *lost = link_new(ipc, server, &client); /* the key of one, the address of the other */
    CHECK_OK(csi_link_put(lost, "hello", 5, &err));
    AWAIT(second, counts_of(second).refused > 0);
    CHECK(!hear(second, lost, heard, 10 * turn_ms));
    CHECK_EQUAL(counts_of(second).accepted, 0);
    csi_link_close(lost);
    csi_server_close(server);
    csi_server_close(second);
}

static void what_is_no_handshake_is_refused(void)
{
    static const struct {
        const char *text;
        size_t length;
    } garbage[] = {
        {"GET / HTTP/1.1\r\n\r\n", 18},
        {"\0", 1},
        {"\1\0hello", 7},
        {"\xff\0\0\0\0\0\0\0\1\x7f\0", 11},   /* ZMTP 1 */
        {"\xff\0\0\0\0\0\0\0\1\x7f\1\5", 12}, /* ZMTP 2 */
        {"\xff\0\0\0\0\0\0\0\1\x7f\3", 11},   /* ZMTP 3, cut off */
        {"", 0},
    };
    char ipc[64];
    struct csi_server *server = server_new(ipc);
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        int fd = tcp_new(server);
        CHECK(send(fd, garbage[i].text, garbage[i].length, MSG_NOSIGNAL) == (ssize_t)garbage[i].length);
        shutdown(fd, SHUT_WR);
        AWAIT(server, counts_of(server).refused == i + 1);
        close(fd);
    }
    struct csi_link *link = link_new(ipc, server, &client);
    say(server, link, "still there");
    csi_link_close(link);
    csi_server_close(server);
}

static void who_says_nothing_is_refused_after_a_while(void)
{
    char ipc[64];
    struct csi_server *server = server_new(ipc);
    int fd = tcp_new(server);
    AWAIT(server, counts_of(server).refused == 1);
    char rest[64];
    while (read(fd, rest, sizeof rest) > 0) /* libzmq's own greeting, then the end */
        continue;
    close(fd);
    AWAIT(server, counts_of(server).disconnected == 1);
    csi_server_close(server);
}

static void tell(void *writer, uint16_t event)
{
    unsigned char data[6] = {0};
    memcpy(data, &event, sizeof event);
    CHECK(zmq_send(writer, data, sizeof data, ZMQ_SNDMORE) == (int)sizeof data && zmq_send(writer, "tcp", 3, 0) == 3);
}

static void silently_refused_are_counted_when_they_had_the_time(void)
{
    static const int events[] = {ZMQ_EVENT_ACCEPTED, ZMQ_EVENT_ACCEPTED, ZMQ_EVENT_ACCEPTED,
                                 ZMQ_EVENT_HANDSHAKE_SUCCEEDED};
    void *context = zmq_ctx_new(), *writer = zmq_socket(context, ZMQ_PAIR);
    struct csi_monitor monitor = {.socket = zmq_socket(context, ZMQ_PAIR)};
    CHECK(zmq_bind(writer, "inproc://told") == 0 && zmq_connect(monitor.socket, "inproc://told") == 0);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        tell(writer, (uint16_t)events[i]);
    CHECK_OK(csi_monitor_read(&monitor, 1000, 6000, &err));
    CHECK_OK(csi_monitor_read(&monitor, 6999, 6000, &err));
    CHECK_EQUAL(monitor.refused, 0);
    CHECK_OK(csi_monitor_read(&monitor, 7000, 6000, &err));
    CHECK_EQUAL(monitor.refused, 2);
    tell(writer, ZMQ_EVENT_HANDSHAKE_SUCCEEDED); /* late: what was said is not taken back */
    CHECK_OK(csi_monitor_read(&monitor, 13000, 6000, &err));
    CHECK_EQUAL(monitor.refused, 2);
    csi_monitor_close(&monitor);
    zmq_close(writer);
    zmq_ctx_term(context);
}

static size_t descriptors_count(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Resident memory in KiB. */
static long memory_kib(void)
{
    char line[256] = "", *after = NULL;
    FILE *file = fopen("/proc/self/statm", "re");
    CHECK(file && fgets(line, sizeof line, file));
    fclose(file);
    long pages = strtol(line + strcspn(line, " "), &after, 10);
    CHECK(pages > 0 && *after == ' ');
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* That many connections, of which most say something and go. All are counted in the end, and nothing is left of them. */
static void disturb(unsigned connects, long *grown_kib)
{
    char ipc[64];
    struct csi_server *server = server_new(ipc);
    struct csi_link *link = link_new(ipc, server, &client);
    say(server, link, "before");
    size_t before = descriptors_count();
    long memory = memory_kib();
    for (unsigned i = 0; i < connects; i++) {
        int fd = tcp_new(server);
        CHECK(i % 4 == 0 || send(fd, "\xff\0\0\0\0\0\0\0\1\x7f\3garbage", i % 18, MSG_NOSIGNAL) == (ssize_t)(i % 18));
        tcp_reset(fd);
        if (i % 50 == 0)
            say(server, link, "meanwhile");
    }
    AWAIT(server, counts_of(server).disconnected == connects);
    AWAIT(server, counts_of(server).refused == connects);
    AWAIT(server, descriptors_count() <= before);
    say(server, link, "after");
    CHECK_EQUAL(counts_of(server).accepted, 1);
    *grown_kib = memory_kib() - memory;
    csi_link_close(link);
    csi_server_close(server);
}

static void good_ones_work_while_strangers_come_and_go(void)
{
    long grown_kib;
    disturb(quick_connects, &grown_kib);
}

static void ten_thousand_quick_connects_leave_nothing(void)
{
    long grown_kib = 0;
    disturb(10 * quick_connects, &grown_kib);
    disturb(10 * quick_connects, &grown_kib); /* the first time, libraries take what they keep */
    printf(" (memory grew by %ld KiB) ", grown_kib);
#ifndef __SANITIZE_ADDRESS__ /* which holds back what was freed */
    CHECK(grown_kib < 16 * 1024);
#endif
}

/* ---- those who have the key, and do not keep to the rules */

static struct raw raw_friend(const char *address, const struct csi_server *server)
{
    return raw_new(address,
                   &(struct raw_options){.type = ZMQ_DEALER, .server_key = csi_server_key(server), .keys = &client});
}

static void too_long_frame_ends_its_connection_only(void)
{
    char ipc[64];
    struct csi_server *server = server_new(ipc);
    struct csi_link *link = link_new(ipc, server, &client);
    say(server, link, "before");
    struct raw raw = raw_friend(csi_server_address(server, 0), server);
    size_t length = 2 * CSI_NET_FRAME_MAX;
    char *frame = calloc(1, length);
    CHECK(zmq_send(raw.socket, frame, length, ZMQ_DONTWAIT) == (int)length);
    AWAIT(server, counts_of(server).disconnected == 1);
    CHECK_EQUAL(echo(server), 0);
    raw_close(&raw); /* what it sent before it knows of the end would be lost */
    raw = raw_friend(csi_server_address(server, 0), server);
    length = CSI_NET_FRAME_MAX + 1;
    CHECK(zmq_send(raw.socket, frame, length, ZMQ_DONTWAIT) == (int)length);
    AWAIT(server, echo(server) == 0 && counts_of(server).oversized == 1);
    say(server, link, "after");
    free(frame);
    raw_close(&raw);
    csi_link_close(link);
    csi_server_close(server);
}

static void more_than_one_frame_is_dropped_whole(void)
{
    char ipc[64], heard[64] = "";
    struct csi_server *server = server_new(ipc);
    struct raw raw = raw_friend(ipc, server);
    for (int i = 0; i < 100; i++) {
        CHECK(zmq_send(raw.socket, "one", 3, ZMQ_DONTWAIT | ZMQ_SNDMORE) == 3);
        CHECK(zmq_send(raw.socket, "two", 3, ZMQ_DONTWAIT | ZMQ_SNDMORE) == 3);
        CHECK(zmq_send(raw.socket, "three", 5, ZMQ_DONTWAIT) == 5);
    }
    CHECK(zmq_send(raw.socket, "whole", 5, ZMQ_DONTWAIT) == 5);
    AWAIT(server, echo(server) == 1);
    CHECK_EQUAL(counts_of(server).malformed, 100);
    CHECK(zmq_recv(raw.socket, heard, sizeof heard, 0) == 5);
    CHECK(memcmp(heard, "whole", 5) == 0);
    raw_close(&raw);
    csi_server_close(server);
}

static void peer_with_a_name_of_its_own_is_dropped(void)
{
    char ipc[64];
    struct csi_server *server = server_new(ipc);
    struct raw raw = raw_friend("ipc://@cfsplit-test-nobody", server);
    CHECK(zmq_setsockopt(raw.socket, ZMQ_ROUTING_ID, "me", 2) == 0 && zmq_connect(raw.socket, ipc) == 0);
    zmq_disconnect(raw.socket, "ipc://@cfsplit-test-nobody");
    CHECK(zmq_send(raw.socket, "hello", 5, 0) == 5);
    AWAIT(server, echo(server) == 0 && counts_of(server).malformed == 1);
    raw_close(&raw);
    csi_server_close(server);
}

/* ---- coming and going */

static void what_is_for_a_peer_that_is_gone_is_not_taken(void)
{
    char ipc[64];
    struct csi_server *server = server_new(ipc);
    struct csi_link *link = link_new(ipc, server, &client);
    struct csi_net_peer peer, nobody = {.id = "none", .length = CSI_NET_PEER_BYTES};
    const void *frame;
    size_t length;
    CHECK_OK(csi_link_put(link, "hello", 5, &err));
    AWAIT(server, csi_server_take(server, &peer, &frame, &length, &err) == CFSPLIT_OK);
    CHECK_OK(csi_server_put(server, &peer, "x", 1, &err));
    CHECK_EQUAL(csi_server_put(server, &nobody, "x", 1, &err), CFSPLIT_END);
    csi_link_close(link);
    AWAIT(server, csi_server_put(server, &peer, "x", 1, &err) == CFSPLIT_END);
    csi_server_close(server);
}

/* A peer that does not read: the server keeps so much for it, and no more. */
static void what_a_peer_does_not_read_is_bounded(void)
{
    char ipc[64], heard[64];
    struct csi_server *server = server_new(ipc);
    struct csi_link *slow = link_new(ipc, server, &client), *other = link_new(ipc, server, &client);
    struct csi_net_peer peer;
    const void *frame;
    size_t length;
    static const char load[1000];
    CHECK_OK(csi_link_put(slow, "hello", 5, &err));
    AWAIT(server, csi_server_take(server, &peer, &frame, &length, &err) == CFSPLIT_OK);
    unsigned sent = 0, full = 0;
    for (; sent < 100000 && full < 20;) /* full for so many turns: whoever takes something on the way has enough */
        if (csi_server_put(server, &peer, load, sizeof load, &err) == CFSPLIT_OK) {
            sent++;
            full = 0;
        } else {
            serve_once(server, -1);
            full++;
        }
    CHECK(full == 20);
    CHECK_OK(csi_link_put(other, "I read", 6, &err));
    CHECK(hear(server, other, heard, patience_ms));
    unsigned got = 0;
    for (uint64_t until = csi_clock_mono_ms() + patience_ms; got < sent && csi_clock_mono_ms() < until;)
        if (csi_link_take(slow, &frame, &length, &err) == CFSPLIT_OK)
            got++;
        else
            serve_once(server, csi_link_fd(slow));
    CHECK_EQUAL(got, sent);
    csi_link_close(other);
    csi_link_close(slow);
    csi_server_close(server);
}

/* The same address, another server: whoever knew the first is not let in, and comes again with the new key. */
static void server_comes_again_with_another_key(void)
{
    char ipc[64], first_key[CSI_NET_KEY_BYTES];
    struct csi_server *server = server_new(ipc);
    struct csi_link *link = link_new(ipc, server, &client);
    say(server, link, "first");
    memcpy(first_key, csi_server_key(server), sizeof first_key);
    csi_server_close(server);
    struct csi_server_options options = {.client_key = client.open, .ipc = ipc + strlen("ipc://"), .bind = "none"};
    CHECK_OK(csi_server_open(&options, &server, &err));
    CU_ASSERT_FATAL(server != NULL);
    CHECK(strcmp(csi_server_key(server), first_key) != 0);
    AWAIT(server, counts_of(server).refused > 0);
    CHECK_EQUAL(counts_of(server).accepted, 0);
    struct csi_link *again = link_new(ipc, server, &client);
    say(server, again, "second");
    csi_link_close(link);
    csi_link_close(again);
    csi_server_close(server);
}

static void wait_ends_when_it_is_woken(void)
{
    char ipc[64];
    struct csi_server *server = server_new(ipc);
    int ends[2];
    bool woken = true;
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    CHECK_OK(csi_server_wait(server, 0, ends[0], &woken, &err));
    CHECK(!woken);
    CHECK(write(ends[1], "x", 1) == 1);
    CHECK_OK(csi_server_wait(server, -1, ends[0], &woken, &err));
    CHECK(woken);
    close(ends[0]);
    close(ends[1]);
    csi_server_close(server);
}

static void server_closes_amid_handshakes(void)
{
    char ipc[64];
    for (int i = 0; i < 5; i++) {
        struct csi_server *server = server_new(ipc);
        struct csi_link *link = link_new(ipc, server, &client);
        int fd = tcp_new(server);
        bool woken;
        struct pollfd readable = {.fd = csi_link_fd(link), .events = POLLIN};
        poll(&readable, 1, i * turn_ms); /* the question whether to let it in is asked, and stays without an answer */
        if (i > 2)
            CHECK_OK(csi_server_wait(server, 0, -1, &woken, &err));
        csi_server_close(server);
        close(fd);
        csi_link_close(link);
    }
}

/* ---- the process around it */

static void descriptors_are_closed_on_exec(void)
{
    enum { most = 1000 };
    bool inherited[most];
    for (int fd = 0; fd < most; fd++)
        inherited[fd] = fcntl(fd, F_GETFD) >= 0;
    char ipc[64];
    struct csi_server *server = server_new(ipc);
    struct csi_link *links[2] = {link_new(ipc, server, &client),
                                 link_new(csi_server_address(server, 0), server, &client)};
    say(server, links[0], "x");
    say(server, links[1], "x");
    unsigned sockets = 0;
    for (int fd = 0; fd < most; fd++) {
        int flags = fcntl(fd, F_GETFD), kind;
        socklen_t length = sizeof kind;
        if (flags < 0 || inherited[fd])
            continue;
        CHECK(flags & FD_CLOEXEC);
        sockets += getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &length) == 0;
    }
    CHECK_EQUAL(sockets, 6); /* two listen, and two connections have two ends each */
    csi_link_close(links[0]);
    csi_link_close(links[1]);
    csi_server_close(server);
}

static void child_that_was_forked_closes_without_harm(void)
{
    char ipc[64];
    struct csi_server *server = server_new(ipc);
    struct csi_link *link = link_new(ipc, server, &client);
    say(server, link, "before");
    pid_t child = fork();
    if (child == 0) {
        alarm(patience_ms / 1000);
        csi_link_close(link);
        csi_server_close(server);
        _exit(0);
    }
    int how = -1;
    CHECK(child > 0 && waitpid(child, &how, 0) == child);
    CHECK_EQUAL(how, 0);
    say(server, link, "after");
    csi_link_close(link);
    csi_server_close(server);
}

static void too_few_descriptors_are_told(void)
{
    struct rlimit limit, low;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    low = limit;
    low.rlim_cur = 1000;
    CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
    CHECK_EQUAL(open_and_close(&(struct csi_server_options){.client_key = client.open, .connections = 1000}),
                CFSPLIT_UNREACHABLE);
    CHECK_TEXT(err.message, "1000 connections need 1064 open files, but the limit is 1000 (ulimit -n)");
    CHECK_OK(open_and_close(&(struct csi_server_options){.client_key = client.open, .connections = 900}));
    low.rlim_cur = descriptors_count() + 4; /* not enough for libzmq, which would abort */
    CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
    struct csi_link *link;
    CHECK_EQUAL(open_and_close(&(struct csi_server_options){.client_key = client.open}), CFSPLIT_UNREACHABLE);
    CHECK_TEXT(err.message, "cannot open the sockets of the queue: Too many open files");
    CHECK_EQUAL(csi_link_open("ipc://@x", client.open, &client, &link, &err), CFSPLIT_UNREACHABLE);
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void place_is_the_same_for_all_of_a_namespace(void)
{
    char here[CSI_NET_PLACE_BYTES], again[CSI_NET_PLACE_BYTES];
    csi_net_place(here);
    csi_net_place(again);
    CHECK(strlen(here) > 38 && here[36] == ' ');
    CHECK_TEXT(again, here);
}

/* Raises the limit as the tool does: each link has a dozen descriptors. */
static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"frames go both ways, over an abstract socket and over TCP", frames_go_both_ways},
        {"200 links at once", many_links_at_once},
        {"the largest frame goes through, and a longer one is not sent",
         largest_frame_goes_through_and_a_longer_one_is_not_sent},
        {"a link takes nothing more when nobody comes", link_takes_nothing_more_when_nobody_comes},
        {"a link opens to numeric addresses only", link_opens_to_numeric_addresses_only},
        {"what cannot be bound is told", what_cannot_be_bound_is_told},
        {"addresses are numeric, and the loopback is last", addresses_are_numeric_and_the_loopback_is_last},
        {"a wrong client key is refused", wrong_client_key_is_refused},
        {"a wrong server key is refused", wrong_server_key_is_refused},
        {"other mechanisms than CURVE are refused", other_mechanisms_are_refused},
        {"other kinds of sockets are refused", other_kinds_of_sockets_are_refused},
        {"a link with a wrong key hears nothing", link_with_a_wrong_key_hears_nothing},
        {"what is no handshake is refused", what_is_no_handshake_is_refused},
        {"who says nothing is refused after a while", who_says_nothing_is_refused_after_a_while},
        {"those refused silently are counted when they had the time",
         silently_refused_are_counted_when_they_had_the_time},
        {"good ones work while strangers come and go", good_ones_work_while_strangers_come_and_go},
        {"too long a frame ends its connection only", too_long_frame_ends_its_connection_only},
        {"more than one frame is dropped whole", more_than_one_frame_is_dropped_whole},
        {"a peer with a name of its own is dropped", peer_with_a_name_of_its_own_is_dropped},
        {"what is for a peer that is gone is not taken", what_is_for_a_peer_that_is_gone_is_not_taken},
        {"what a peer does not read is bounded", what_a_peer_does_not_read_is_bounded},
        {"a server comes again with another key", server_comes_again_with_another_key},
        {"a wait ends when it is woken", wait_ends_when_it_is_woken},
        {"a server closes amid handshakes", server_closes_amid_handshakes},
        {"descriptors are closed on exec", descriptors_are_closed_on_exec},
        {"a child that was forked closes without harm", child_that_was_forked_closes_without_harm},
        {"too few descriptors are told", too_few_descriptors_are_told},
        {"a place is the same for all of a namespace", place_is_the_same_for_all_of_a_namespace},
    };
    static const struct check_case flood[] = {
        {"ten thousand quick connects leave nothing", ten_thousand_quick_connects_leave_nothing},
    };
    raise_limit();
    if (csi_net_new_keys(&client, &err) != CFSPLIT_OK)
        return 2;
    if (argc > 1 && strcmp(argv[1], "flood") == 0)
        return check_main("the queue's network, under a flood", flood, 1);
    return check_main("the queue's network", cases, sizeof cases / sizeof cases[0]);
}
