/* A bad network between network namespaces, for tests: packets are lost, late, out of order, sent twice, or go one way only, and
 * connections are cut. Each namespace has an interface `relay` (ip tuntap add dev relay mode tun), the K-th one with an IPv4 address
 * that ends with K; what leaves by one comes out of another, as the rules say. The kernels' own TCP meets what real ones meet.
 *
 * usage: relay SEED NETNS...       the names of `ip netns`; a line a rule on stdin, until it ends; then prints what it did
 *
 *   FROM TO [WORD NUMBER...]       of what goes from one to the other (their numbers, or *), from now on; instead of the last rule
 *     delay MIN MAX                each packet takes so many ms: they overtake each other
 *     drag MIN MAX                 each connection takes so many ms: the packets of one keep their order, connections overtake each other
 *     lose N                       of 1000 packets; all with 1000
 *     mute N                       the same of packets with data: connections are made, and then nothing more comes
 *     twice N                      so many of 1000 packets come twice
 *     cut N                        for so many of 1000 packets with data the connection is reset at both ends instead
 *     half N                       the same, and only the sender hears of it
 *
 * Nothing is remembered of connections, and at most 4096 packets wait: what comes more is lost, as in any router. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "lib/random.h"

enum { ends_max = 8, waiting_max = 4096, packet_max = 1500, idle_ms = 1000 };

enum word { DELAY, DRAG, LOSE, MUTE, TWICE, CUT, HALF, WORDS };
static const struct {
    const char *text;
    int numbers;
} words[WORDS] = {{"delay", 2}, {"drag", 2}, {"lose", 1}, {"mute", 1}, {"twice", 1}, {"cut", 1}, {"half", 1}};

struct rule {
    uint64_t told[WORDS][2];
};

struct packet {
    uint64_t due_ms, number; /* the order in which they came */
    size_t to, length;
    unsigned char bytes[packet_max];
};

