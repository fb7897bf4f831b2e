/* Run directories of a test's own, made in its scratch folder; reading and damaging their files; and processes that begin at
 * the same moment. */
#ifndef TESTS_LIB_RUNDIR_H
#define TESTS_LIB_RUNDIR_H

#include <sys/wait.h>

#include "base/buf.h"
#include "base/io.h"
#include "lib/check.h"
#include "lib/scratch.h"
#include "rundir/claim.h"
#include "rundir/journal.h"

static struct cfsplit_error err;

/* What a test stands on: ends it, also outside of a case. */
static inline void rundir_need(cfsplit_status status)
{
    if (status == CFSPLIT_OK)
        return;
    fprintf(stderr, "%s\n", err.message);
    exit(2);
}

/* "item 1", "item 2", ... */
static inline struct cfsplit_list *rundir_list(uint64_t count)
{
    struct cfsplit_list *list;
    rundir_need(cfsplit_list_new(&list, &err));
    for (uint64_t i = 1; i <= count; i++) {
        char name[32];
        int n = snprintf(name, sizeof name, "item %" PRIu64, i);
        rundir_need(cfsplit_list_add(list, name, (size_t)n, 1, &err));
    }
    return list;
}

static inline struct cfsplit_plan_request rundir_request(uint64_t replicas)
{
    static const char *const command[] = {"./one.sh", "{}"};
    return (struct cfsplit_plan_request){.size = sizeof(struct cfsplit_plan_request),
                                         .strategy = CFSPLIT_EVEN,
                                         .replicas = replicas,
                                         .command = command,
                                         .command_count = 2,
                                         .options = CFSPLIT_RUN_OPTIONS_INIT};
}

/* Plans a run of the items above in the scratch folder and opens it. */
static inline struct cfsplit_run *rundir_plan(const char *path, uint64_t items,
                                              const struct cfsplit_plan_request *request)
{
    struct cfsplit_list *list = rundir_list(items);
    struct cfsplit_run *run = NULL;
    bool created;
    rundir_need(cfsplit_plan(path, list, request, &created, &err));
    rundir_need(cfsplit_run_open(path, &run, &err));
    cfsplit_list_free(list);
    return run;
}

static inline struct cfsplit_run *rundir_new(const char *path, uint64_t items, uint64_t replicas)
{
    struct cfsplit_plan_request request = rundir_request(replicas);
    return rundir_plan(path, items, &request);
}

static inline struct csi_inc rundir_inc(const struct cfsplit_run *run, uint32_t replica)
{
    struct csi_inc inc;
    CHECK_OK(csi_inc_publish(run, replica, "a test", &inc, &err));
    return inc;
}

/* The name of a file of a run; valid until the next but three call. */
static inline const char *rundir_name(const struct cfsplit_run *run, const char *folder, const char *name)
{
    static char names[4][512];
    static int next;
    char *to = names[next++ % 4];
    snprintf(to, sizeof names[0], "%s/%s/%s", run->path, folder, name);
    return to;
}

/* All bytes of a file. */
static inline struct csi_buf rundir_read(const char *name)
{
    struct csi_buf bytes = CSI_BUF_INIT;
    CU_ASSERT_EQUAL_FATAL(csi_io_read(AT_FDCWD, name, 64 << 20, &bytes, &err), CFSPLIT_OK);
    return bytes;
}

static inline void rundir_flip(const char *name, uint64_t byte, int bit)
{
    unsigned char c;
    int fd = open(name, O_RDWR | O_CLOEXEC);
    CHECK_EQUAL(pread(fd, &c, 1, (off_t)byte), 1);
    c ^= (unsigned char)(1 << bit);
    CHECK_EQUAL(pwrite(fd, &c, 1, (off_t)byte), 1);
    close(fd);
}

/* Runs `work` in as many processes, which all begin at one moment; how many did not answer 0. */
static inline unsigned rundir_race(unsigned processes, int (*work)(unsigned self))
{
    int gate[2];
    unsigned bad = 0;
    CU_ASSERT_EQUAL_FATAL(pipe2(gate, O_CLOEXEC), 0);
    for (unsigned i = 0; i < processes; i++) {
        char c;
        if (fork() == 0) {
            close(gate[1]);
            _exit(read(gate[0], &c, 1) != 0 ? 99 : work(i)); /* until the gate is closed */
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (unsigned i = 0; i < processes; i++) {
        int status;
        CHECK(wait(&status) > 0);
        bad += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    return bad;
}

/* ---- journals */

static inline struct csi_record rundir_start(uint64_t index, uint64_t attempt)
{
    return (struct csi_record){.kind = CSI_RECORD_START, .index = index, .attempt = attempt, .time_ms = 1000 + attempt};
}

static inline struct csi_record rundir_end(uint64_t index, uint64_t attempt, enum csi_class class)
{
    return (struct csi_record){.kind = CSI_RECORD_END,
                               .index = index,
                               .attempt = attempt,
                               .class = class,
                               .time_ms = 2000 + attempt,
                               .text = ""};
}

/* Writes one group of one record, synced. */
static inline void rundir_put(struct csi_journal *j, struct csi_record record)
{
    csi_journal_add(j, &record);
    CHECK_OK(csi_journal_write(j, &err));
    CHECK_OK(csi_journal_sync(j, &err));
}

#endif
