/* A bad peer of a queue: it reads what a run's folder says, connects to the coordinator, and does what no worker does.
 *
 * usage: peer stranger RUN none|drawn|OTHER_RUN   knocks without a key, with one of its own, or with another run's; 0: it was refused
 *        peer garbage RUN [SEED]                  the right key, and frames that are no messages
 *        peer large RUN COUNT                     so many frames of 1 MiB
 *        peer hello RUN                           HELLO of those who are not there, of the coordinator, of all who are at work, and worse
 *        peer worker RUN                          a worker that mixes up its messages and speaks of what it never had; leaves in order
 *        peer hoard RUN                           a worker that asks for 2^63 items and lives on, until it is killed
 *        peer late RUN                            a worker that begins its session anew when it is sent home; leaves in order
 *        peer dry RUN                             a worker that has started all it holds, says so when it is asked to give back and
 *                                                 is given more; leaves in order
 *        peer flood RUN SECONDS                   a worker that only talks; leaves in order
 *        peer connects RUN COUNT                  connects by TCP, says nothing or something else
 *
 * Each that is answered waits for the answer to a last message, so what it sent before was read when it ends. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/error.h"
#include "lib/random.h"
#include "net/net.h"
#include "node/heart.h"
#include "node/leases.h"
#include "rundir/epoch.h"
#include "rundir/journal.h"

enum { patience_ms = 60000, ping_every_ms = 200, wave = 500, answers_most = 300 };

static struct cfsplit_error err;
static struct cfsplit_run *run;
static struct csi_epoch epoch;
static struct csi_net_keys keys;
static void *context, *dealer, *monitor;
static struct csi_buf out, space;
static uint64_t session = 1, seq;

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "peer: %s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition, err.message);            \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)
#define MUST_OK(call) MUST((call) == CFSPLIT_OK)

/* ---- connecting */

static const char *address_of(const char *scheme)
{
    size_t i = epoch.address_count;
    while (i > 0 && strncmp(epoch.addresses[i - 1], scheme, strlen(scheme)) != 0)
        i--;
    MUST(i > 0);
    return epoch.addresses[i - 1];
}

static void read_run(const char *path)
{
    MUST_OK(cfsplit_run_open(path, &run, &err));
    for (uint64_t until = csi_clock_mono_ms() + patience_ms; csi_epoch_last(run, 0, &epoch, &err) != CFSPLIT_OK;) {
        MUST(csi_clock_mono_ms() < until);
        usleep(20000);
    }
    MUST_OK(csi_epoch_read_keys(run, keys.open, keys.secret, &err));
}

/* Begins to be told what becomes of the connection. */
static void watch(void)
{
    enum {
        seen = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
               ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_DISCONNECTED
    };
    static unsigned count;
    const int patience = patience_ms;
    char name[32];
    snprintf(name, sizeof name, "inproc://monitor-%u", count++);
    monitor = zmq_socket(context, ZMQ_PAIR);
    MUST(monitor && zmq_setsockopt(monitor, ZMQ_RCVTIMEO, &patience, sizeof patience) == 0);
    MUST(zmq_socket_monitor(dealer, name, seen) == 0 && zmq_connect(monitor, name) == 0);
}

static void connect_dealer(bool with_key)
{
    const int none = 0, never = -1;
    dealer = zmq_socket(context, ZMQ_DEALER);
    MUST(dealer && zmq_setsockopt(dealer, ZMQ_LINGER, &none, sizeof none) == 0);
    MUST(zmq_setsockopt(dealer, ZMQ_RECONNECT_IVL, &never, sizeof never) == 0);
    if (with_key) {
        MUST(zmq_setsockopt(dealer, ZMQ_CURVE_SERVERKEY, epoch.key, strlen(epoch.key)) == 0);
        MUST(zmq_setsockopt(dealer, ZMQ_CURVE_PUBLICKEY, keys.open, strlen(keys.open)) == 0);
        MUST(zmq_setsockopt(dealer, ZMQ_CURVE_SECRETKEY, keys.secret, strlen(keys.secret)) == 0);
    }
    watch();
    MUST(zmq_connect(dealer, address_of("ipc:")) == 0);
}

