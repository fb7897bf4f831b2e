/* Filling in a struct cfsplit_error: the sentence is made by the lowest function that knows the noun. */
#ifndef CSI_BASE_ERROR_H
#define CSI_BASE_ERROR_H

#include <stddef.h>

#include <cfsplit/unstable.h>

/* Sets *err (may be NULL) and returns the status, so that `return csi_fail(...)` reads as it should. */
cfsplit_status csi_fail(struct cfsplit_error *err, cfsplit_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, with ": strerror(number)" added. */
cfsplit_status csi_fail_errno(struct cfsplit_error *err, cfsplit_status status, int number, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* CFSPLIT_STORAGE for what storage does to us (ENOSPC, EDQUOT, EIO, ESTALE, EROFS), otherwise `otherwise`. */
cfsplit_status csi_status_of_errno(int number, cfsplit_status otherwise);

cfsplit_status csi_fail_memory(struct cfsplit_error *err);

/* cfsplit_quote, under the name the floors use; and for bytes that do not end with NUL. */
struct cfsplit_quoted csi_quote(const char *name);
struct cfsplit_quoted csi_quote_bytes(const char *name, size_t length);

#endif
