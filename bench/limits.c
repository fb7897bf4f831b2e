/* What this machine can do at most, without any of our code: what our figures stand beside. Prints WORD TAB VALUE.
 *
 *   bench_limits scan MIB             lines of 64 bytes in memory: MB/s of counting newlines, and of finding one after the other
 *   bench_limits list FOLDER          getdents64: names/s
 *   bench_limits spawn N SLOTS        posix_spawn (vfork and exec) and wait of /bin/true, so many at a time: processes/s
 *   bench_limits rate WAY N [PACKED]  messages of 64 bytes one way to another process: messages/s; PACKED in one write (without ZeroMQ)
 *   bench_limits trip WAY N [IDLE]    there and back again, one after the other: microseconds (median); IDLE 1: each after a sleep of
 *                                     25 to 120 ms
 * WAY: see talk.h */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "talk.h"

enum { line_bytes = 64, names_bytes = 1 << 16, bound_s = 600 /* whatever hangs ends by SIGALRM */ };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int failed(const char *what)
{
    fprintf(stderr, "bench_limits: %s: %s\n", what, strerror(errno));
    return 1;
}

static size_t count_newlines(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t at = 0; at < length;
         at += line_bytes) { /* few enough to be counted in bytes, which is what the compiler packs */
        unsigned char few = 0;
        for (size_t i = at; i < at + line_bytes; i++)
            few = (unsigned char)(few + (text[i] == '\n'));
        count += few;
    }
    return count;
}

static size_t find_newlines(const char *text, size_t length)
{
    size_t count = 0;
    for (const char *at = text; (at = memchr(at, '\n', length - (size_t)(at - text))) != NULL; at++)
        count++;
    return count;
}

static int scan(size_t mib)
{
    size_t lines = (mib << 20) / line_bytes, length = lines * line_bytes;
    char *text = malloc(length);
    if (!text)
        return failed("scan");
    memset(text, 'x', length);
    for (size_t i = 1; i <= lines; i++)
        text[i * line_bytes - 1] = '\n';
    double from = now_us();
    size_t counted = count_newlines(text, length);
    double between = now_us();
    size_t found = find_newlines(text, length);
    double to = now_us();
    free(text);
    if (counted != lines || found != lines) {
        fprintf(stderr, "bench_limits: %zu lines are %zu and %zu\n", lines, counted, found);
        return 1;
    }
    printf("count\t%.0f\nfind\t%.0f\n", (double)length / (between - from), (double)length / (to - between));
    return 0;
}

static int list(const char *folder)
{
    char *names = malloc(names_bytes);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint64_t count = 0;
    long got = names ? 1 : -1;
    double from = now_us();
    while (fd >= 0 && got > 0) {
        got = syscall(SYS_getdents64, fd, names, names_bytes);
        for (long at = 0; at < got; at += ((const struct dirent64 *)(const void *)(names + at))->d_reclen)
            count++;
    }
    double took = now_us() - from;
    free(names);
    if (fd < 0 || got < 0)
        return failed(folder);
    close(fd);
    printf("list\t%.0f\n", (double)count * 1e6 / took);
    return 0;
}

static int spawn_all(long count, long slots)
{
    char program[] = "/bin/true", *argv[] = {program, NULL};
    long started = 0, ended = 0;
    double from = now_us();
    while (ended < count) {
        pid_t pid;
        int status;
        if (started < count && started - ended < slots) {
            errno = posix_spawn(&pid, program, NULL, NULL, argv, environ);
            if (errno != 0)
                return failed(program);
            started++;
        } else if (waitpid(-1, &status, 0) < 0 || status != 0)
            return failed("waitpid");
        else
            ended++;
    }
    printf("spawn\t%.0f\n", (double)count * 1e6 / (now_us() - from));
    return 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void idle(void)
{
    enum { from_ms = 25, to_ms = 120 };
    static uint32_t seed = 1;
    seed = seed * 1664525 + 1013904223;
    long ms = from_ms + (long)(seed >> 16) % (to_ms - from_ms + 1);
    struct timespec t = {.tv_nsec = ms * 1000000};
    nanosleep(&t, NULL);
}

static bool trips(struct talk *talk, long count, bool idles, double *us)
{
    for (long i = 0; i < count; i++) {
        if (idles)
            idle();
        double from = now_us();
        if (!talk_send(talk, 1) || !talk_take(talk, 1))
            return false;
        us[i] = now_us() - from;
    }
    return true;
}

static int trip(const char *way, long count, bool idles)
{
    struct talk *talk = talk_open(way, (struct talk_plan){.messages = count, .echo = true});
    double *us = calloc((size_t)count + 1, sizeof *us);
    bool good = talk && us && trips(talk, count, idles, us);
    if (good) {
        qsort(us, (size_t)count, sizeof *us, by_value);
        printf("trip\t%.1f\n", us[count / 2]);
    }
    free(us);
    good = talk_close(talk) && good;
    return good ? 0 : failed(way);
}

static int rate(const char *way, long count, long packed)
{
    struct talk *talk = talk_open(way, (struct talk_plan){.messages = count});
    bool good = talk != NULL;
    double from = now_us();
    for (long sent = 0; good && sent < count; sent += packed)
        good = talk_send(talk, packed < count - sent ? packed : count - sent);
    good = good && talk_take(talk, 1); /* one for all of them */
    double took = now_us() - from;
    good = talk_close(talk) && good;
    if (good)
        printf("rate\t%.0f\n", (double)count * 1e6 / took);
    return good ? 0 : failed(way);
}

static long number(const char *text)
{
    long value = strtol(text, NULL, 10);
    return value > 0 ? value : 1;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    alarm(bound_s);
    if (argc == 3 && strcmp(what, "scan") == 0)
        return scan((size_t)number(argv[2]));
    if (argc == 3 && strcmp(what, "list") == 0)
        return list(argv[2]);
    if (argc == 4 && strcmp(what, "spawn") == 0)
        return spawn_all(number(argv[2]), number(argv[3]));
    if ((argc == 4 || argc == 5) && strcmp(what, "rate") == 0)
        return rate(argv[2], number(argv[3]), argc == 5 ? number(argv[4]) : 1);
    if ((argc == 4 || argc == 5) && strcmp(what, "trip") == 0)
        return trip(argv[2], number(argv[3]), argc == 5);
    fprintf(stderr, "usage: %s scan MIB | list FOLDER | spawn N SLOTS | rate WAY N [PACKED] | trip WAY N [IDLE]\n",
            argv[0]);
    return 2;
}
