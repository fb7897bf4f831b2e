/* libcfsplit: splits a list of files over the replicas of a job, and accounts for every one. docs/api.md has an example of each
 * call.
 *
 * The rules of every call: inputs are borrowed for the call and what is kept is copied; `**out` is yours to free or close, and
 * NULL after a failure; a `const *` result is the library's until the next call on that object.
 * The library never prints, exits, installs signal handlers, or changes the working directory, umask, locale or
 * environment.
 * Threads: different objects may be used by different threads; one object by one thread at a time, but for workers (worker.h).
 * What returns no object and keeps nothing may be called by any thread at any time; the environment is read by
 * cfsplit_identity_find, cfsplit_run_identity and cfsplit_worker_open: nobody may change it meanwhile.
 * Fork: lists, lines and shares are a child's own copies after fork(), but for the place in a file that lines share with the
 * parent. Runs and surveys are for the process that opened them; a child closes none. Workers: worker.h. In the child of a
 * process with threads nothing may be called before exec, as in any library that allocates.
 * Options: structs begin with `size`, which is their sizeof; zero in anything else is the default; what is reserved is zero.
 * Another size, or something in what is reserved, is CFSPLIT_USAGE: a program of another version. */
#ifndef CFSPLIT_CFSPLIT_H
#define CFSPLIT_CFSPLIT_H

#include <stdint.h>

#include <cfsplit/error.h>
#include <cfsplit/identity.h>
#include <cfsplit/list.h>
#include <cfsplit/share.h>
#include <cfsplit/worker.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of these headers; major, minor and patch have three digits each in the number. */
#define CFSPLIT_VERSION_MAJOR 0
#define CFSPLIT_VERSION_MINOR 1
#define CFSPLIT_VERSION_PATCH 0
#define CFSPLIT_VERSION_NUMBER                                                                                         \
    (CFSPLIT_VERSION_MAJOR * 1000000u + CFSPLIT_VERSION_MINOR * 1000u + CFSPLIT_VERSION_PATCH)

/* The version of the library that runs, "major.minor.patch", static; and as a number, as CFSPLIT_VERSION_NUMBER. */
CFSPLIT_API const char *cfsplit_version(void);
CFSPLIT_API uint32_t cfsplit_version_number(void);

/* Whether the library that runs serves a program that was built with headers of that version (CFSPLIT_VERSION_NUMBER): it has
 * the same major version, while that is 0 the same minor version, too, and is not older. The soname sees to the first two
 * where the shared library is found by it; a program that loads the library otherwise should ask.
 * Errors: CFSPLIT_USAGE naming both versions. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_version_check(uint32_t headers, struct cfsplit_error *err);

#ifdef __cplusplus
}
#endif
#endif
