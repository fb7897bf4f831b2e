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

enum { patience_ms = 60000, turn_ms = 20 };

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

int main(void)
{
    static const struct check_case cases[] = {
        {"frames go both ways, over an abstract socket and over TCP", frames_go_both_ways},
    };
    if (csi_net_new_keys(&client, &err) != CFSPLIT_OK)
        return 2;
    return check_main("the queue's network", cases, sizeof cases / sizeof cases[0]);
}
