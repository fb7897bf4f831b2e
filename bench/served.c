/* Workers of servers that hand out work, over their own protocols and bare sockets, so that a server is all that is measured. ADDRESS is the
 * path of a Unix socket (it has a slash in it) or a port of 127.0.0.1; it is waited for, 10 s at most. KIND: beanstalkd; redis (LPOP);
 * redis-kept (LMOVE into a list of the worker's own, LREM at the end); gearmand. Prints WORD TAB VALUE.
 *
 *   bench_served KIND ADDRESS fill N                        puts items 1 to N, 100 on their way at a time: items/s
 *   bench_served KIND ADDRESS take WORKERS OUTSTANDING      so many processes, each of which asks for so many items at a time and ends them
 *                                                           with the same write with which it asks for the next ones, until there are
 *                                                           no more: items, items/s
 *   bench_served KIND ADDRESS take 1 1 FILE MS              the same, where an item is to sleep and then to add its name to FILE
 *   bench_served mark FILE MS NAME                          such an item as a command
 *   bench_served port                                       a port of 127.0.0.1 that nobody has */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { in_bytes = 1 << 16, out_bytes = 1 << 18, word_bytes = 96, most = 1000, patience_ms = 10000, bound_s = 300 };

struct job {
    char id[word_bytes];   /* as the server knows it */
    char name[word_bytes]; /* what was put */
};

struct served {
    int fd;
    long worker;
    size_t at, filled, waiting; /* what was read and is not used yet; what is to be written */
    char in[in_bytes], out[out_bytes];
};

enum answer { ANSWER_BROKEN, ANSWER_NONE, ANSWER_JOB };