static void close_dealer(void)
{
    zmq_close(dealer);
    zmq_close(monitor);
}

/* ---- messages */

static void put_bytes(const void *bytes, size_t length, int flags)
{
    int sent;
    do {
        sent = zmq_send(dealer, bytes, length, flags);
    } while (sent < 0 && zmq_errno() == EINTR);
    MUST(sent >= 0);
}

static void put(const struct csi_message *m)
{
    csi_buf_clear(&out);
    csi_message_encode(m, &out);
    MUST_OK(csi_buf_check(&out, &err));
    put_bytes(out.data, out.length, 0);
}

/* The next message of this session, in its turn. */
static void say(struct csi_message *m)
{
    m->epoch = epoch.K;
    m->session = session;
    m->seq = ++seq;
    put(m);
}

/* What comes within so many ms; false: nothing. Its bytes are borrowed until the next. */
static bool hear(struct csi_message *m, uint64_t within_ms)
{
    static char frame[CSI_WIRE_FRAME_MAX];
    zmq_pollitem_t item = {.socket = dealer, .events = ZMQ_POLLIN};
    if (zmq_poll(&item, 1, (long)within_ms) <= 0)
        return false;
    int length = zmq_recv(dealer, frame, sizeof frame, 0);
    MUST(length >= 0 && (size_t)length <= sizeof frame);
    MUST(csi_message_decode(frame, (size_t)length, CSI_FROM_COORDINATOR, m) && m->epoch == epoch.K);
    return true;
}

/* Drops what comes until it is that. */
static void wait_for(enum csi_message_kind kind, uint64_t of_session, struct csi_message *m)
{
    for (uint64_t until = csi_clock_mono_ms() + patience_ms; csi_clock_mono_ms() < until;)
        if (hear(m, ping_every_ms) && m->kind == kind && m->session == of_session)
            return;
    fprintf(stderr, "peer: %s did not come\n", csi_message_word(kind));
    exit(1);
}

/* All that was sent before was read when this returns, and nobody was welcome. */
static void wait_until_read(void)
{
    static uint64_t strange_session = UINT64_C(1) << 50;
    struct csi_message m = {.kind = CSI_MESSAGE_PING, .epoch = epoch.K, .session = ++strange_session, .seq = 7};
    put(&m);
    for (uint64_t until = csi_clock_mono_ms() + patience_ms; csi_clock_mono_ms() < until;) {
        if (!hear(&m, ping_every_ms))
            continue;
        if (m.kind == CSI_MESSAGE_WELCOME || m.kind == CSI_MESSAGE_BATCH) {
            fprintf(stderr, "peer: %s of session %" PRIu64 " came\n", csi_message_word(m.kind), m.session);
            exit(1);
        }
        if (m.kind == CSI_MESSAGE_RESET && m.session == strange_session)
            return;
    }
    MUST(!"the coordinator answers");
}

static struct csi_message hello_of(const char *inc, uint64_t journal)
{
    return (struct csi_message){.kind = CSI_MESSAGE_HELLO,
                                .epoch = epoch.K,
                                .session = session,
                                .seq = 1,
                                .hello = {.inc = {inc, strlen(inc)},
                                          .run_id = {run->spec.run_id, strlen(run->spec.run_id)},
                                          .slots = 1,
                                          .journal = journal}};
}

/* ---- strangers */

/* What happens next to the connection: it is let in, or not, or ends. True: let in. */
static bool is_let_in(void)
{
    uint16_t event;
    zmq_msg_t told;
    zmq_msg_init(&told);
    MUST(zmq_msg_recv(&told, monitor, 0) >= (int)sizeof event);
    memcpy(&event, zmq_msg_data(&told), sizeof event);
    MUST(zmq_msg_recv(&told, monitor, 0) >= 0); /* where */
    zmq_msg_close(&told);
    return event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
}

static int be_stranger(const char *key)
{
    if (strcmp(key, "drawn") == 0) {
        MUST_OK(csi_net_new_keys(&keys, &err));
    } else if (strcmp(key, "none") != 0) {
        struct cfsplit_run *other;
        MUST_OK(cfsplit_run_open(key, &other, &err));
        MUST_OK(csi_epoch_read_keys(other, keys.open, keys.secret, &err));
        cfsplit_run_close(other);
    }
    connect_dealer(strcmp(key, "none") != 0);
    return is_let_in() ? 1 : 0;
}

