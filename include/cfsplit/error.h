/* What went wrong, in one sentence.
 *
 * Every function that can fail returns a cfsplit_status and takes, last, a `struct cfsplit_error *err` in the caller's
 * storage, which may be NULL. On failure err->message holds one sentence fit for a person, without a newline. */
#ifndef CFSPLIT_ERROR_H
#define CFSPLIT_ERROR_H

#include <cfsplit/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, exit code of canfar-split, meaning) */
#define CFSPLIT_STATUS_LIST(X)                                                                                         \
    X(CFSPLIT_OK, 0, "done")                                                                                           \
    X(CFSPLIT_END, 0, "nothing more to iterate over")                                                                  \
    X(CFSPLIT_INCOMPLETE, 1, "some items failed or were set aside, or the run is not complete")                        \
    X(CFSPLIT_USAGE, 2, "usage, bad input or identity")                                                                \
    X(CFSPLIT_DAMAGED, 3, "the run directory is damaged")                                                              \
    X(CFSPLIT_UNREACHABLE, 4, "the queue cannot be reached")                                                           \
    X(CFSPLIT_STORAGE, 5, "storage: quota, I/O")                                                                       \
    X(CFSPLIT_MEMORY, 5, "out of memory")                                                                              \
    X(CFSPLIT_FENCED, 5, "another replica took this one for lost and ended it")                                        \
    X(CFSPLIT_STOPPED, 75, "told to stop before the end")

enum cfsplit_status {
#define CFSPLIT_STATUS_ENUM_(name, code, text) name,
    CFSPLIT_STATUS_LIST(CFSPLIT_STATUS_ENUM_)
#undef CFSPLIT_STATUS_ENUM_
};
typedef enum cfsplit_status cfsplit_status;

#define CFSPLIT_ERROR_BYTES 1008

struct cfsplit_error {
    cfsplit_status status;
    int system_errno; /* errno of the call that failed, or 0 */
    char message[CFSPLIT_ERROR_BYTES];
};

/* The exit code canfar-split uses for a status (0, 1, 2, 3, 4, 5 or 75). */
CFSPLIT_API int cfsplit_status_exit_code(cfsplit_status status);

/* The meaning of a status in words. The library's, static. */
CFSPLIT_API const char *cfsplit_status_text(cfsplit_status status);

#ifdef __cplusplus
}
#endif
#endif