/* What a server wants to hear; functions that write only add to what is to be written. */
struct protocol {
    const char *word;
    void (*begin)(struct served *s); /* a worker; NULL: nothing */
    void (*put)(struct served *s, const char *name);
    bool (*has_put)(struct served *s);
    void (*ask)(struct served *s);
    enum answer (*answer)(struct served *s, struct job *job);
    void (*end)(struct served *s, const struct job *job);
    bool (*has_ended)(struct served *s); /* NULL: it is not answered */
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void sleep_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* ---- bytes */

static bool flush(struct served *s)
{
    for (size_t at = 0; at < s->waiting;) {
        ssize_t sent = send(s->fd, s->out + at, s->waiting - at, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += (size_t)sent;
    }
    s->waiting = 0;
    return true;
}

static void add(struct served *s, const void *data, size_t length)
{
    if (length > out_bytes - s->waiting) {
        fprintf(stderr, "bench_served: too much at a time\n");
        exit(1);
    }
    memcpy(s->out + s->waiting, data, length);
    s->waiting += length;
}

static bool read_more(struct served *s)
{
    memmove(s->in, s->in + s->at, s->filled - s->at);
    s->filled -= s->at;
    s->at = 0;
    ssize_t got = s->filled < in_bytes ? recv(s->fd, s->in + s->filled, in_bytes - s->filled, 0) : -1;
    if (got > 0)
        s->filled += (size_t)got;
    return got > 0;
}

/* So many bytes, good until more is read; NULL when the connection has ended. */
static char *take_bytes(struct served *s, size_t length)
{
    while (s->filled - s->at < length)
        if (!read_more(s))
            return NULL;
    s->at += length;
    return s->in + s->at - length;
}

/* A line without its CR LF. */
static const char *take_line(struct served *s)
{
    char *end;
    while ((end = memmem(s->in + s->at, s->filled - s->at, "\r\n", 2)) == NULL)
        if (!read_more(s))
            return NULL;
    char *line = s->in + s->at;
    *end = '\0';
    s->at = (size_t)(end - s->in) + 2;
    return line;
}

static bool line_is(struct served *s, const char *word)
{
    const char *line = take_line(s);
    return line && strncmp(line, word, strlen(word)) == 0;
}

/* So many bytes and CR LF, into a word. */
static bool take_name(struct served *s, size_t length, char out[word_bytes])
{
    const char *bytes = length < word_bytes ? take_bytes(s, length + 2) : NULL;
    if (bytes) {
        memcpy(out, bytes, length);
        out[length] = '\0';
    }
    return bytes != NULL;
}

/* ---- beanstalkd */

static void beanstalk_put(struct served *s, const char *name)
{
    char text[word_bytes * 2];
    int length = snprintf(text, sizeof text, "put 0 0 600 %zu\r\n%s\r\n", strlen(name), name);
    add(s, text, (size_t)length);
}

static bool beanstalk_has_put(struct served *s)
{
    return line_is(s, "INSERTED ");
}

static void beanstalk_ask(struct served *s)
{
    static const char text[] = "reserve-with-timeout 0\r\n";
    add(s, text, sizeof text - 1);
}

static enum answer beanstalk_answer(struct served *s, struct job *job)
{
    const char *line = take_line(s);
    if (!line || strcmp(line, "TIMED_OUT") == 0)
        return line ? ANSWER_NONE : ANSWER_BROKEN;
    char *end;
    unsigned long long id = strncmp(line, "RESERVED ", 9) == 0 ? strtoull(line + 9, &end, 10) : 0;
    if (id == 0)
        return ANSWER_BROKEN;
    snprintf(job->id, sizeof job->id, "%llu", id);
    return take_name(s, strtoul(end, NULL, 10), job->name) ? ANSWER_JOB : ANSWER_BROKEN;
}

static void beanstalk_end(struct served *s, const struct job *job)
{
    char text[word_bytes * 2];
    int length = snprintf(text, sizeof text, "delete %s\r\n", job->id);
    add(s, text, (size_t)length);
}

static bool beanstalk_has_ended(struct served *s)
{
    return line_is(s, "DELETED");
}

/* ---- redis */

static void redis_put(struct served *s, const char *name)
{
    char text[word_bytes * 2];
    int length = snprintf(text, sizeof text, "RPUSH work %s\r\n", name);
    add(s, text, (size_t)length);
}

static bool redis_has_number(struct served *s)
{
    return line_is(s, ":");
}

static void redis_ask(struct served *s)
{
    static const char text[] = "LPOP work\r\n";
    add(s, text, sizeof text - 1);
}

static void redis_ask_kept(struct served *s)
{
    char text[word_bytes * 2];
    int length = snprintf(text, sizeof text, "LMOVE work has.%ld LEFT RIGHT\r\n", s->worker);
    add(s, text, (size_t)length);
}

static enum answer redis_answer(struct served *s, struct job *job)
{
    const char *line = take_line(s);
    if (!line || *line != '$')
        return ANSWER_BROKEN;
    if (strcmp(line, "$-1") == 0)
        return ANSWER_NONE;
    return take_name(s, strtoul(line + 1, NULL, 10), job->name) ? ANSWER_JOB : ANSWER_BROKEN;
}

static void redis_end(struct served *s, const struct job *job)
{
    (void)s, (void)job; /* it has been forgotten since it was handed out */
}

static void redis_end_kept(struct served *s, const struct job *job)
{
    char text[word_bytes * 2];
    int length = snprintf(text, sizeof text, "LREM has.%ld 1 %s\r\n", s->worker, job->name);
    add(s, text, (size_t)length);
}

/* ---- gearmand */

enum gearman {
    CAN_DO = 1,
    JOB_CREATED = 8,
    GRAB_JOB = 9,
    NO_JOB = 10,
    JOB_ASSIGN = 11,
    WORK_COMPLETE = 13,
    ECHO_REQUEST = 16,
    ECHO_RESPONSE = 17,
    SUBMIT_JOB_BG = 18
};

static const char gearman_function[] = "item";

static void gearman_add(struct served *s, enum gearman type, const void *data, size_t length)
{
    const uint32_t words[2] = {htonl((uint32_t)type), htonl((uint32_t)length)};
    add(s, "\0REQ", 4);
    add(s, words, sizeof words);
    add(s, data, length);
}

/* Its data end where s->at is. */
static char *gearman_take(struct served *s, enum gearman *type, size_t *length)
{
    uint32_t words[2];
    const char *head = take_bytes(s, 12);
    if (!head || memcmp(head, "\0RES", 4) != 0)
        return NULL;
    memcpy(words, head + 4, sizeof words);
    *type = (enum gearman)ntohl(words[0]);
    *length = ntohl(words[1]);
    return take_bytes(s, *length);
}

static void gearman_begin(struct served *s)
{
    gearman_add(s, CAN_DO, gearman_function, sizeof gearman_function - 1);
}

static void gearman_put(struct served *s, const char *name)
{
    char text[word_bytes * 2]; /* function, nothing that makes it unique, data */
    int length = snprintf(text, sizeof text, "%s%c%s%c%s", gearman_function, 0, name, 0, name);
    gearman_add(s, SUBMIT_JOB_BG, text, (size_t)length);
}

static bool gearman_has_put(struct served *s)
{
    enum gearman type;
    size_t length;
    return gearman_take(s, &type, &length) && type == JOB_CREATED;
}

static void gearman_ask(struct served *s)
{
    gearman_add(s, GRAB_JOB, "", 0);
}

static enum answer gearman_answer(struct served *s, struct job *job)
{
    enum gearman type;
    size_t length;
    const char *data = gearman_take(s, &type, &length);
    if (!data || (type != NO_JOB && type != JOB_ASSIGN))
        return ANSWER_BROKEN;
    if (type == NO_JOB)
        return ANSWER_NONE;
    size_t handle = strnlen(data, length), before = handle + 1 + sizeof gearman_function;
    if (handle >= word_bytes || length < before || length - before >= word_bytes)
        return ANSWER_BROKEN;
    memcpy(job->id, data, handle + 1);
    memcpy(job->name, data + before, length - before);
    job->name[length - before] = '\0';
    return ANSWER_JOB;
}

static void gearman_end(struct served *s, const struct job *job)
{
    gearman_add(s, WORK_COMPLETE, job->id, strlen(job->id) + 1);
    gearman_add(s, ECHO_REQUEST, "", 0); /* an end is not answered; this is, after it */
}

static bool gearman_has_ended(struct served *s)
{
    enum gearman type;
    size_t length;
    return gearman_take(s, &type, &length) && type == ECHO_RESPONSE;
}

static const struct protocol protocols[] = {
    {"beanstalkd", NULL, beanstalk_put, beanstalk_has_put, beanstalk_ask, beanstalk_answer, beanstalk_end,
     beanstalk_has_ended},
    {"redis", NULL, redis_put, redis_has_number, redis_ask, redis_answer, redis_end, NULL},
    {"redis-kept", NULL, redis_put, redis_has_number, redis_ask_kept, redis_answer, redis_end_kept, redis_has_number},
    {"gearmand", gearman_begin, gearman_put, gearman_has_put, gearman_ask, gearman_answer, gearman_end,
     gearman_has_ended},
};

/* ---- connections */

static int connect_once(const char *address)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct sockaddr_in port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool is_path = strchr(address, '/') != NULL;
    snprintf(path.sun_path, sizeof path.sun_path, "%s", address);
    port.sin_port = htons((uint16_t)strtoul(address, NULL, 10));
    int fd = socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, is_path ? (const struct sockaddr *)&path : (const struct sockaddr *)&port,
                           is_path ? sizeof path : sizeof port) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static struct served *open_served(const char *address, long worker)
{
    struct served *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->worker = worker;
    s->fd = connect_once(address);
    for (long ms = 0; s->fd < 0 && ms < patience_ms; ms += 10) {
        sleep_ms(10);
        s->fd = connect_once(address);
    }
    if (s->fd < 0) {
        perror(address);
        free(s);
        return NULL;
    }
    return s;
}

static void close_served(struct served *s)
{
    close(s->fd);
    free(s);
}

static int find_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &length) != 0) {
        perror("bench_served: a port");
        return 1;
    }
    close(fd);
    printf("%u\n", (unsigned)ntohs(at.sin_port));
    return 0;
}

