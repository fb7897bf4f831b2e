/* launch --on slurm --check: a job script for sbatch, an array with one task a replica. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "launch.h"

static cfsplit_status check_name(const char *name, struct cfsplit_error *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    if (*name && name[strspn(name, letters)] == '\0')
        return CFSPLIT_OK;
    return tool_fail(err, CFSPLIT_USAGE, "--name needs letters, digits, '-', '_' and '.', not %s",
                     cfsplit_quote(name).text);
}

/* The array counts from 1, as replicas do, and the count is the plan's: a single task that is submitted again stays what it
 * was. Two minutes before the time limit Slurm says USR1: what runs may end, nothing is begun. */
static void print_script(const struct launching *what, const struct words *w)
{
    const struct settings *s = what->s;
    printf("#!/bin/bash\n#SBATCH --array=1-%" PRIu32 "\n#SBATCH --ntasks=1\n", what->count);
    if (s->name)
        printf("#SBATCH --job-name=%s\n", s->name);
    if (s->cpus != CFSPLIT_UNSET)
        printf("#SBATCH --cpus-per-task=%" PRIu64 "\n", s->cpus);
    if (s->memory_bytes != CFSPLIT_UNSET)
        printf("#SBATCH --mem=%" PRIu64 "K\n", (s->memory_bytes + 1023) / 1024);
    printf("#SBATCH --signal=B:USR1@120\n#SBATCH --open-mode=append\n");
    if (!what->spares)
        printf("export REPLICA_ID=$SLURM_ARRAY_TASK_ID REPLICA_COUNT=%" PRIu32 "\n", what->count);
    printf("exec ");
    words_print(w, stdout);
}

static cfsplit_status start(const struct launching *what, int *code, struct cfsplit_error *err)
{
    struct words w = {0};
    struct tool_word path = tool_word(cfsplit_run_facts(what->run)->path);
    *code = 0;
    if (!what->s->check)
        return tool_fail(err, CFSPLIT_USAGE,
                         "launch --on slurm only prints the job script: canfar-split launch %s%s --on slurm --check | "
                         "sbatch",
                         path.text, what->spares ? " --missing" : "");
    cfsplit_status status = what->s->name ? check_name(what->s->name, err) : CFSPLIT_OK;
    if (status == CFSPLIT_OK)
        status = launch_add_run(what, &w, err);
    if (status == CFSPLIT_OK)
        print_script(what, &w);
    words_release(&w);
    return status;
}

const struct engine engine_slurm = {.word = "slurm", .takes = TAKES_NAME | TAKES_SIZE, .start = start};
