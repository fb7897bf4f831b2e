#include <cfsplit/identity.h>

#include "lib/check.h"

/* One environment and what it makes of it. Variables are "NAME=value", separated by spaces. */
struct row {
    const char *environment;
    uint64_t id, count, pinned; /* options */
    const char *wanted;         /* "3 of 4 by SOURCE", with " (NOTE)" if there is one; or the error */
};

static const char *environment;

/* getenv, of the row's environment. */
static char *lookup(const char *name)
{
    static char values[8][64];
    static unsigned next;
    size_t length = strlen(name);
    for (const char *at = environment; *at; at += strcspn(at, " "), at += *at == ' ') {
        if (strncmp(at, name, length) != 0 || at[length] != '=')
            continue;
        char *value = values[next++ % 8];
        snprintf(value, sizeof values[0], "%.*s", (int)strcspn(at + length + 1, " "), at + length + 1);
        return value;
    }
    return NULL;
}

static void check_row(const struct row *row)
{
    struct cfsplit_identity_options options = {
        .size = sizeof options, .id = row->id, .count = row->count, .pinned = row->pinned};
    struct cfsplit_identity who;
    struct cfsplit_error err = {0};
    char got[2048];
    environment = row->environment;
    if (cfsplit_identity_find(&options, lookup, &who, &err) != CFSPLIT_OK) {
        CHECK_EQUAL(err.status, CFSPLIT_USAGE);
        snprintf(got, sizeof got, "%s", err.message);
    } else {
        snprintf(got, sizeof got, "%u of %u by %s%s%s%s", who.id, who.count, who.source, who.note[0] ? " (" : "",
                 who.note, who.note[0] ? ")" : "");
    }
    CHECK_TEXT(got, row->wanted);
}

#define CHECK_ROWS(rows)                                                                                               \
    for (size_t i_ = 0; i_ < sizeof(rows) / sizeof(rows)[0]; i_++)                                                     \
    check_row(&(rows)[i_])

#define ARRAY(id, count, min, max, step)                                                                               \
    "SLURM_ARRAY_TASK_ID=" #id " SLURM_ARRAY_TASK_COUNT=" #count " SLURM_ARRAY_TASK_MIN=" #min                         \
    " SLURM_ARRAY_TASK_MAX=" #max " SLURM_ARRAY_TASK_STEP=" #step
#define BATCH           "SLURM_JOB_ID=9 SLURM_PROCID=0 SLURM_NTASKS=8 SLURM_NPROCS=8"
#define STEP(id, count) "SLURM_STEP_ID=0 SLURM_STEPID=0 SLURM_PROCID=" #id " SLURM_NTASKS=" #count
#define NOTHING_NOTE    "1 of 1 by nothing (no replica number in the environment: taking the whole list (1 of 1))"

static void test_launchers(void)
{
    static const struct row rows[] = {
        {"REPLICA_ID=3 REPLICA_COUNT=4", 0, 0, 0, "3 of 4 by REPLICA_ID and REPLICA_COUNT"},
        {ARRAY(0, 4, 0, 3, 1), 0, 0, 0, "1 of 4 by SLURM_ARRAY_TASK_ID"},
        {ARRAY(3, 4, 0, 3, 1), 0, 0, 0, "4 of 4 by SLURM_ARRAY_TASK_ID"},
        {ARRAY(6, 3, 2, 10, 4), 0, 0, 0, "2 of 3 by SLURM_ARRAY_TASK_ID"},
        {ARRAY(7, 1, 7, 7, 1), 0, 0, 0, "1 of 1 by SLURM_ARRAY_TASK_ID"},
        {ARRAY(7, 1, 7, 7, 1), 0, 0, 10, "1 of 1 by SLURM_ARRAY_TASK_ID"}, /* for the caller to compare */
        {STEP(0, 8), 0, 0, 0, "1 of 8 by SLURM_PROCID"},
        {STEP(7, 8), 0, 0, 0, "8 of 8 by SLURM_PROCID"},
        {STEP(1, 8) " SLURM_STEP_NUM_TASKS=2", 0, 0, 0, "2 of 2 by SLURM_PROCID"},
        {"SLURM_STEPID=3 SLURM_PROCID=1 SLURM_NTASKS=2", 0, 0, 0, "2 of 2 by SLURM_PROCID"},
        {STEP(2, 4) " " ARRAY(6, 3, 2, 10, 4), 0, 0, 0, "7 of 12 by SLURM_ARRAY_TASK_ID and SLURM_PROCID"},
        {STEP(0, 1) " " ARRAY(6, 3, 2, 10, 4), 0, 0, 0, "2 of 3 by SLURM_ARRAY_TASK_ID and SLURM_PROCID"},
        {"JOB_COMPLETION_INDEX=0", 0, 5, 0, "1 of 5 by JOB_COMPLETION_INDEX and --replicas"},
        {"JOB_COMPLETION_INDEX=4", 0, 0, 5, "5 of 5 by JOB_COMPLETION_INDEX and the plan"},
        {"JOB_COMPLETION_INDEX=4 REPLICA_COUNT=6", 0, 0, 0, "5 of 6 by JOB_COMPLETION_INDEX and REPLICA_COUNT"},
        {"OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2", 0, 0, 0, "1 of 2 by OMPI_COMM_WORLD_RANK"},
        {"OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 OMPI_UNIVERSE_SIZE=8", 0, 0, 0,
         "2 of 2 by OMPI_COMM_WORLD_RANK"},
    };
    CHECK_ROWS(rows);
}