static int be_many(size_t count)
{
    static const char *const words[] = {"", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "\xff\0\0\0\0\0\0\0\1\x7f",
                                        "CQ\1\1"};
    const char *colon = strrchr(address_of("tcp://127.0.0.1:"), ':');
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10))};
    int fds[wave];
    for (size_t done = 0; done < count;) {
        size_t n = 0;
        for (; n < wave && done < count; n++, done++) {
            const char *word = words[done % (sizeof words / sizeof words[0])];
            fds[n] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            MUST(fds[n] >= 0 && connect(fds[n], (struct sockaddr *)&to, sizeof to) == 0);
            if (*word)
                (void)!send(fds[n], word, strlen(word), MSG_NOSIGNAL);
        }
        while (n > 0)
            close(fds[--n]);
    }
    return 0;
}

/* ---- the right key */

static void put_random(struct random *random, size_t length, bool with_head)
{
    static unsigned char bytes[CSI_WIRE_FRAME_MAX];
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)random_next(random);
    if (with_head && length > 4) {
        const unsigned char head[] = {'C', 'Q', CSI_WIRE_VERSION, (unsigned char)(random_below(random, 26))};
        memcpy(bytes, head, sizeof head);
    }
    put_bytes(bytes, length, 0);
}

/* One of each kind, cut short everywhere, with a byte more, of another version. */
static void put_broken(struct csi_message *m)
{
    m->epoch = epoch.K;
    m->session = m->seq = 1;
    csi_buf_clear(&out);
    csi_message_encode(m, &out);
    csi_buf_add_char(&out, '\0');
    MUST_OK(csi_buf_check(&out, &err));
    for (size_t length = 0; length <= out.length; length++)
        if (length != out.length - 1)
            put_bytes(out.data, length, 0);
    out.data[2] = CSI_WIRE_VERSION + 1;
    put_bytes(out.data, out.length - 1, 0);
}

