#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/killpoint.h"

enum { look_again_ms = 50, look_again_tries = 60 };

cfsplit_status csi_io_read_from(int fd, const char *name, uint64_t offset, struct csi_buf *buf,
                                struct cfsplit_error *err)
{
    for (size_t step = 4096;; step = step < 65536 ? 2 * step : step) {
        char *to = csi_buf_reserve(buf, step);
        if (!to)
            return csi_fail_memory(err);
        ssize_t got = pread(fd, to, step, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot read %s", csi_quote(name).text);
        buf->length += (size_t)got;
        buf->data[buf->length] = '\0';
        offset += (uint64_t)got;
        if (got == 0)
            return CFSPLIT_OK;
    }
}

int csi_io_open(int dir, const char *name, int flags)
{
    int fd = openat(dir, name, flags | O_CLOEXEC);
    return fd < 0 && errno == ESTALE ? openat(dir, name, flags | O_CLOEXEC) : fd;
}

bool csi_io_await(int dir, const char *name)
{
    const struct timespec pause = {.tv_nsec = look_again_ms * 1000000L};
    for (int tries = 0;; tries++) {
        int fd = csi_io_open(dir, name, O_RDONLY);
        if (fd >= 0)
            close(fd);
        if (fd >= 0 || errno != ENOENT)
            return true;
        if (tries == look_again_tries)
            return false;
        nanosleep(&pause, NULL);
        errno = ENOENT;
    }
}

cfsplit_status csi_io_read(int dir, const char *name, size_t limit, struct csi_buf *buf, struct cfsplit_error *err)
{
    int fd = csi_io_open(dir, name, O_RDONLY);
    if (fd < 0 && errno == ENOENT)
        return CFSPLIT_END;
    if (fd < 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot open %s",
                              csi_quote(name).text);
    struct stat st;
    cfsplit_status status;
    if (fstat(fd, &st) != 0)
        status = csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot look at %s", csi_quote(name).text);
    else if (!S_ISREG(st.st_mode))
        status = csi_fail(err, CFSPLIT_DAMAGED, "%s is damaged: not a regular file", csi_quote(name).text);
    else if ((uint64_t)st.st_size > limit)
        status = csi_fail(err, CFSPLIT_DAMAGED, "%s is damaged: larger than %zu bytes", csi_quote(name).text, limit);
    else
        status = csi_io_read_from(fd, name, 0, buf, err);
    close(fd);
    return status;
}

int csi_io_write_all(int fd, const void *data, size_t length)
{
    const char *at = data;
    while (length > 0) {
        ssize_t put = write(fd, at, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        at += put;
        length -= (size_t)put;
    }
    return 0;
}

int csi_io_pwrite_all(int fd, const void *data, size_t length, uint64_t offset)
{
    const char *at = data;
    while (length > 0) {
        ssize_t put = pwrite(fd, at, length, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        at += put;
        length -= (size_t)put;
        offset += (uint64_t)put;
    }
    return 0;
}

cfsplit_status csi_io_sync_dir(int dir, const char *name, struct cfsplit_error *err)
{
    if (fsync(dir) != 0 && errno != EINVAL) /* EINVAL: a file system whose folders need no sync */
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot sync folder %s", csi_quote(name).text);
    return CFSPLIT_OK;
}

cfsplit_status csi_io_sync_folder(int dir, const char *name, struct cfsplit_error *err)
{
    int fd = csi_io_open(dir, name, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot open folder %s", csi_quote(name).text);
    cfsplit_status status = csi_io_sync_dir(fd, name, err);
    close(fd);
    return status;
}

int csi_io_create(int dir, const char *name, mode_t mode)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd >= 0 && fchmod(fd, mode) != 0) {
        int number = errno;
        close(fd);
        unlinkat(dir, name, 0);
        errno = number;
        return -1;
    }
    return fd;
}

cfsplit_status csi_io_write_new(int dir, const char *name, mode_t mode, const void *data, size_t length,
                                struct cfsplit_error *err)
{
    int fd = csi_io_create(dir, name, mode);
    if (fd < 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot create %s",
                              csi_quote(name).text);
    CSI_KILL_POINT("file.created");
    CSI_KILL_POINT_HALF("file.half-written", fd, data, length, 0);
    int failed = csi_io_write_all(fd, data, length) != 0 ? errno : 0;
    CSI_KILL_POINT("file.written");
    if (!failed && fsync(fd) != 0)
        failed = errno;
    CSI_KILL_POINT("file.synced");
    if (close(fd) != 0 && !failed)
        failed = errno;
    if (!failed)
        return CFSPLIT_OK;
    unlinkat(dir, name, 0);
    return csi_fail_errno(err, CFSPLIT_STORAGE, failed, "cannot write %s", csi_quote(name).text);
}

cfsplit_status csi_io_publish_first(int dir, const char *folder, const char *name, mode_t mode, const char *nonce,
                                    const void *data, size_t length, int *won, struct cfsplit_error *err)
{
    char temp[64];
    snprintf(temp, sizeof temp, ".tmp-%s", nonce);
    int at = csi_io_open(dir, folder, O_RDONLY | O_DIRECTORY);
    if (at < 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_DAMAGED), errno, "cannot open folder %s",
                              csi_quote(folder).text);
    cfsplit_status status = csi_io_write_new(at, temp, mode, data, length, err);
    if (status == CFSPLIT_OK) {
        /* link(2) may lie over NFS: the link count of the temporary file decides */
        CSI_KILL_POINT("publish.temp-written");
        int linked = linkat(at, temp, at, name, 0), number = errno;
        CSI_KILL_POINT("publish.linked");
        struct stat mine, there;
        if (linked != 0 && number == EEXIST)
            (void)csi_io_await(at, name);
        if (fstatat(at, temp, &mine, 0) == 0 && fstatat(at, name, &there, 0) == 0)
            *won = mine.st_ino == there.st_ino;
        else if (linked == 0)
            *won = 1;
        else
            status = csi_fail_errno(err, CFSPLIT_STORAGE, number, "cannot create %s in %s", csi_quote(name).text,
                                    csi_quote(folder).text);
        unlinkat(at, temp, 0);
        CSI_KILL_POINT("publish.temp-removed");
        if (status == CFSPLIT_OK)
            status = csi_io_sync_dir(at, folder, err);
        CSI_KILL_POINT("publish.folder-synced");
    }
    close(at);
    return status;
}

cfsplit_status csi_io_random(uint64_t *out, struct cfsplit_error *err)
{
    if (getrandom(out, sizeof *out, 0) != (ssize_t)sizeof *out)
        return csi_fail_errno(err, CFSPLIT_STORAGE, errno, "cannot get random numbers");
    return CFSPLIT_OK;
}

cfsplit_status csi_io_nonce(char out[17], struct cfsplit_error *err)
{
    uint64_t bits;
    cfsplit_status status = csi_io_random(&bits, err);
    if (status == CFSPLIT_OK)
        snprintf(out, 17, "%016llx", (unsigned long long)bits);
    return status;
}

bool csi_io_is_at(int dir, const char *name, int fd)
{
    struct stat mine, there;
    return fstat(fd, &mine) == 0 && fstatat(dir, name, &there, 0) == 0 && mine.st_dev == there.st_dev &&
           mine.st_ino == there.st_ino;
}
