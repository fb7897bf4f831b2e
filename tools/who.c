#include <inttypes.h>
#include <stdlib.h>

#include "tool.h"

/* --replica K/N and --replicas N are one number, said in two places. */
static cfsplit_status count_option(const struct settings *s, uint64_t *out, struct cfsplit_error *err)
{
    *out = s->identity.count;
    if (s->replicas == CFSPLIT_UNSET)
        return CFSPLIT_OK;
    if (s->replicas < 1 || s->replicas > CFSPLIT_REPLICAS_MAX)
        return tool_fail(err, CFSPLIT_USAGE, "--replicas is '%" PRIu64 "': there can be 1 to %u replicas", s->replicas,
                         CFSPLIT_REPLICAS_MAX);
    if (*out && *out != s->replicas)
        return tool_fail(err, CFSPLIT_USAGE, "--replica says %" PRIu64 " replicas, --replicas says %" PRIu64, *out,
                         s->replicas);
    *out = s->replicas;
    return CFSPLIT_OK;
}

cfsplit_status tool_identity_by(const struct settings *s, const struct cfsplit_run *run,
                                char *(*lookup)(const char *name), struct cfsplit_identity *out,
                                struct cfsplit_error *err)
{
    struct cfsplit_identity_options options = {.size = sizeof options, .id = s->identity.id, .launcher = s->launcher};
    cfsplit_status status = count_option(s, &options.count, err);
    if (status == CFSPLIT_OK)
        status = run ? cfsplit_run_identity(run, &options, lookup, out, err)
                     : cfsplit_identity_find(&options, lookup, out, err);
    if (status == CFSPLIT_OK && out->note[0])
        tool_say("%s", out->note);
    return status;
}

cfsplit_status tool_identity(const struct settings *s, const struct cfsplit_run *run, struct cfsplit_identity *out,
                             struct cfsplit_error *err)
{
    return tool_identity_by(s, run, getenv, out, err);
}