static struct {
    size_t ends;
    int fds[ends_max];
    struct rule rules[ends_max][ends_max];
    struct packet waiting[waiting_max];
    size_t waiting_count;
    uint64_t number, last[ends_max]; /* of the last packet that went out there */
    struct random random;
    uint64_t drag_salt;
    uint64_t passed, lost, muted, doubled, overtook, cut, halved;
    char line[4096];
    size_t line_length;
} relay;

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void fail(const char *what)
{
    fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- what a packet is */

struct segment { /* of TCP, as far as it matters here */
    size_t ip_bytes, tcp_bytes, data_bytes;
    uint16_t source, target;
    uint32_t seq, ack;
};

static bool read_segment(const unsigned char *bytes, size_t length, struct segment *out)
{
    struct iphdr ip;
    struct tcphdr tcp;
    if (length < sizeof ip + sizeof tcp)
        return false;
    memcpy(&ip, bytes, sizeof ip);
    out->ip_bytes = (size_t)ip.ihl * 4;
    if (ip.version != 4 || ip.protocol != IPPROTO_TCP || out->ip_bytes + sizeof tcp > length)
        return false;
    memcpy(&tcp, bytes + out->ip_bytes, sizeof tcp);
    out->tcp_bytes = (size_t)tcp.doff * 4;
    size_t headers = out->ip_bytes + out->tcp_bytes, total = ntohs(ip.tot_len);
    if (total > length || headers > total)
        return false;
    out->data_bytes = total - headers;
    out->source = ntohs(tcp.source);
    out->target = ntohs(tcp.dest);
    out->seq = ntohl(tcp.seq);
    out->ack = ntohl(tcp.ack_seq);
    return true;
}

static void put_16(unsigned char *at, uint32_t number)
{
    at[0] = (unsigned char)(number >> 8);
    at[1] = (unsigned char)number;
}

static void put_32(unsigned char *at, uint32_t number)
{
    put_16(at, number >> 16);
    put_16(at + 2, number);
}

/* Of bytes in pairs, RFC 1071; `sum` is what was added before. */
static uint32_t checksum(uint32_t sum, const unsigned char *at, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum += (uint32_t)at[i] << (i % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return ~sum;
}

enum { reset_bytes = 40, reset_tcp = 20, reset_addresses = 12 };

/* Who sent that packet hears (from its target, if `back`), or its target does, that the connection is no more. */
static void make_reset(const unsigned char *of, const struct segment *segment, bool back, unsigned char *out)
{
    static const unsigned char blank[reset_bytes] = {
        [0] = 0x45, [3] = reset_bytes, [8] = 64, [9] = IPPROTO_TCP, [reset_tcp + 12] = 0x50, [reset_tcp + 13] = TH_RST};
    unsigned char *tcp = out + reset_tcp;
    memcpy(out, blank, reset_bytes);
    memcpy(out + reset_addresses, of + reset_addresses + (back ? 4 : 0), 4);
    memcpy(out + reset_addresses + 4, of + reset_addresses + (back ? 0 : 4), 4);
    put_16(tcp, back ? segment->target : segment->source);
    put_16(tcp + 2, back ? segment->source : segment->target);
    put_32(tcp + 4, back ? segment->ack : segment->seq);
    put_16(out + 10, checksum(0, out, reset_tcp));
    put_16(tcp + 16,
           checksum(IPPROTO_TCP + reset_bytes - reset_tcp, out + reset_addresses, reset_bytes - reset_addresses));
}

/* ---- what becomes of it */

static void keep(size_t to, const unsigned char *bytes, size_t length, uint64_t wait_ms)
{
    if (relay.waiting_count == waiting_max) {
        relay.lost++;
        return;
    }
    struct packet *packet = &relay.waiting[relay.waiting_count++];
    packet->due_ms = now_ms() + wait_ms;
    packet->number = ++relay.number;
    packet->to = to;
    packet->length = length;
    memcpy(packet->bytes, bytes, length);
}

static bool happens(const struct rule *rule, enum word word)
{
    return random_below(&relay.random, 1000) < rule->told[word][0];
}

static uint64_t between(const uint64_t told[2], uint64_t drawn)
{
    return told[0] + (told[1] > told[0] ? drawn % (told[1] - told[0] + 1) : 0);
}

/* The same for all packets of one connection in this direction. */
static uint64_t drag_ms(const struct rule *rule, const struct segment *segment)
{
    struct random random = {relay.drag_salt ^ ((uint64_t)segment->source << 16 | segment->target)};
    return between(rule->told[DRAG], random_next(&random));
}

static void reset(size_t from, size_t to, const unsigned char *bytes, const struct segment *segment, bool both)
{
    unsigned char made[reset_bytes];
    make_reset(bytes, segment, true, made);
    keep(from, made, sizeof made, 0);
    if (!both)
        return;
    make_reset(bytes, segment, false, made);
    keep(to, made, sizeof made, 0);
}

static void pass(size_t from, size_t to, const unsigned char *bytes, size_t length)
{
    const struct rule *rule = &relay.rules[from][to];
    struct segment segment = {0};
    bool has_data = read_segment(bytes, length, &segment) && segment.data_bytes > 0;
    if (happens(rule, LOSE)) {
        relay.lost++;
    } else if (has_data && happens(rule, MUTE)) {
        relay.muted++;
    } else if (has_data && happens(rule, CUT)) {
        reset(from, to, bytes, &segment, true);
        relay.cut++;
    } else if (has_data && happens(rule, HALF)) {
        reset(from, to, bytes, &segment, false);
        relay.halved++;
    } else {
        bool again = happens(rule, TWICE);
        for (int i = 0; i <= again; i++)
            keep(to, bytes, length, drag_ms(rule, &segment) + between(rule->told[DELAY], random_next(&relay.random)));
        relay.passed++;
        relay.doubled += again;
    }
}

static void read_packets(size_t from)
{
    unsigned char bytes[packet_max];
    ssize_t length;
    while ((length = read(relay.fds[from], bytes, sizeof bytes)) > 0) {
        size_t to = length >= (ssize_t)sizeof(struct iphdr) && bytes[0] >> 4 == 4 ? (size_t)bytes[19] - 1 : SIZE_MAX;
        if (to < relay.ends && to != from)
            pass(from, to, bytes, (size_t)length);
    }
}

static bool is_before(const struct packet *a, const struct packet *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->number < b->number;
}

static struct packet *first(void)
{
    struct packet *found = relay.waiting_count ? relay.waiting : NULL;
    for (size_t i = 1; i < relay.waiting_count; i++)
        if (is_before(&relay.waiting[i], found))
            found = &relay.waiting[i];
    return found;
}

/* Sends what is due; returns how long there is nothing to do. */
static int send_packets(void)
{
    struct packet *packet;
    while ((packet = first()) && packet->due_ms <= now_ms()) {
        relay.overtook += packet->number < relay.last[packet->to];
        if (packet->number > relay.last[packet->to])
            relay.last[packet->to] = packet->number;
        if (write(relay.fds[packet->to], packet->bytes, packet->length) < 0)
            relay.lost++;
        *packet = relay.waiting[--relay.waiting_count];
    }
    uint64_t now = now_ms();
    return !packet ? idle_ms : packet->due_ms > now ? (int)(packet->due_ms - now) : 0;
}

/* ---- rules */

static void complain(const char *line)
{
    fprintf(stderr, "relay: no rule: %s\n", line);
    exit(2);
}

/* The ends that a word means: from *begin up to before *end. */
static bool read_end(const char *word, size_t *begin, size_t *end)
{
    char *rest;
    unsigned long number = word ? strtoul(word, &rest, 10) : 0;
    *begin = 0;
    *end = relay.ends;
    if (word && strcmp(word, "*") == 0)
        return true;
    *begin = number - 1;
    *end = number;
    return number >= 1 && number <= relay.ends && *rest == '\0';
}

static bool read_word(const char *word, struct rule *rule, char **rest)
{
    char *end;
    for (size_t i = 0; i < WORDS; i++) {
        if (strcmp(word, words[i].text) != 0)
            continue;
        for (int n = 0; n < words[i].numbers; n++) {
            const char *number = strtok_r(NULL, " ", rest);
            if (!number)
                return false;
            rule->told[i][n] = strtoull(number, &end, 10);
            if (end == number || *end)
                return false;
        }
        return true;
    }
    return false;
}

static void read_rule(char *line)
{
    char whole[sizeof relay.line], *rest;
    struct rule rule = {0};
    size_t from, from_end, to, to_end;
    snprintf(whole, sizeof whole, "%s", line);
    if (!read_end(strtok_r(line, " ", &rest), &from, &from_end) || !read_end(strtok_r(NULL, " ", &rest), &to, &to_end))
        complain(whole);
    const char *word;
    while ((word = strtok_r(NULL, " ", &rest)))
        if (!read_word(word, &rule, &rest))
            complain(whole);
    for (size_t f = from; f < from_end; f++)
        for (size_t t = to; t < to_end; t++)
            relay.rules[f][t] = rule;
}

/* False: no more will come. */
static bool read_rules(void)
{
    ssize_t n = read(STDIN_FILENO, relay.line + relay.line_length, sizeof relay.line - 1 - relay.line_length);
    if (n <= 0)
        return false;
    relay.line_length += (size_t)n;
    relay.line[relay.line_length] = '\0';
    char *at = relay.line, *newline;
    while ((newline = strchr(at, '\n'))) {
        *newline = '\0';
        read_rule(at);
        at = newline + 1;
    }
    relay.line_length = strlen(at);
    memmove(relay.line, at, relay.line_length + 1);
    return true;
}

/* ---- beginning */

static int open_end(const char *name)
{
    char path[256];
    struct ifreq request = {.ifr_name = "relay"};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    snprintf(path, sizeof path, "/run/netns/%s", name);
    int ns = open(path, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET) != 0)
        fail(path);
    close(ns);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0)
        fail("/dev/net/tun");
    return fd;
}