static int be_garbage(uint64_t seed)
{
    struct random random = {seed};
    struct csi_message broken[] = {
        hello_of("1-0011223344556677", 0),
        {.kind = CSI_MESSAGE_WANT, .want.count = 3},
        {.kind = CSI_MESSAGE_ENDS, .ends = {.count = 1, .list = {"\1\1\1\1", 4}}},
        {.kind = CSI_MESSAGE_PING},
        {.kind = CSI_MESSAGE_BYE},
    };
    connect_dealer(true);
    printf("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 1000; i++)
        put_random(&random, random_below(&random, 600), i % 2);
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        put_broken(&broken[i]);
    struct csi_message theirs = {.kind = CSI_MESSAGE_HOME, .epoch = epoch.K, .session = 1, .seq = 1};
    put(&theirs); /* of the wrong side */
    put_bytes("one", 3, ZMQ_SNDMORE);
    put_bytes("", 0, ZMQ_SNDMORE);
    put_bytes("three", 5, 0);
    put_random(&random, CSI_WIRE_FRAME_MAX, true);
    wait_until_read();
    close_dealer();
    connect_dealer(true); /* and what is too long ends the connection */
    MUST(is_let_in());
    void *large = calloc(2, CSI_WIRE_FRAME_MAX);
    MUST(large);
    put_bytes(large, 2 * (size_t)CSI_WIRE_FRAME_MAX, 0);
    free(large);
    MUST(!is_let_in()); /* the next that is told of is the end */
    return 0;
}

static int be_large(uint64_t count)
{
    char *large = calloc(1, CSI_WIRE_FRAME_MAX);
    MUST(large);
    connect_dealer(true);
    for (uint64_t i = 0; i < count; i++)
        put_bytes(large, CSI_WIRE_FRAME_MAX, 0);
    free(large);
    wait_until_read();
    return 0;
}

/* ---- HELLO */

static void say_hello_as(const char *inc, uint64_t journal)
{
    struct csi_message hello = hello_of(inc, journal);
    put(&hello);
    hello.session = UINT64_MAX;
    put(&hello);
}

static struct csi_inc self;
static struct csi_journal journal;
static struct csi_heart heart;

static void come(void)
{
    MUST_OK(csi_inc_publish(run, 0, "a bad peer", &self, &err));
    MUST_OK(csi_journal_open(&journal, run, &self, &err));
    MUST_OK(csi_heart_start(&heart, run, self.name, 1000, &err));
}

static void bind_to(uint64_t K)
{
    struct csi_record bound = {.kind = CSI_RECORD_BOUND, .index = K, .attempt = session};
    csi_journal_add(&journal, &bound);
    MUST_OK(csi_journal_write(&journal, &err));
    MUST_OK(csi_journal_sync(&journal, &err));
}

static void leave(void)
{
    struct csi_record closed = {.kind = CSI_RECORD_CLOSED, .text = "left", .text_length = 4};
    csi_journal_add(&journal, &closed);
    MUST_OK(csi_journal_write(&journal, &err));
    MUST_OK(csi_journal_close(&journal, &err));
    csi_heart_stop(&heart, CSI_BEAT_LEFT);
}

static int be_hello(void)
{
    struct csi_inc_list list = {0};
    struct csi_message hello;
    connect_dealer(true);
    say_hello_as("1-0011223344556677", 0);
    say_hello_as("nobody", 0);
    say_hello_as(epoch.coordinator.name, 0);
    MUST_OK(csi_inc_list_refresh(&list, run, &err));
    for (size_t i = 0; i < list.count; i++) {
        say_hello_as(list.at[i].name, 0);
        say_hello_as(list.at[i].name, 150);
        say_hello_as(list.at[i].name, UINT64_MAX);
    }
    free(list.at);
    come();
    say_hello_as(self.name, journal.synced); /* it is not bound */
    wait_until_read();
    bind_to(epoch.K);
    say_hello_as(self.name, journal.synced + 1);
    say_hello_as(self.name, UINT64_MAX);
    hello = hello_of(self.name, journal.synced);
    hello.hello.run_id = (struct csi_wire_bytes){"0123456789abcdef0123456789abcdef", 32};
    put(&hello);
    hello = hello_of(self.name, journal.synced);
    hello.epoch++;
    put(&hello);
    hello = hello_of(self.name, journal.synced);
    hello.session = 0;
    put(&hello);
    hello = hello_of(self.name, journal.synced);
    hello.seq = 2;
    put(&hello);
    wait_until_read();
    hello = hello_of(self.name, journal.synced); /* who says it as it should be is welcome after all that */
    put(&hello);
    wait_for(CSI_MESSAGE_WELCOME, session, &hello);
    leave();
    return 0;
}

/* ---- workers */

static void begin_session(uint64_t number)
{
    struct csi_message hello, welcome;
    session = number;
    bind_to(epoch.K);
    hello = hello_of(self.name, journal.synced);
    seq = 0;
    say(&hello);
    wait_for(CSI_MESSAGE_WELCOME, session, &welcome);
}

static void end_item(uint64_t index, uint64_t attempt, uint64_t class)
{
    struct csi_buf list = CSI_BUF_INIT;
    struct csi_wire_end end = {index, attempt, class, 5};
    csi_wire_end_add(&list, &end);
    struct csi_message ends = {.kind = CSI_MESSAGE_ENDS, .ends = {.count = 1, .list = {list.data, list.length}}};
    say(&ends);
    csi_buf_release(&list);
}

static void speak_of_what_it_never_had(uint64_t index, uint64_t attempt)
{
    static const uint64_t classes[] = {CSI_DONE, CSI_FAILED, CSI_SET_ASIDE, CSI_CLASS_COUNT, UINT64_MAX};
    for (size_t c = 0; c < sizeof classes / sizeof classes[0]; c++) {
        end_item(index, attempt + 1, classes[c]);
        end_item(index, attempt - 1, classes[c]);
        end_item(index, attempt + (UINT64_C(1) << 32), classes[c]);
        for (uint64_t other = 0; other < 400; other++)
            if (other != index)
                end_item(other, 1, classes[c]);
        end_item(UINT64_MAX, 1, classes[c]);
        end_item(UINT32_MAX, UINT64_MAX, classes[c]);
    }
    end_item(index, attempt, CSI_CLASS_COUNT);
    end_item(index, attempt, UINT64_MAX);
    struct csi_message lists[] = {
        {.kind = CSI_MESSAGE_ENDS, .ends = {.count = 3, .list = {"\1\1", 2}}},
        {.kind = CSI_MESSAGE_ENDS, .ends = {.count = 64}},
        {.kind = CSI_MESSAGE_ENDS, .ends = {.count = 0, .list = {"\0\1\0\0", 4}}},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        say(&lists[i]);
}

static void check_alive(void)
{
    struct csi_message ping = {.kind = CSI_MESSAGE_PING}, pong;
    ping.ping.asked = 1;
    say(&ping);
    wait_for(CSI_MESSAGE_PONG, session, &pong);
    MUST(pong.pong.asked == 1);
}

static int be_worker(void)
{
    struct csi_message want = {.kind = CSI_MESSAGE_WANT, .want.count = 1}, batch, m;
    struct csi_wire_bytes list;
    struct csi_wire_item item;
    connect_dealer(true);
    come();
    begin_session(1);
    say(&want);
    wait_for(CSI_MESSAGE_BATCH, session, &batch);
    MUST(batch.batch.count == 1 && csi_wire_unpack(&batch, &space, &list) && csi_wire_item_next(&list, &item));
    speak_of_what_it_never_had(item.index, item.attempt);
    check_alive();
    m = hello_of(self.name, journal.synced); /* the same again, as it was sent */
    put(&m);
    m = (struct csi_message){.kind = CSI_MESSAGE_WANT, .epoch = epoch.K, .session = 1, .want.count = 100};
    for (m.seq = 1; m.seq <= seq; m.seq++)
        put(&m);
    check_alive(); /* none of these was heard */
    seq += 5;
    say(&want); /* there was a gap: the session is over */
    wait_for(CSI_MESSAGE_RESET, 1, &m);
    for (int i = 0; i < 3; i++) {
        say(&want);
        wait_for(CSI_MESSAGE_RESET, 1, &m);
    }
    begin_session(9);
    m = hello_of(self.name, journal.synced);
    m.session = 8; /* one that comes late */
    put(&m);
    say(&want);
    wait_for(CSI_MESSAGE_BATCH, session, &batch);
    check_alive();
    MUST(csi_wire_unpack(&batch, &space, &list) && csi_wire_item_next(&list, &item));
    printf("%llu %.*s\n", (unsigned long long)item.index + 1, (int)item.name.length, item.name.data);
    leave();
    m = (struct csi_message){.kind = CSI_MESSAGE_BYE, .bye.journal = UINT64_MAX};
    say(&m);
    wait_until_read();
    return 0;
}

/* Asks for what cannot be, and answers nothing but that it is there. */
static int be_hoard(void)
{
    struct csi_message want = {.kind = CSI_MESSAGE_WANT, .want.count = UINT64_C(1) << 63}, m;
    struct csi_wire_bytes list;
    struct csi_wire_item item;
    uint64_t ping_ms = 0, asked = 0;
    connect_dealer(true);
    come();
    begin_session(1);
    for (;;) {
        if (csi_clock_mono_ms() >= ping_ms) {
            struct csi_message ping = {.kind = CSI_MESSAGE_PING};
            ping.ping.asked = asked;
            say(&ping);
            say(&want);
            asked += want.want.count; /* two of them are none */
            ping_ms = csi_clock_mono_ms() + ping_every_ms;
        }
        if (!hear(&m, ping_every_ms) || m.kind != CSI_MESSAGE_BATCH)
            continue;
        MUST(csi_wire_unpack(&m, &space, &list));
        while (csi_wire_item_next(&list, &item))
            printf("%.*s\n", (int)item.name.length, item.name.data);
        MUST(fflush(stdout) == 0);
    }
}

static int be_late(void)
{
    struct csi_message m;
    connect_dealer(true);
    come();
    begin_session(1);
    wait_for(CSI_MESSAGE_HOME, 1, &m);
    begin_session(2);
    wait_for(CSI_MESSAGE_HOME, 2, &m);
    leave();
    m = (struct csi_message){.kind = CSI_MESSAGE_BYE, .bye.journal = journal.length};
    say(&m);
    return 0;
}

/* How many items come until a message of that kind has. */
static uint64_t items_until(enum csi_message_kind kind)
{
    struct csi_message m;
    uint64_t got = 0;
    for (uint64_t until = csi_clock_mono_ms() + patience_ms; csi_clock_mono_ms() < until;) {
        if (!hear(&m, ping_every_ms))
            continue;
        got += m.kind == CSI_MESSAGE_BATCH ? m.batch.count : 0;
        if (m.kind == kind)
            return got;
    }
    MUST(!"it comes");
    return 0;
}

static void say_got(uint64_t got, uint64_t asked)
{
    struct csi_message ping = {.kind = CSI_MESSAGE_PING, .ping = {.running = got, .asked = asked, .got = got}};
    say(&ping);
    MUST(items_until(CSI_MESSAGE_PONG) == 0);
    printf("%" PRIu64 "\n", got);
    MUST(fflush(stdout) == 0);
}

static int be_dry(void)
{
    struct csi_message want = {.kind = CSI_MESSAGE_WANT, .want.count = 5};
    uint64_t got = 0;
    connect_dealer(true);
    come();
    begin_session(1);
    say(&want);
    while (got < want.want.count)
        got += items_until(CSI_MESSAGE_BATCH);
    printf("has\n");
    MUST(fflush(stdout) == 0);
    MUST(items_until(CSI_MESSAGE_REVOKE) == 0);
    say(&want);
    say_got(got - 1, 2 * got); /* one is on its way yet */
    MUST(getchar() == '\n');
    say_got(got, 2 * got);
    MUST(items_until(CSI_MESSAGE_BATCH) > 0);
    leave();
    struct csi_message bye = {.kind = CSI_MESSAGE_BYE, .bye.journal = journal.length};
    say(&bye); /* or what lies in the run's folder says it */
    return 0;
}

static int be_flood(uint64_t seconds)
{
    struct csi_message m;
    connect_dealer(true);
    come();
    begin_session(1);
    uint64_t until = csi_clock_mono_ms() + seconds * 1000, pings = 0, pongs = 0;
    while (csi_clock_mono_ms() < until) {
        struct csi_message ping = {.kind = CSI_MESSAGE_PING}, want = {.kind = CSI_MESSAGE_WANT};
        say(&want);
        say(&ping);
        pings++;
        while (hear(&m, pings - pongs > answers_most ? patience_ms : 0)) {
            MUST(m.kind == CSI_MESSAGE_PONG);
            pongs++;
        }
        MUST(pings - pongs <= answers_most);
    }
    printf("%" PRIu64 " pings\n", pings);
    leave();
    wait_until_read();
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "", *more = argc > 3 ? argv[3] : "";
    if (argc < 3) {
        fprintf(stderr, "usage: peer WHAT RUN [...]\n");
        return 2;
    }
    context = zmq_ctx_new();
    MUST(context);
    read_run(argv[2]);
    if (strcmp(what, "stranger") == 0)
        return be_stranger(more);
    if (strcmp(what, "garbage") == 0)
        return be_garbage(*more ? strtoull(more, NULL, 10) : 1);
    if (strcmp(what, "large") == 0)
        return be_large(strtoull(more, NULL, 10));
    if (strcmp(what, "late") == 0)
        return be_late();
    if (strcmp(what, "dry") == 0)
        return be_dry();
    if (strcmp(what, "hello") == 0)
        return be_hello();
    if (strcmp(what, "worker") == 0)
        return be_worker();
    if (strcmp(what, "hoard") == 0)
        return be_hoard();
    if (strcmp(what, "flood") == 0)
        return be_flood(strtoull(more, NULL, 10));
    if (strcmp(what, "connects") == 0)
        return be_many(strtoull(more, NULL, 10));
    fprintf(stderr, "peer: what is '%s'?\n", what);
    return 2;
}
