/* Files: whole reads, whole writes, and publishing a file so that it is there whole or not at all.
 * Names are relative to an open folder `dir` (AT_FDCWD: the working directory); EINTR is never seen by callers. */
#ifndef CSI_BASE_IO_H
#define CSI_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* Appends a whole file to buf. Errors: CFSPLIT_END if there is none (nothing set in err), CFSPLIT_STORAGE or CFSPLIT_USAGE
 * with the name, CFSPLIT_DAMAGED above `limit` bytes and for what is no regular file. */
CFSPLIT_MUST_USE cfsplit_status csi_io_read(int dir, const char *name, size_t limit, struct csi_buf *buf,
                                            struct cfsplit_error *err);

/* Appends what an open file holds from `offset` on. `name` is for messages. */
CFSPLIT_MUST_USE cfsplit_status csi_io_read_from(int fd, const char *name, uint64_t offset, struct csi_buf *buf,
                                                 struct cfsplit_error *err);

/* write(2) and pwrite(2) until all is written; -1 and errno otherwise. */
int csi_io_write_all(int fd, const void *data, size_t length);
int csi_io_pwrite_all(int fd, const void *data, size_t length, uint64_t offset);

/* fsync of a folder, by an open descriptor of it. */
CFSPLIT_MUST_USE cfsplit_status csi_io_sync_dir(int dir, const char *name, struct cfsplit_error *err);

/* The same for folder `name` in the folder `dir`. */
CFSPLIT_MUST_USE cfsplit_status csi_io_sync_folder(int dir, const char *name, struct cfsplit_error *err);

/* openat(2) of what is there, closed on exec: a name that the client of a network file system remembered wrongly (ESTALE) is
 * looked up anew. -1 and errno. */
int csi_io_open(int dir, const char *name, int flags);

/* Waits for a name that is known to be there, and that the client of a network file system may still remember as missing: up
 * to 3 s. False and ENOENT if it does not come; what else is wrong is for the next open to find. */
bool csi_io_await(int dir, const char *name);

/* Creates a file that must not exist yet, for writing, with exactly this mode whatever the umask says; -1 and errno. */
int csi_io_create(int dir, const char *name, mode_t mode);

/* Writes a new file of that mode, exclusively, synced and closed with every return checked; on failure it is removed. */
CFSPLIT_MUST_USE cfsplit_status csi_io_write_new(int dir, const char *name, mode_t mode, const void *data,
                                                 size_t length, struct cfsplit_error *err);

/* Publishes data as folder/name by a temporary file and link(2): first wins. *won tells (a name that exists is no error).
 * The folder is synced. `nonce` makes the temporary name unique to the caller. */
CFSPLIT_MUST_USE cfsplit_status csi_io_publish_first(int dir, const char *folder, const char *name, mode_t mode,
                                                     const char *nonce, const void *data, size_t length, int *won,
                                                     struct cfsplit_error *err);

/* Does the open file or folder stand there? Over NFS a rename that was done may be answered with an error. */
bool csi_io_is_at(int dir, const char *name, int fd);

/* 64 bits of randomness; 16 hexadecimal digits of it and a NUL. */
CFSPLIT_MUST_USE cfsplit_status csi_io_random(uint64_t *out, struct cfsplit_error *err);
CFSPLIT_MUST_USE cfsplit_status csi_io_nonce(char out[17], struct cfsplit_error *err);

#endif
