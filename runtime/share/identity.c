#include <cfsplit/identity.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cfsplit/share.h>

#include "base/error.h"
#include "share/launcher.h"

/* One half of an identity and where it was found. */
struct half {
    uint64_t value; /* 0: not found */
    const char *source;
    bool by_launcher;
};

/* What is asked, in the order of precedence; a source that the other half has made unnecessary is never read. */
struct search {
    const struct cfsplit_identity_options *options;
    csi_lookup lookup;
    struct csi_launchers launchers;
    const struct csi_launcher *launcher; /* of them, the one that speaks; NULL: none */
};

static cfsplit_status read_own(const struct search *search, const char *name, const char *what, struct half *half,
                               struct cfsplit_error *err)
{
    if (search->options->launcher || !search->lookup(name))
        return CFSPLIT_OK;
    cfsplit_status status = csi_launcher_number(name, search->lookup, &half->value, err);
    if (status == CFSPLIT_OK && half->value == 0)
        return csi_fail(err, CFSPLIT_USAGE, "%s is '0': %s", name, what);
    half->source = name;
    return status;
}

static cfsplit_status find_id(const struct search *search, struct half *half, struct cfsplit_error *err)
{
    *half = (struct half){.value = search->options->id, .source = "--replica"};
    if (half->value)
        return CFSPLIT_OK;
    cfsplit_status status = read_own(search, "REPLICA_ID", "replica numbers count from 1", half, err);
    if (status != CFSPLIT_OK || half->value || !search->launcher)
        return status;
    half->source = search->launcher->id;
    half->by_launcher = true;
    return csi_launchers_id(&search->launchers, search->lookup, &half->value, err);
}

static cfsplit_status find_count(const struct search *search, struct half *half, struct cfsplit_error *err)
{
    *half = (struct half){.value = search->options->count, .source = "--replicas"};
    if (half->value)
        return CFSPLIT_OK;
    cfsplit_status status = read_own(search, "REPLICA_COUNT", "there is at least one replica", half, err);
    if (status != CFSPLIT_OK || half->value || !search->launcher)
        return status;
    half->source = csi_launcher_count_variable(search->launcher, search->lookup);
    half->by_launcher = true;
    return csi_launchers_count(&search->launchers, search->lookup, &half->value, err);
}

static cfsplit_status find_nothing(const struct cfsplit_identity_options *options, struct cfsplit_identity *out,
                                   struct cfsplit_error *err)
{
    if (options->pinned > 1)
        return csi_fail(err, CFSPLIT_USAGE, "no replica number here");
    *out = (struct cfsplit_identity){
        .id = 1,
        .count = 1,
        .source = "nothing",
        .note = "no replica number in the environment: taking the whole list (1 of 1)",
    };
    return CFSPLIT_OK;
}

static cfsplit_status fail_half(const struct search *search, const struct half *id, const struct half *count,
                                struct cfsplit_error *err)
{
    if (!id->value)
        return csi_fail(err, CFSPLIT_USAGE, "%s is %s but %s is not: give --replica K", count->source,
                        count->source[0] == '-' ? "given" : "set",
                        count->source[0] == '-' ? "--replica" : "REPLICA_ID");
    if (id->by_launcher)
        return csi_fail(err, CFSPLIT_USAGE,
                        "%s is set but %s does not say how many replicas there are: give --replicas N", id->source,
                        search->launcher->name);
    return csi_fail(err, CFSPLIT_USAGE, "%s is %s but %s is not: give --replicas N", id->source,
                    id->source[0] == '-' ? "given" : "set", id->source[0] == '-' ? "--replicas" : "REPLICA_COUNT");
}

static cfsplit_status check(const struct half *id, const struct half *count, struct cfsplit_error *err)
{
    if (count->value > CFSPLIT_REPLICAS_MAX)
        return csi_fail(err, CFSPLIT_USAGE, "%s is '%" PRIu64 "': there can be 1 to %u replicas", count->source,
                        count->value, CFSPLIT_REPLICAS_MAX);
    if (id->value > count->value)
        return csi_fail(err, CFSPLIT_USAGE, "%s says replica %" PRIu64 ", but there are %" PRIu64 " (%s)", id->source,
                        id->value, count->value, count->source);
    return CFSPLIT_OK;
}

/* REPLICA_* have won over a launcher that says otherwise: worth a line. */
static void note_disagreement(const struct search *search, const struct half *id, const struct half *count,
                              struct cfsplit_identity *out)
{
    bool id_is_ours = strcmp(id->source, "REPLICA_ID") == 0,
         count_is_ours = strcmp(count->source, "REPLICA_COUNT") == 0;
    uint64_t other_id, other_count;
    if (!search->launcher || (!id_is_ours && !count_is_ours) ||
        csi_launchers_id(&search->launchers, search->lookup, &other_id, NULL) != CFSPLIT_OK ||
        csi_launchers_count(&search->launchers, search->lookup, &other_count, NULL) != CFSPLIT_OK)
        return;
    bool same_id = !id_is_ours || id->value == other_id;
    bool same_count = !count_is_ours || other_count == 0 || count->value == other_count;
    if (same_id && same_count)
        return;
    char of[32] = "";
    if (other_count)
        snprintf(of, sizeof of, " of %" PRIu64, other_count);
    snprintf(out->note, sizeof out->note, "REPLICA_ID and REPLICA_COUNT win: replica %u of %u, not %" PRIu64 "%s (%s)",
             out->id, out->count, other_id, of, search->launcher->name);
}

