#include <cfsplit/identity.h>
#include <cfsplit/unstable.h>

#include "lib/check.h"

/* One environment and what it makes of it. Variables are "NAME=value", separated by spaces; ASK is the option launcher. */
struct row {
    const char *environment;
    uint64_t id, count, pinned; /* options */
    const char *wanted;         /* "3 of 4 by SOURCE", with " (NOTE)" if there is one; or the error */
};

static const char *environment;

/* getenv, of the row's environment. */
static char *lookup(const char *name)
{
    static char values[16][64];
    static unsigned next;
    size_t length = strlen(name);
    for (const char *at = environment; *at; at += strcspn(at, " "), at += *at == ' ') {
        if (strncmp(at, name, length) != 0 || at[length] != '=')
            continue;
        char *value = values[next++ % 16];
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
    options.launcher = lookup("ASK");
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
#define SGE(id, first, last, step)                                                                                     \
    "SGE_TASK_ID=" #id " SGE_TASK_FIRST=" #first " SGE_TASK_LAST=" #last " SGE_TASK_STEPSIZE=" #step
#define LSF(id, end, step) "LSB_JOBINDEX=" #id " LSB_JOBINDEX_END=" #end " LSB_JOBINDEX_STEP=" #step
#define LSF_NOTE                                                                                                       \
    "(LSF does not tell where an array begins or what is left out: taken for all from 1 to LSB_JOBINDEX_END)"
#define UNHEARD_NOTE                                                                                                   \
    "(JOB_COMPLETION_INDEX is set, too, and not counted: if Open MPI numbers the processes of one pod only, give "     \
    "--replica K --replicas N)"
#define AWS(index, size) "AWS_BATCH_JOB_ARRAY_INDEX=" #index " AWS_BATCH_JOB_ARRAY_SIZE=" #size
#define NO_BASE(id, value, name)                                                                                       \
#id " is '" #value "', but " name " does not say where its numbers begin and end: give --replica K --replicas N"
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
        {ARRAY(7, 1, 7, 7, 1), 0, 0, 0,
         "1 of 1 by SLURM_ARRAY_TASK_ID (SLURM_ARRAY_TASK_ID is the only one of its array: taking the whole list (1 of "
         "1))"},
        {ARRAY(7, 1, 7, 7, 1), 0, 10, 0,
         "1 of 10 by SLURM_ARRAY_TASK_ID and --replicas (SLURM_ARRAY_TASK_ID: number 1 of an array of 1 is taken for "
         "replica 1 "
         "of 10 (--replicas); if it is another one: --replica K)"},
        {ARRAY(4, 1, 4, 4, 1), 0, 8, 8,
         "1 of 8 by SLURM_ARRAY_TASK_ID and --replicas (SLURM_ARRAY_TASK_ID: number 1 of an array of 1 is taken for "
         "replica 1 of 8 (--replicas); if it is another one: --replica K)"},
        {ARRAY(2, 4, 0, 3, 1), 0, 4, 0, "3 of 4 by SLURM_ARRAY_TASK_ID and --replicas"},
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

static void test_pmi_and_flux(void)
{
    static const struct row rows[] = {
        {"PMI_RANK=0 PMI_SIZE=4", 0, 0, 0, "1 of 4 by PMI_RANK"},
        {"PMI_RANK=3 PMI_SIZE=4 MPI_LOCALRANKID=1", 0, 0, 0, "4 of 4 by PMI_RANK"},
        {"PMI_RANK=4 PMI_SIZE=4", 0, 0, 0, "PMI_RANK says replica 5, but there are 4 (PMI_SIZE)"},
        {"PMI_RANK=1", 0, 0, 0, "PMI_RANK is set but PMI does not say how many replicas there are: give --replicas N"},
        {"PMI_RANK=1", 0, 3, 0, "2 of 3 by PMI_RANK and --replicas"},
        {"PMIX_RANK=1", 0, 0, 0, NOTHING_NOTE}, /* it has no size */
        {"FLUX_TASK_RANK=2 FLUX_JOB_SIZE=3", 0, 0, 0, "3 of 3 by FLUX_TASK_RANK"},
        {"FLUX_TASK_RANK=2 FLUX_JOB_SIZE=3 PMI_RANK=2 PMI_SIZE=3", 0, 0, 0, "3 of 3 by PMI_RANK"},
        /* each of flux submit --cc=0-9 is a job of one task */
        {"FLUX_JOB_CC=7 FLUX_TASK_RANK=0 FLUX_JOB_SIZE=1", 0, 0, 0, NO_BASE(FLUX_JOB_CC, 7, "Flux --cc")},
        {"FLUX_JOB_CC=7 FLUX_TASK_RANK=0 FLUX_JOB_SIZE=1 PMI_RANK=0 PMI_SIZE=1", 0, 10, 0,
         NO_BASE(FLUX_JOB_CC, 7, "Flux --cc")},
        {"FLUX_JOB_CC=7 FLUX_TASK_RANK=0 FLUX_JOB_SIZE=1", 8, 10, 0, "8 of 10 by --replica and --replicas"},
    };
    CHECK_ROWS(rows);
}

static void test_sge(void)
{
    static const struct row rows[] = {
        {SGE(1, 1, 4, 1), 0, 0, 0, "1 of 4 by SGE_TASK_ID"},
        {SGE(4, 1, 4, 1), 0, 0, 0, "4 of 4 by SGE_TASK_ID"},
        {SGE(6, 2, 10, 4), 0, 0, 0, "2 of 3 by SGE_TASK_ID"},
        {SGE(6, 2, 12, 4), 0, 0, 0, "2 of 3 by SGE_TASK_ID"}, /* the end that was asked for, not the last one */
        {SGE(7, 7, 7, 1), 0, 0, 0,
         "1 of 1 by SGE_TASK_ID (SGE_TASK_ID is the only one of its array: taking the whole list (1 of 1))"},
        {SGE(3, 1, 4, 1) " RESTARTED=1", 0, 0, 0, "3 of 4 by SGE_TASK_ID"},
        {SGE(3, 1, 4, 1) " RESTARTED=2", 0, 0, 0, "3 of 4 by SGE_TASK_ID"},
        {SGE(undefined, undefined, undefined, undefined), 0, 0, 0, NOTHING_NOTE},
        {SGE(undefined, undefined, undefined, undefined) " RESTARTED=0", 0, 0, 4, "no replica number here"},
        {SGE(undefined, undefined, undefined, undefined) " PMI_RANK=1 PMI_SIZE=2", 0, 0, 0, "2 of 2 by PMI_RANK"},
        {SGE(Undefined, 1, 4, 1), 0, 0, 0, "SGE_TASK_ID is 'Undefined': not a number"},
        {SGE(3, 1, undefined, 1), 0, 0, 0, "SGE_TASK_LAST is 'undefined': not a number"},
        {"SGE_TASK_ID=3", 0, 0, 0, "SGE_TASK_ID is set but SGE_TASK_FIRST is not: give --replica K --replicas N"},
        {SGE(5, 1, 4, 1), 0, 0, 0,
         "SGE_TASK_ID is '5': not one of 1 to 4 by 1 (SGE_TASK_FIRST, SGE_TASK_LAST, SGE_TASK_STEPSIZE)"},
        {SGE(3, 1, 4, 0), 0, 0, 0,
         "SGE_TASK_ID is '3': not one of 1 to 4 by 0 (SGE_TASK_FIRST, SGE_TASK_LAST, SGE_TASK_STEPSIZE)"},
        {SGE(3, 1, 4, 1), 2, 0, 0, "2 of 4 by --replica and SGE_TASK_LAST"},
    };
    CHECK_ROWS(rows);
}

static void test_pbs(void)
{
    static const struct row rows[] = {
        {"PBS_ARRAY_INDEX=3", 0, 0, 0, NO_BASE(PBS_ARRAY_INDEX, 3, "PBS")},
        {"PBS_ARRAY_INDEX=3", 0, 10, 0, NO_BASE(PBS_ARRAY_INDEX, 3, "PBS")},
        {"PBS_ARRAY_INDEX=3", 0, 0, 10, NO_BASE(PBS_ARRAY_INDEX, 3, "PBS")},
        {"PBS_ARRAY_INDEX=3", 3, 10, 0, "3 of 10 by --replica and --replicas"},
        {"PBS_ARRAY_INDEX=3", 3, 0, 10, "3 of 10 by --replica and the plan"},
        {"PBS_ARRAY_INDEX=3 REPLICA_ID=4 REPLICA_COUNT=10", 0, 0, 0, "4 of 10 by REPLICA_ID and REPLICA_COUNT"},
        {"PBS_ARRAYID=3", 0, 0, 0, NO_BASE(PBS_ARRAYID, 3, "Torque")},
        {"PBS_ARRAYID=0", 1, 2, 0, "1 of 2 by --replica and --replicas"},
        {"PBS_JOBID=5.host PBS_NODENUM=0 PBS_TASKNUM=1", 0, 0, 0, NOTHING_NOTE},
    };
    CHECK_ROWS(rows);
}

static void test_lsf(void)
{
    static const struct row rows[] = {
        {LSF(1, 4, 1), 0, 0, 0, "1 of 4 by LSB_JOBINDEX " LSF_NOTE},
        {LSF(4, 4, 1), 0, 0, 4, "4 of 4 by LSB_JOBINDEX " LSF_NOTE},
        {LSF(5, 9, 4), 0, 0, 0, "2 of 3 by LSB_JOBINDEX " LSF_NOTE},
        {"LSB_JOBINDEX=2 LSB_JOBINDEX_END=4", 0, 0, 0, "2 of 4 by LSB_JOBINDEX " LSF_NOTE},
        {LSF(6, 10, 4), 0, 0, 0,
         "LSB_JOBINDEX is '6': not one of 1 to 10 by 4 (LSB_JOBINDEX_END, LSB_JOBINDEX_STEP): give --replica K "
         "--replicas N"},
        {LSF(6, 10, 4), 2, 3, 0, "2 of 3 by --replica and --replicas"},
        {LSF(6, 10, 0), 0, 0, 0,
         "LSB_JOBINDEX is '6': not one of 1 to 10 by 0 (LSB_JOBINDEX_END, LSB_JOBINDEX_STEP): give --replica K "
         "--replicas N"},
        {"LSB_JOBINDEX=3", 0, 0, 0,
         "LSB_JOBINDEX is set but LSF does not say how many replicas there are: give --replicas N"},
        {"LSB_JOBINDEX=3", 0, 5, 0, "3 of 5 by LSB_JOBINDEX and --replicas"},
        {"LSB_JOBINDEX=00", 0, 5, 0, "LSB_JOBINDEX is '0': LSF counts from 1"},
        {"LSB_JOBINDEX=0", 0, 0, 0, NOTHING_NOTE}, /* a job without an array */
        {LSF(0, 0, 0), 0, 0, 0, NOTHING_NOTE},
        {"LSB_JOBINDEX=0", 0, 0, 4, "no replica number here"},
        {"LSB_JOBINDEX=0 OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2", 0, 0, 0, "2 of 2 by OMPI_COMM_WORLD_RANK"},
    };
    CHECK_ROWS(rows);
}

static void test_aws_batch(void)
{
    static const struct row rows[] = {
        {AWS(0, 3), 0, 0, 0, "1 of 3 by AWS_BATCH_JOB_ARRAY_INDEX"},
        {AWS(2, 3) " AWS_BATCH_JOB_ATTEMPT=1", 0, 0, 0, "3 of 3 by AWS_BATCH_JOB_ARRAY_INDEX"},
        {AWS(2, 3) " AWS_BATCH_JOB_ATTEMPT=4", 0, 0, 0, "3 of 3 by AWS_BATCH_JOB_ARRAY_INDEX"},
        {"AWS_BATCH_JOB_ARRAY_INDEX=2", 0, 0, 0,
         "AWS_BATCH_JOB_ARRAY_INDEX is set but AWS Batch does not say how many replicas there are: give --replicas N"},
        {"AWS_BATCH_JOB_ID=1 AWS_BATCH_JOB_ATTEMPT=1", 0, 0, 0, NOTHING_NOTE},
    };
    CHECK_ROWS(rows);
}

static void test_requeued(void)
{
    static const struct row rows[] = {
        {ARRAY(2, 4, 0, 3, 1) " SLURM_RESTART_COUNT=1", 0, 0, 0, "3 of 4 by SLURM_ARRAY_TASK_ID"},
        {STEP(2, 4) " SLURM_RESTART_COUNT=2", 0, 0, 0, "3 of 4 by SLURM_PROCID"},
    };
    CHECK_ROWS(rows);
}

/* Processes that something starts within each element of an array are numbered on through the elements. */
static void test_within_arrays(void)
{
    static const struct row rows[] = {
        {"PMI_RANK=1 PMI_SIZE=2 " STEP(1, 2) " " ARRAY(6, 3, 2, 10, 4), 0, 0, 0,
         "4 of 6 by SLURM_ARRAY_TASK_ID and PMI_RANK"}, /* srun --mpi=pmi2 */
        {"PMI_RANK=1 PMI_SIZE=2 " SGE(3, 1, 4, 1), 0, 0, 0, "6 of 8 by SGE_TASK_ID and PMI_RANK"},
        {"OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2 " AWS(1, 3), 0, 0, 0,
         "3 of 6 by AWS_BATCH_JOB_ARRAY_INDEX and OMPI_COMM_WORLD_RANK"},
        {"OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2 " LSF(2, 3, 1), 0, 0, 0,
         "3 of 6 by LSB_JOBINDEX and OMPI_COMM_WORLD_RANK " LSF_NOTE},
        {"OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2 PBS_ARRAY_INDEX=3", 0, 0, 0,
         NO_BASE(PBS_ARRAY_INDEX, 3, "PBS")},
        {"PMI_RANK=1 " SGE(3, 1, 4, 1), 0, 0, 0,
         "PMI_RANK is set but PMI does not say how many there are in each element of the SGE array: give --replica K "
         "--replicas N"},
        {"OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 JOB_COMPLETION_INDEX=3", 0, 0, 0,
         "2 of 2 by OMPI_COMM_WORLD_RANK " UNHEARD_NOTE}, /* one launcher over all pods, or one in each */
        {"OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 JOB_COMPLETION_INDEX=3", 4, 6, 0,
         "4 of 6 by --replica and --replicas"},
    };
    CHECK_ROWS(rows);
}

static void test_two_arrays(void)
{
    static const struct row rows[] = {
        {ARRAY(2, 4, 0, 3, 1) " " SGE(1, 1, 4, 1), 0, 0, 0,
         "SLURM_ARRAY_TASK_ID and SGE_TASK_ID are both set: which of them counts, --launcher slurm or sge?"},
        {ARRAY(2, 4, 0, 3, 1) " " SGE(3, 1, 4, 1), 0, 0, 0, "3 of 4 by SLURM_ARRAY_TASK_ID"}, /* they say the same */
        {ARRAY(2, 4, 0, 3, 1) " " SGE(1, 1, 4, 1), 3, 4, 0, "3 of 4 by --replica and --replicas"},
        {ARRAY(2, 4, 0, 3, 1) " " SGE(1, 1, 4, 1) " ASK=sge", 0, 0, 0, "1 of 4 by SGE_TASK_ID"},
        {ARRAY(2, 4, 0, 3, 1) " " SGE(undefined, undefined, undefined, undefined), 0, 0, 0,
         "3 of 4 by SLURM_ARRAY_TASK_ID"},
        {ARRAY(2, 4, 0, 3, 1) " PBS_ARRAYID=3", 0, 0, 0,
         "SLURM_ARRAY_TASK_ID and PBS_ARRAYID are both set: which of them counts, --launcher slurm or torque?"},
        {"REPLICA_ID=1 REPLICA_COUNT=2 " ARRAY(2, 4, 0, 3, 1) " " SGE(1, 1, 4, 1), 0, 0, 0,
         "1 of 2 by REPLICA_ID and REPLICA_COUNT"},
    };
    CHECK_ROWS(rows);
}

static void test_asked(void)
{
    static const struct row rows[] = {
        {"RANK=3 WORLD_SIZE=4 ASK=torchrun", 0, 0, 0, "4 of 4 by RANK"},
        {"RANK=3 WORLD_SIZE=4", 0, 0, 0, NOTHING_NOTE},
        {"RANK=3 LOCAL_RANK=0 ASK=torchrun", 0, 0, 0,
         "RANK is set but torchrun does not say how many replicas there are: give --replicas N"},
        {"RANK=3 WORLD_SIZE=4 REPLICA_ID=1 REPLICA_COUNT=2 " STEP(0, 2) " ASK=torchrun", 0, 0, 0, "4 of 4 by RANK"},
        {"RANK=3 WORLD_SIZE=4 ASK=torchrun", 2, 0, 0, "2 of 4 by --replica and WORLD_SIZE"},
        {STEP(1, 2) " " ARRAY(6, 3, 2, 10, 4) " ASK=slurm", 0, 0, 0, "2 of 3 by SLURM_ARRAY_TASK_ID"},
        {STEP(1, 2) " " ARRAY(6, 3, 2, 10, 4) " ASK=srun", 0, 0, 0, "2 of 2 by SLURM_PROCID"},
        {"REPLICA_ID=1 REPLICA_COUNT=2 ASK=torchrun", 0, 0, 0, "--launcher torchrun, but RANK is not set"},
        {BATCH " ASK=srun", 0, 0, 0, "--launcher srun, but SLURM_STEP_ID is not set"},
        {"SGE_TASK_ID=undefined ASK=sge", 0, 0, 0,
         "--launcher sge, but SGE_TASK_ID is 'undefined': it has no number for this process"},
        {"ASK=condor", 0, 0, 0,
         "--launcher needs one of torchrun, openmpi, pmi, flux, srun, flux-cc, slurm, sge, pbs, torque, lsf, "
         "aws-batch, kubernetes, not 'condor'"},
    };
    CHECK_ROWS(rows);
}

static void test_precedence(void)
{
    static const struct row rows[] = {
        {"OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 " STEP(3, 4), 0, 0, 0, "2 of 2 by OMPI_COMM_WORLD_RANK"},
        {"OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2 " STEP(3, 4) " " ARRAY(1, 4, 0, 3, 1), 0, 0, 0,
         "4 of 8 by SLURM_ARRAY_TASK_ID and OMPI_COMM_WORLD_RANK"},
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
        {"SLURM_ARRAY_TASK_ID=1", 0, 0, 0,
         "SLURM_ARRAY_TASK_ID is set but SLURM_ARRAY_TASK_MIN is not: give --replica K --replicas N"},
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

#define TAKE_WORD(word) ", " word

/* The words that completion offers are those of the table, in its order. */
static void test_words(void)
{
    static const char words[] = CFSPLIT_LAUNCHER_LIST(TAKE_WORD);
    struct cfsplit_identity_options options = {.size = sizeof options, .launcher = "nobody"};
    struct cfsplit_identity who;
    struct cfsplit_error err;
    char wanted[512];
    snprintf(wanted, sizeof wanted, "--launcher needs one of %s, not 'nobody'", words + strlen(", "));
    environment = "";
    CHECK_EQUAL(cfsplit_identity_find(&options, lookup, &who, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, wanted);
}

static void test_other_version(void)
{
    struct cfsplit_identity_options options[] = {
        {.size = sizeof options[0] - 8, .id = 1, .count = 1},
        {.size = 0, .id = 1, .count = 1},
        {.size = sizeof options[0], .id = 1, .count = 1, .reserved_ = {0, 0, 1}}};
    struct cfsplit_identity who;
    struct cfsplit_error err;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        CHECK_EQUAL(cfsplit_identity_find(&options[i], lookup, &who, &err), CFSPLIT_USAGE);
        CHECK_TEXT(err.message, "cfsplit_identity_options of another version of the library");
    }
}

static const struct check_case cases[] = {
    {"every launcher of the table is understood", test_launchers},
    {"PMI and Flux, whose --cc makes many jobs of one task", test_pmi_and_flux},
    {"SGE, which says undefined where there is no array", test_sge},
    {"PBS and Torque tell a number, not what it counts from", test_pbs},
    {"LSF, where 0 is no array and the end is all that is told", test_lsf},
    {"AWS Batch, whatever attempt it is", test_aws_batch},
    {"what is requeued stays who it was", test_requeued},
    {"processes within an array are numbered on through its elements", test_within_arrays},
    {"two arrays that say different things are an error", test_two_arrays},
    {"a launcher that is asked for is the only one that is asked", test_asked},
    {"options, then REPLICA_*, then the innermost launcher, half by half", test_precedence},
    {"REPLICA_* win over a launcher that says otherwise, with a note", test_disagreement},
    {"with nothing set it is 1 of 1, unless a plan wants more", test_nothing},
    {"one half alone is an error that says what to give", test_one_half},
    {"a value that is no replica number is named with its variable", test_bad_values},
    {"a Slurm array with gaps leaves the number open", test_array_with_gaps},
    {"the list of launchers' words is that of the table", test_words},
    {"options of another version are refused", test_other_version},
};

int main(void)
{
    return check_main("who a replica is", cases, sizeof cases / sizeof cases[0]);
}
