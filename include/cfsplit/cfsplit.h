/* libcfsplit: splits a list of files over the replicas of a job, and accounts for every one.
 *
 * The rules of every call: inputs are borrowed for the call and what is kept is copied; `**out` is yours to free or close, and
 * NULL after a failure; a `const *` result is the library's until the next call on that object.
 * The library never prints, exits, installs signal handlers, or changes the working directory, umask, locale or
 * environment. Different objects may be used by different threads; one object by one thread at a time, but for workers. */
#ifndef CFSPLIT_CFSPLIT_H
#define CFSPLIT_CFSPLIT_H

#include <cfsplit/error.h>
#include <cfsplit/identity.h>
#include <cfsplit/list.h>
#include <cfsplit/share.h>
#include <cfsplit/worker.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that runs, "major.minor.patch", static. */
CFSPLIT_API const char *cfsplit_version(void);

#ifdef __cplusplus
}
#endif
#endif
