/* canfar-split whoami: this replica's number and count, and what said so. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "look.h"

/* The variables that were asked for and are set, each once, in that order. */
static struct asked {
    const char *names[48];
    size_t count;
} asked;

/* getenv, which remembers. */
static char *remember(const char *name)
{
    char *value = getenv(name);
    for (size_t i = 0; value && i < asked.count; i++)
        if (strcmp(asked.names[i], name) == 0)
            return value;
    if (value && asked.count < sizeof asked.names / sizeof asked.names[0])
        asked.names[asked.count++] = name;
    return value;
}

static void print_json(const struct cfsplit_identity *me)
{
    json_t *root = json_object(), *variables = json_object();
    json_object_set_new(root, "id", json_integer(me->id));
    json_object_set_new(root, "count", json_integer(me->count));
    json_object_set_new(root, "source", json_string(me->source));
    json_object_set_new(root, "note", json_string(me->note));
    for (size_t i = 0; i < asked.count; i++)
        json_object_set_new(variables, asked.names[i], look_json_name(getenv(asked.names[i])));
    json_object_set_new(root, "variables", variables);
    look_print_json(root);
}

static void print_text(const struct cfsplit_identity *me)
{
    printf("replica %" PRIu32 " of %" PRIu32 ", by %s\n", me->id, me->count, me->source);
    for (size_t i = 0; i < asked.count; i++)
        printf("  %s=%s\n", asked.names[i], getenv(asked.names[i]));
}

static int run_whoami(const struct command *command, struct settings *s)
{
    struct cfsplit_error err = {0};
    struct cfsplit_identity me;
    cfsplit_status status = CFSPLIT_OK;
    if (s->source_count > 0)
        status = tool_fail(&err, CFSPLIT_USAGE, "%s: what is %s? it takes no arguments", command->name,
                           cfsplit_quote(s->sources[0].text).text);
    if (status == CFSPLIT_OK)
        status = tool_identity_by(s, NULL, remember, &me, &err);
    if (status != CFSPLIT_OK)
        return tool_exit(&err);
    if (s->json)
        print_json(&me);
    else
        print_text(&me);
    return 0;
}

const struct command command_whoami = {
    .name = "whoami",
    .bit = WHOAMI,
    .usage = "[--replica K/N] [--launcher WORD] [--json]",
    .summary = "which replica this is, of how many, and what said so",
    .text = "By --replica and --replicas, else REPLICA_ID and REPLICA_COUNT, else the launcher: Open MPI, PMI (MPICH, "
            "Intel "
            "MPI),\n"
            "Flux, Slurm (srun, arrays), SGE, PBS, Torque, LSF, AWS Batch, Kubernetes. The variables below the answer "
            "are those "
            "of\n"
            "them that are set. --launcher asks one alone: openmpi, pmi, flux, srun, flux-cc, slurm, sge, pbs, torque, "
            "lsf,\n"
            "aws-batch, kubernetes, or torchrun, whose RANK and WORLD_SIZE mean something only then.",
    .run = run_whoami,
};