static void carry(void)
{
    struct pollfd polled[ends_max + 1] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    for (size_t i = 0; i < relay.ends; i++)
        polled[i + 1] = (struct pollfd){.fd = relay.fds[i], .events = POLLIN};
    for (;;) {
        if (poll(polled, (nfds_t)relay.ends + 1, send_packets()) < 0 && errno != EINTR)
            fail("poll");
        if (polled[0].revents && !read_rules())
            return;
        for (size_t i = 0; i < relay.ends; i++)
            if (polled[i + 1].revents)
                read_packets(i);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > ends_max + 2) {
        fprintf(stderr, "usage: relay SEED NETNS NETNS...\n");
        return 2;
    }
    relay.random.state = strtoull(argv[1], NULL, 10);
    relay.drag_salt = random_next(&relay.random);
    relay.ends = (size_t)argc - 2;
    for (size_t i = 0; i < relay.ends; i++)
        relay.fds[i] = open_end(argv[i + 2]);
    carry();
    printf("passed %" PRIu64 " lost %" PRIu64 " muted %" PRIu64 " doubled %" PRIu64 " overtook %" PRIu64 " cut %" PRIu64
           " halved %" PRIu64 "\n",
           relay.passed, relay.lost, relay.muted, relay.doubled, relay.overtook, relay.cut, relay.halved);
    return 0;
}