/* An array of which only the end is told may have begun later than at 1, or have gaps. */
static void note_guess(const struct search *search, const struct half *id, const struct half *count,
                       struct cfsplit_identity *out)
{
    const struct csi_launcher *array = search->launchers.array ? search->launchers.array : search->launcher;
    if ((!id->by_launcher && !count->by_launcher) || !array->last || array->last_is_sure ||
        !search->lookup(array->last))
        return;
    snprintf(out->note, sizeof out->note,
             "%s does not tell where an array begins or what is left out: taken for all from 1 to %s", array->name,
             array->last);
}

/* An array of one element looks like all there is, and may be one of many that somebody starts again; with --replicas its number
 * is the first of the array that it is in now, not what it was. */
static void note_single(const struct search *search, const struct half *id, const struct half *count,
                        struct cfsplit_identity *out)
{
    const struct csi_launcher *launcher = search->launcher;
    uint64_t told;
    if (!id->by_launcher || launcher->place != CSI_ARRAY ||
        csi_launchers_count(&search->launchers, search->lookup, &told, NULL) != CFSPLIT_OK || told == 0)
        return;
    if (count->by_launcher && told == 1 && !search->options->pinned) /* with a plan the caller compares */
        snprintf(out->note, sizeof out->note, "%s is the only one of its array: taking the whole list (1 of 1)",
                 launcher->id);
    else if (!count->by_launcher && told != count->value)
        snprintf(out->note, sizeof out->note,
                 "%s: number %u of an array of %" PRIu64 " is taken for replica %u of %u (%s); if it is another one: "
                 "--replica K",
                 launcher->id, out->id, told, out->id, out->count, count->source);
}

/* One mpirun over all pods numbers all processes; one in each pod numbers those of each alike, and all pods would do the same. */
static void note_unheard(const struct search *search, const struct half *id, struct cfsplit_identity *out)
{
    const struct csi_launcher *unheard = search->launchers.unheard;
    if (unheard && id->by_launcher)
        snprintf(out->note, sizeof out->note,
                 "%s is set, too, and not counted: if %s numbers the processes of one pod only, give --replica K "
                 "--replicas N",
                 unheard->id, search->launcher->name);
}

static void name_source(const struct search *search, const struct half *id, const struct half *count,
                        struct cfsplit_identity *out)
{
    bool both = id->by_launcher && count->by_launcher;
    if (both && search->launchers.within && search->launchers.array)
        snprintf(out->source, sizeof out->source, "%s and %s", search->launchers.array->id, id->source);
    else if (both)
        snprintf(out->source, sizeof out->source, "%s", id->source);
    else
        snprintf(out->source, sizeof out->source, "%s and %s", id->source, count->source);
}

static cfsplit_status check_options(const struct cfsplit_identity_options *options, struct cfsplit_error *err)
{
    bool of_ours = options->size == sizeof *options;
    for (size_t i = 0; of_ours && i < sizeof options->reserved_ / sizeof options->reserved_[0]; i++)
        of_ours = options->reserved_[i] == 0;
    return of_ours ? CFSPLIT_OK
                   : csi_fail(err, CFSPLIT_USAGE, "cfsplit_identity_options of another version of the library");
}

cfsplit_status cfsplit_identity_find(const struct cfsplit_identity_options *options, char *(*lookup)(const char *name),
                                     struct cfsplit_identity *out, struct cfsplit_error *err)
{
    struct search search = {.options = options, .lookup = lookup};
    struct half id, count;
    cfsplit_status status = check_options(options, err);
    if (status == CFSPLIT_OK)
        status = csi_launchers_find(options->launcher, lookup, &search.launchers, err);
    search.launcher = csi_launchers_inner(&search.launchers);
    if (status == CFSPLIT_OK)
        status = find_id(&search, &id, err);
    if (status == CFSPLIT_OK)
        status = find_count(&search, &count, err);
    if (status != CFSPLIT_OK)
        return status;
    if (!id.value && !count.value)
        return find_nothing(options, out, err);
    if (id.value && !count.value && options->pinned)
        count = (struct half){.value = options->pinned, .source = "the plan"};
    if (!id.value || !count.value)
        return fail_half(&search, &id, &count, err);
    status = check(&id, &count, err);
    if (status != CFSPLIT_OK)
        return status;
    *out = (struct cfsplit_identity){.id = (uint32_t)id.value, .count = (uint32_t)count.value};
    name_source(&search, &id, &count, out);
    note_guess(&search, &id, &count, out);
    note_single(&search, &id, &count, out);
    note_unheard(&search, &id, out);
    note_disagreement(&search, &id, &count, out);
    return CFSPLIT_OK;
}
