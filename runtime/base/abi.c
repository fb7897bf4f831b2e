/* The layout of what programs and the shared library both know. What is changed here is another ABI: CFSPLIT_SOVERSION in
 * CMakeLists.txt is counted up, and the numbers below with it. Structs have no padding, in which something new could hide from
 * the check of `size`. On machines whose pointers have 64 bits, which is all that is promised. */
#include <assert.h>
#include <stddef.h>

#include <cfsplit/unstable.h>

#define SIZE(type, bytes) static_assert(sizeof(struct cfsplit_##type) == (bytes), "struct cfsplit_" #type)
#define AT(type, field, offset)                                                                                        \
    static_assert(offsetof(struct cfsplit_##type, field) == (offset), "struct cfsplit_" #type "." #field)
/* Field `next` begins where `field` ends; the last one ends where the struct does. */
#define THEN(type, field, next)                                                                                        \
    static_assert(offsetof(struct cfsplit_##type, field) + sizeof(((struct cfsplit_##type *)0)->field) ==              \
                      offsetof(struct cfsplit_##type, next),                                                           \
                  "padding behind struct cfsplit_" #type "." #field)
#define LAST(type, field)                                                                                              \
    static_assert(offsetof(struct cfsplit_##type, field) + sizeof(((struct cfsplit_##type *)0)->field) ==              \
                      sizeof(struct cfsplit_##type),                                                                   \
                  "padding at the end of struct cfsplit_" #type)

#if UINTPTR_MAX == UINT64_MAX

static_assert(CFSPLIT_ERROR_BYTES == 1008, "room for a sentence");
SIZE(error, 1016);
AT(error, status, 0);
AT(error, system_errno, 4);
AT(error, message, 8);
LAST(error, message);

SIZE(identity_options, 64);
AT(identity_options, size, 0);
AT(identity_options, id, 8);
AT(identity_options, count, 16);
AT(identity_options, pinned, 24);
AT(identity_options, launcher, 32);
AT(identity_options, reserved_, 40);
LAST(identity_options, reserved_);

SIZE(identity, 360);
AT(identity, id, 0);
AT(identity, count, 4);
AT(identity, source, 8);
AT(identity, note, 104);
LAST(identity, note);

SIZE(item, 24);
AT(item, name, 0);
AT(item, length, 8);
AT(item, weight, 16);
LAST(item, weight);

SIZE(range, 24);
AT(range, first, 0);
AT(range, count, 8);
AT(range, step, 16);
LAST(range, step);

SIZE(worker_options, 72);
AT(worker_options, size, 0);
AT(worker_options, id, 8);
AT(worker_options, spare, 12);
AT(worker_options, run, 16);
AT(worker_options, say, 24);
AT(worker_options, context, 32);
AT(worker_options, bind, 40);
AT(worker_options, reserved_, 48);
LAST(worker_options, reserved_);

SIZE(work, 48);
AT(work, name, 0);
AT(work, length, 8);
AT(work, weight, 16);
AT(work, index, 24);
AT(work, attempt, 32);
AT(work, seed, 36);
AT(work, reserved_, 40);
LAST(work, reserved_);

SIZE(worker_result, 128);
AT(worker_result, started, 0);
AT(worker_result, done, 8);
AT(worker_result, failed, 16);
AT(worker_result, rejected, 24);
AT(worker_result, later, 32);
AT(worker_result, stopped, 40);
AT(worker_result, set_aside, 48);
AT(worker_result, not_started, 56);
AT(worker_result, name, 64);
AT(worker_result, reserved_, 96);
LAST(worker_result, reserved_);

/* Not promised, but known by their size, too. */
AT(run_options, size, 0);
THEN(run_options, size, slots);
LAST(run_options, later_exit);
THEN(plan_request, size, strategy);
THEN(plan_request, group, replicas);
THEN(plan_request, command_count, options);
LAST(plan_request, weights);
THEN(replica_options, size, id);
THEN(replica_options, environment, run);
THEN(replica_options, reserved_, wake);
LAST(replica_options, bind);

#endif