static void test_precedence(void)
{
    static const struct row rows[] = {
        {"OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 " STEP(3, 4) " " ARRAY(0, 4, 0, 3, 1), 0, 0, 0,
         "2 of 2 by OMPI_COMM_WORLD_RANK"},
        {BATCH " " ARRAY(2, 4, 0, 3, 1), 0, 0, 0, "3 of 4 by SLURM_ARRAY_TASK_ID"},
        {ARRAY(2, 4, 0, 3, 1) " JOB_COMPLETION_INDEX=0", 0, 0, 0, "3 of 4 by SLURM_ARRAY_TASK_ID"},
        {"REPLICA_ID=3 REPLICA_COUNT=4", 1, 0, 0, "1 of 4 by --replica and REPLICA_COUNT"},
        {"REPLICA_ID=3 REPLICA_COUNT=4", 0, 9, 0, "3 of 9 by REPLICA_ID and --replicas"},
        {"REPLICA_ID=x REPLICA_COUNT=y", 2, 9, 0, "2 of 9 by --replica and --replicas"},
        {ARRAY(2, 4, 0, 3, 1), 2, 0, 0, "2 of 4 by --replica and SLURM_ARRAY_TASK_COUNT"},
        {ARRAY(3, 3, 1, 7, 1), 2, 0, 0, "2 of 3 by --replica and SLURM_ARRAY_TASK_COUNT"},
        {"", 2, 0, 3, "2 of 3 by --replica and the plan"},
        {"REPLICA_ID=3 REPLICA_COUNT=4", 0, 0, 9, "3 of 4 by REPLICA_ID and REPLICA_COUNT"},
    };
    CHECK_ROWS(rows);
}

static void test_disagreement(void)
{
    static const struct row rows[] = {
        {"REPLICA_ID=3 REPLICA_COUNT=4 " ARRAY(0, 2, 0, 1, 1), 0, 0, 0,
         "3 of 4 by REPLICA_ID and REPLICA_COUNT "
         "(REPLICA_ID and REPLICA_COUNT win: replica 3 of 4, not 1 of 2 (Slurm array))"},
        {"REPLICA_ID=3 REPLICA_COUNT=4 JOB_COMPLETION_INDEX=1", 0, 0, 0,
         "3 of 4 by REPLICA_ID and REPLICA_COUNT "
         "(REPLICA_ID and REPLICA_COUNT win: replica 3 of 4, not 2 (Kubernetes))"},
        {"REPLICA_ID=3 REPLICA_COUNT=4 JOB_COMPLETION_INDEX=2", 0, 0, 0, "3 of 4 by REPLICA_ID and REPLICA_COUNT"},
        {"REPLICA_ID=1 REPLICA_COUNT=2 " ARRAY(0, 2, 0, 1, 1), 0, 0, 0, "1 of 2 by REPLICA_ID and REPLICA_COUNT"},
        {"REPLICA_ID=1 REPLICA_COUNT=2 " ARRAY(3, 3, 1, 7, 1), 0, 0, 0, "1 of 2 by REPLICA_ID and REPLICA_COUNT"},
        {"REPLICA_ID=3 REPLICA_COUNT=4 " ARRAY(0, 2, 0, 1, 1), 1, 2, 0, "1 of 2 by --replica and --replicas"},
    };
    CHECK_ROWS(rows);
}

static void test_nothing(void)
{
    static const struct row rows[] = {
        {"", 0, 0, 0, NOTHING_NOTE},
        {"", 0, 0, 1, NOTHING_NOTE},
        {"", 0, 0, 2, "no replica number here"},
        {BATCH, 0, 0, 0, NOTHING_NOTE},
        {BATCH " SLURM_STEP_ID=batch", 0, 0, 0, NOTHING_NOTE},
        {"OMPI_COMM_WORLD_SIZE=4", 0, 0, 0, NOTHING_NOTE},
        {"SGE_TASK_ID=undefined RANK=3 WORLD_SIZE=4", 0, 0, 0, NOTHING_NOTE},
    };
    CHECK_ROWS(rows);
}

static void test_one_half(void)
{
    static const struct row rows[] = {
        {"REPLICA_ID=1", 0, 0, 0, "REPLICA_ID is set but REPLICA_COUNT is not: give --replicas N"},
        {"REPLICA_COUNT=1", 0, 0, 0, "REPLICA_COUNT is set but REPLICA_ID is not: give --replica K"},
        {"REPLICA_COUNT=4", 0, 0, 4, "REPLICA_COUNT is set but REPLICA_ID is not: give --replica K"},
        {"", 1, 0, 0, "--replica is given but --replicas is not: give --replicas N"},
        {"", 0, 4, 0, "--replicas is given but --replica is not: give --replica K"},
        {"JOB_COMPLETION_INDEX=0", 0, 0, 0,
         "JOB_COMPLETION_INDEX is set but Kubernetes does not say how many replicas there are: give --replicas N"},
        {"OMPI_COMM_WORLD_RANK=0", 0, 0, 0,
         "OMPI_COMM_WORLD_RANK is set but Open MPI does not say how many replicas there are: give --replicas N"},
        {"SLURM_ARRAY_TASK_ID=1", 0, 0, 0, "SLURM_ARRAY_TASK_MIN is not set"},
    };
    CHECK_ROWS(rows);
}

