/* What the fuzz targets share: a run directory in memory whose files they write, what a parser may answer, and mending the
 * digests of changed files, so that the code behind a digest is reached, too. A target is a file of tests/fuzz/ that defines
 * LLVMFuzzerTestOneInput and, by FUZZ_MENDS, LLVMFuzzerCustomMutator. */
#ifndef TESTS_LIB_FUZZ_H
#define TESTS_LIB_FUZZ_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/io.h"
#include "rundir/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Changes the `size` bytes at random, in a buffer of `room`; the new size. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room); /* libFuzzer's or the replay's */

#define FUZZ_RUN_ID "0123456789abcdef0123456789abcdef"
#define FUZZ_INC    "3-0011223344556677"

#define FUZZ_MUST(condition)                                                                                           \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Seven changes of eight are followed by `mend`, which makes the digests right again and returns the new size. */
#define FUZZ_MENDS(mend)                                                                                               \
    size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)                             \
    {                                                                                                                  \
        size = LLVMFuzzerMutate(data, size, room);                                                                     \
        return seed % 8 ? mend(data, size, room) : size;                                                               \
    }

static char fuzz_folder[4096];

static inline void fuzz_leave(void)
{
    char command[sizeof fuzz_folder + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", fuzz_folder);
    if (system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", fuzz_folder);
}

/* A run of 1000 items in 300 pieces whose folder is in memory where there is such a place. It has no files but those that
 * fuzz_put makes. The same run at every call. */
static inline struct cfsplit_run *fuzz_run(void)
{
    static const char *const folders[] = {"replicas", "claims", "claims/0.0", "claims/0.1",  "journal", "beat",
                                          "output",   "fence",  "retry",      "coordinator", "keys",    "stop"};
    static struct csi_generation generation = {.fd = -1};
    static struct cfsplit_run run = {
        .fd = -1,
        .path = fuzz_folder,
        .spec = {.run_id = FUZZ_RUN_ID, .replicas = 100, .items = 1000},
        .frozen = {.generations = &generation, .generation_count = 1, .piece_count = 300, .items = 1000}};
    if (run.fd >= 0)
        return &run;
    const char *temp = getenv("TMPDIR");
    snprintf(fuzz_folder, sizeof fuzz_folder, "%s/cfsplit-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm"
             : temp && *temp               ? temp
                                           : "/tmp");
    FUZZ_MUST(mkdtemp(fuzz_folder));
    atexit(fuzz_leave);
    run.fd = open(fuzz_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FUZZ_MUST(run.fd >= 0);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        FUZZ_MUST(mkdirat(run.fd, folders[i], 0700) == 0);
    return &run;
}

/* Writes file `name` of that run, anew. */
static inline void fuzz_put(const char *name, const void *data, size_t size)
{
    int fd = openat(fuzz_run()->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_MUST(fd >= 0 && csi_io_write_all(fd, data, size) == 0 && close(fd) == 0);
}

/* What a parser may say of any bytes: that they are good, that there is nothing, or that the file `name` is damaged. */
static inline void fuzz_judge(cfsplit_status status, const struct cfsplit_error *err, const char *name)
{
    if (status == CFSPLIT_OK || status == CFSPLIT_END)
        return;
    if (status != CFSPLIT_DAMAGED || err->status != status || !strstr(err->message, name))
        fprintf(stderr, "status %d: %s\n", (int)status, err->message);
    FUZZ_MUST(status == CFSPLIT_DAMAGED && err->status == status);
    FUZZ_MUST(strstr(err->message, name));
}

/* ---- mending */

/* Where `text` occurs in the bytes for the last time; `size` if it does not. */
static inline size_t fuzz_find_last(const uint8_t *data, size_t size, const char *text)
{
    size_t length = strlen(text);
    for (size_t at = size; at-- > 0;)
        if (size - at >= length && memcmp(data + at, text, length) == 0)
            return at;
    return size;
}

/* Replaces all from byte `at` on by 16 digits and `tail`, if there is room; the new size. */
static inline size_t fuzz_put_check(uint8_t *data, size_t size, size_t room, size_t at, uint64_t check,
                                    const char *tail)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%016" PRIx64 "%s", check, tail);
    if (at > room || (size_t)n > room - at)
        return size;
    memcpy(data + at, text, (size_t)n);
    return at + (size_t)n;
}

/* The digest behind the last TAB is that of all before it. */
static inline size_t fuzz_mend_line(uint8_t *data, size_t size, size_t room)
{
    size_t tab = fuzz_find_last(data, size, "\t");
    return tab == size ? size : fuzz_put_check(data, size, room, tab + 1, XXH64(data, tab + 1, 0), "\n");
}

#endif
