/* A folder of a test's own under $TMPDIR: the test works in it, and it is removed at the end. */
#ifndef TESTS_LIB_SCRATCH_H
#define TESTS_LIB_SCRATCH_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_path[4096];

static inline void scratch_remove(void)
{
    char command[sizeof scratch_path + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch_path);
    if (chdir("/") != 0 || system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", scratch_path);
}

/* Makes the folder and changes into it; ends the test if it cannot. */
static inline void scratch_enter(void)
{
    const char *temp = getenv("TMPDIR");
    snprintf(scratch_path, sizeof scratch_path, "%s/cfsplit-test-XXXXXX", temp && *temp ? temp : "/tmp");
    if (!mkdtemp(scratch_path) || chdir(scratch_path) != 0) {
        perror(scratch_path);
        exit(2);
    }
    atexit(scratch_remove);
}

/* Writes a new file of the scratch folder (to cut an old one would have ext4 write it to the disk). */
static inline void scratch_write(const char *name, const void *data, size_t length)
{
    unlink(name);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || write(fd, data, length) != (ssize_t)length || close(fd) != 0) {
        perror(name);
        exit(2);
    }
}

#endif