/* ---- filling */

static bool fill_some(const struct protocol *p, struct served *s, long first, long count)
{
    char name[word_bytes];
    for (long i = first; i < first + count; i++) {
        snprintf(name, sizeof name, "item-%08ld", i);
        p->put(s, name);
    }
    bool good = flush(s);
    for (long i = 0; good && i < count; i++)
        good = p->has_put(s);
    return good;
}

static int fill(const struct protocol *p, const char *address, long count)
{
    enum { together = 100 };
    struct served *s = open_served(address, 0);
    double from = now_us();
    bool good = s != NULL;
    for (long i = 1; good && i <= count; i += together)
        good = fill_some(p, s, i, count - i + 1 < together ? count - i + 1 : together);
    if (good)
        printf("rate\t%.0f\n", (double)count * 1e6 / (now_us() - from));
    else
        fprintf(stderr, "bench_served: %s did not take all items\n", p->word);
    if (s)
        close_served(s);
    return !good;
}

/* ---- taking */

struct work {
    const struct protocol *protocol;
    const char *address;
    long outstanding;
    const char *file; /* NULL: items do nothing */
    long ms;
};

struct worker {
    long items;
    double began, ended;
    bool good;
};

static bool mark(const char *file, long ms, const char *name)
{
    char line[word_bytes + 1];
    int length = snprintf(line, sizeof line, "%s\n", name);
    sleep_ms(ms);
    int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, line, (size_t)length) == length;
    if (fd >= 0)
        close(fd);
    return good;
}

