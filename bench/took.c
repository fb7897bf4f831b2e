/* Runs a command, and appends to FILE how long it took and the most memory it had: "microseconds KiB".
 * usage: bench_took FILE COMMAND... */
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
    pid_t child;
    int status;
    struct rusage usage;
    long long from = now_us();
    if (argc < 3 || posix_spawnp(&child, argv[2], NULL, NULL, argv + 2, environ) != 0) {
        fprintf(stderr, "usage: bench_took FILE COMMAND...\n");
        return 2;
    }
    if (wait4(child, &status, 0, &usage) != child || !WIFEXITED(status))
        return 1;
    long long took = now_us() - from;
    FILE *to = fopen(argv[1], "a");
    if (!to || fprintf(to, "%lld %ld\n", took, usage.ru_maxrss) < 0 || fclose(to) != 0)
        return 1;
    return WEXITSTATUS(status);
}