static void test_bad_values(void)
{
    static const struct row rows[] = {
        {"REPLICA_ID=0 REPLICA_COUNT=4", 0, 0, 0, "REPLICA_ID is '0': replica numbers count from 1"},
        {"REPLICA_ID=1 REPLICA_COUNT=0", 0, 0, 0, "REPLICA_COUNT is '0': there is at least one replica"},
        {"REPLICA_ID=5 REPLICA_COUNT=4", 0, 0, 0, "REPLICA_ID says replica 5, but there are 4 (REPLICA_COUNT)"},
        {"REPLICA_ID=one REPLICA_COUNT=4", 0, 0, 0, "REPLICA_ID is 'one': not a number"},
        {"REPLICA_ID= REPLICA_COUNT=4", 0, 0, 0, "REPLICA_ID is '': not a number"},
        {"REPLICA_ID=-1 REPLICA_COUNT=4", 0, 0, 0, "REPLICA_ID is '-1': not a number"},
        {"REPLICA_ID=+1 REPLICA_COUNT=4", 0, 0, 0, "REPLICA_ID is '+1': not a number"},
        {"REPLICA_ID=1.0 REPLICA_COUNT=4", 0, 0, 0, "REPLICA_ID is '1.0': not a number"},
        {"REPLICA_ID=1 REPLICA_COUNT=18446744073709551617", 0, 0, 0,
         "REPLICA_COUNT is '18446744073709551617': there can be 1 to 1000000 replicas"},
        {"REPLICA_ID=1 REPLICA_COUNT=1000001", 0, 0, 0,
         "REPLICA_COUNT is '1000001': there can be 1 to 1000000 replicas"},
        {"REPLICA_ID=1000000 REPLICA_COUNT=1000000", 0, 0, 0, "1000000 of 1000000 by REPLICA_ID and REPLICA_COUNT"},
        {"", 5, 4, 0, "--replica says replica 5, but there are 4 (--replicas)"},
        {"OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=2", 0, 0, 0,
         "OMPI_COMM_WORLD_RANK says replica 3, but there are 2 (OMPI_COMM_WORLD_SIZE)"},
        {"OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=0", 0, 0, 0,
         "OMPI_COMM_WORLD_SIZE is '0': there is at least one replica"},
        {STEP(4, 4) " " ARRAY(0, 2, 0, 1, 1), 0, 0, 0, "SLURM_PROCID is '4', but SLURM_NTASKS says there are 4"},
    };
    CHECK_ROWS(rows);
}

static void test_array_with_gaps(void)
{
    static const struct row rows[] = {
        {ARRAY(3, 3, 1, 7, 1), 0, 0, 0,
         "SLURM_ARRAY_TASK_ID is '3', but the array has gaps (3 elements from 1 to 7): give --replica K --replicas N"},
        {ARRAY(3, 3, 1, 7, 1), 0, 3, 0,
         "SLURM_ARRAY_TASK_ID is '3', but the array has gaps (3 elements from 1 to 7): give --replica K --replicas N"},
        {ARRAY(3, 3, 2, 10, 4), 0, 0, 0,
         "SLURM_ARRAY_TASK_ID is '3': not one of 2 to 10 by 4 (SLURM_ARRAY_TASK_MIN, SLURM_ARRAY_TASK_MAX, "
         "SLURM_ARRAY_TASK_STEP)"},
        {ARRAY(1, 3, 1, 7, 0), 0, 0, 0,
         "SLURM_ARRAY_TASK_ID is '1': not one of 1 to 7 by 0 (SLURM_ARRAY_TASK_MIN, SLURM_ARRAY_TASK_MAX, "
         "SLURM_ARRAY_TASK_STEP)"},
        {ARRAY(x, 3, 1, 7, 3), 0, 0, 0, "SLURM_ARRAY_TASK_ID is 'x': not a number"},
    };
    CHECK_ROWS(rows);
}

static const struct check_case cases[] = {
    {"every launcher of the table is understood", test_launchers},
    {"options, then REPLICA_*, then the innermost launcher, half by half", test_precedence},
    {"REPLICA_* win over a launcher that says otherwise, with a note", test_disagreement},
    {"with nothing set it is 1 of 1, unless a plan wants more", test_nothing},
    {"one half alone is an error that says what to give", test_one_half},
    {"a value that is no replica number is named with its variable", test_bad_values},
    {"a Slurm array with gaps leaves the number open", test_array_with_gaps},
};

int main(void)
{
    return check_main("who a replica is", cases, sizeof cases / sizeof cases[0]);
}