/* What has come is done and ended, and the next is asked for; so many jobs are left to end, or -1. */
static long turn(const struct work *work, struct served *s, struct job *jobs, long count, bool *more)
{
    const struct protocol *p = work->protocol;
    long got = 0, asked = *more ? work->outstanding : 0;
    for (long i = 0; i < count; i++) {
        if (work->file && !mark(work->file, work->ms, jobs[i].name))
            return -1;
        p->end(s, &jobs[i]);
    }
    for (long i = 0; i < asked; i++)
        p->ask(s);
    bool good = flush(s);
    for (long i = 0; good && p->has_ended && i < count; i++)
        good = p->has_ended(s);
    for (long i = 0; good && i < asked; i++) {
        enum answer answer = p->answer(s, &jobs[got]);
        good = answer != ANSWER_BROKEN;
        *more = *more && answer == ANSWER_JOB;
        got += answer == ANSWER_JOB;
    }
    return good ? got : -1;
}

static void be_worker(const struct work *work, struct worker *me, long id)
{
    struct job *jobs = calloc((size_t)work->outstanding, sizeof *jobs);
    struct served *s = open_served(work->address, id);
    bool more = jobs && s;
    long got = 0;
    if (more && work->protocol->begin)
        work->protocol->begin(s);
    me->began = now_us();
    for (bool first = more; first || got > 0; first = false) {
        got = turn(work, s, jobs, got, &more);
        me->items += got > 0 ? got : 0;
    }
    me->ended = now_us();
    me->good = jobs && s && got == 0;
    if (s)
        close_served(s);
    free(jobs);
}

static int print_workers(const struct worker *workers, long count)
{
    struct worker all = workers[0];
    for (long i = 1; i < count; i++) {
        all.items += workers[i].items;
        all.began = workers[i].began < all.began ? workers[i].began : all.began;
        all.ended = workers[i].ended > all.ended ? workers[i].ended : all.ended;
        all.good = all.good && workers[i].good;
    }
    printf("items\t%ld\nrate\t%.0f\n", all.items, (double)all.items * 1e6 / (all.ended - all.began));
    if (!all.good)
        fprintf(stderr, "bench_served: the server was not understood, or is gone\n");
    return !all.good;
}

static int take(const struct work *work, long count)
{
    struct worker *workers =
        mmap(NULL, sizeof *workers * (size_t)count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (workers == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    for (long i = 1; i < count; i++)
        if (fork() == 0) {
            alarm(bound_s);
            be_worker(work, &workers[i], i);
            _exit(0);
        }
    be_worker(work, &workers[0], 0);
    while (wait(NULL) > 0)
        ;
    return print_workers(workers, count);
}

static long number(const char *text)
{
    long value = strtol(text, NULL, 10);
    return value > 0 ? value : 1;
}

static const struct protocol *find_protocol(const char *word)
{
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (strcmp(protocols[i].word, word) == 0)
            return &protocols[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const struct protocol *p = argc > 4 ? find_protocol(argv[1]) : NULL;
    alarm(bound_s); /* whatever hangs ends by SIGALRM */
    if (argc == 2 && strcmp(argv[1], "port") == 0)
        return find_port();
    if (argc == 5 && strcmp(argv[1], "mark") == 0)
        return !mark(argv[2], number(argv[3]), argv[4]);
    if (p && argc == 5 && strcmp(argv[3], "fill") == 0)
        return fill(p, argv[2], number(argv[4]));
    if (p && (argc == 6 || argc == 8) && strcmp(argv[3], "take") == 0 && number(argv[5]) <= most) {
        const struct work work = {.protocol = p,
                                  .address = argv[2],
                                  .outstanding = number(argv[5]),
                                  .file = argc > 6 ? argv[6] : NULL,
                                  .ms = argc > 6 ? number(argv[7]) : 0};
        return take(&work, number(argv[4]));
    }
    fprintf(
        stderr,
        "usage: %s KIND ADDRESS fill N | KIND ADDRESS take WORKERS OUTSTANDING [FILE MS] | mark FILE MS NAME | port\n",
        argv[0]);
    return 2;
}
