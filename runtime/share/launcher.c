#include "share/launcher.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cfsplit/share.h>

#include "base/error.h"
#include "base/text.h"

#define NUMBER_MAX UINT64_C(4294967295) /* of any variable here: products of two fit 64 bits */

/* Innermost first. The sources: mpirun(1), the PMI of MPICH's Hydra, flux-environment(7), srun(1), sbatch(1) "JOB ARRAY",
 * sge_submit(1), qsub(1B) of PBS and of Torque, LSF's "Environment variables set for job execution", AWS Batch's "Job environment
 * variables", the Indexed Job of Kubernetes, torchrun's "Environment Variables". A Slurm batch script has SLURM_PROCID and
 * SLURM_NTASKS too: only within a step, which has a number, do they mean anything. */
static const struct csi_launcher table[] = {
    {.word = "torchrun",
     .name = "torchrun",
     .place = CSI_WITHIN,
     .when_asked = true,
     .id = "RANK",
     .count = {"WORLD_SIZE"}},
    {.word = "openmpi",
     .name = "Open MPI",
     .place = CSI_WITHIN,
     .id = "OMPI_COMM_WORLD_RANK",
     .count = {"OMPI_COMM_WORLD_SIZE"}},
    {.word = "pmi", .name = "PMI", .place = CSI_WITHIN, .id = "PMI_RANK", .count = {"PMI_SIZE"}},
    {.word = "flux", .name = "Flux", .place = CSI_WITHIN, .id = "FLUX_TASK_RANK", .count = {"FLUX_JOB_SIZE"}},
    {.word = "srun",
     .name = "srun",
     .place = CSI_WITHIN,
     .sign = {"SLURM_STEP_ID", "SLURM_STEPID"},
     .id = "SLURM_PROCID",
     .count = {"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"}},
    {.word = "flux-cc", .name = "Flux --cc", .place = CSI_ARRAY, .id = "FLUX_JOB_CC", .numbers = CSI_FROM_ANYWHERE},
    {.word = "slurm",
     .name = "Slurm array",
     .place = CSI_ARRAY,
     .id = "SLURM_ARRAY_TASK_ID",
     .numbers = CSI_FROM_VARIABLE,
     .first = "SLURM_ARRAY_TASK_MIN",
     .last = "SLURM_ARRAY_TASK_MAX",
     .step = "SLURM_ARRAY_TASK_STEP",
     .last_is_sure = true,
     .count = {"SLURM_ARRAY_TASK_COUNT"}},
    {.word = "sge",
     .name = "SGE array",
     .place = CSI_ARRAY,
     .id = "SGE_TASK_ID",
     .absent = "undefined",
     .numbers = CSI_FROM_VARIABLE,
     .first = "SGE_TASK_FIRST",
     .last = "SGE_TASK_LAST",
     .step = "SGE_TASK_STEPSIZE",
     .last_is_sure = true},
    {.word = "pbs", .name = "PBS", .place = CSI_ARRAY, .id = "PBS_ARRAY_INDEX", .numbers = CSI_FROM_ANYWHERE},
    {.word = "torque", .name = "Torque", .place = CSI_ARRAY, .id = "PBS_ARRAYID", .numbers = CSI_FROM_ANYWHERE},
    {.word = "lsf",
     .name = "LSF",
     .place = CSI_ARRAY,
     .id = "LSB_JOBINDEX",
     .absent = "0",
     .numbers = CSI_FROM_1,
     .last = "LSB_JOBINDEX_END",
     .step = "LSB_JOBINDEX_STEP"},
    {.word = "aws-batch",
     .name = "AWS Batch",
     .place = CSI_ARRAY,
     .id = "AWS_BATCH_JOB_ARRAY_INDEX",
     .count = {"AWS_BATCH_JOB_ARRAY_SIZE"}},
    {.word = "kubernetes", .name = "Kubernetes", .place = CSI_OUTERMOST, .id = "JOB_COMPLETION_INDEX"},
};
enum { table_count = sizeof table / sizeof table[0] };

cfsplit_status csi_launcher_number(const char *name, csi_lookup lookup, uint64_t *out, struct cfsplit_error *err)
{
    const char *value = lookup(name);
    size_t length = value ? strlen(value) : 0;
    if (!value)
        return csi_fail(err, CFSPLIT_USAGE, "%s is not set", name);
    if (length == 0 || strspn(value, "0123456789") != length)
        return csi_fail(err, CFSPLIT_USAGE, "%s is %s: not a number", name, csi_quote(value).text);
    if (!csi_text_u64(value, length, out) || *out > NUMBER_MAX)
        return csi_fail(err, CFSPLIT_USAGE, "%s is %s: there can be 1 to %u replicas", name, csi_quote(value).text,
                        CFSPLIT_REPLICAS_MAX);
    return CFSPLIT_OK;
}

/* ---- which of them are there */

static bool has_sign(const struct csi_launcher *launcher, csi_lookup lookup)
{
    uint64_t number;
    for (size_t i = 0; i < 2 && launcher->sign[i]; i++)
        if (csi_launcher_number(launcher->sign[i], lookup, &number, NULL) == CFSPLIT_OK)
            return true;
    return !launcher->sign[0];
}

static bool is_there(const struct csi_launcher *launcher, csi_lookup lookup)
{
    const char *value = lookup(launcher->id);
    return value && (!launcher->absent || strcmp(value, launcher->absent) != 0) && has_sign(launcher, lookup);
}

static cfsplit_status fail_asked(const struct csi_launcher *launcher, csi_lookup lookup, struct cfsplit_error *err)
{
    const char *value = lookup(launcher->id);
    if (value && has_sign(launcher, lookup))
        return csi_fail(err, CFSPLIT_USAGE, "--launcher %s, but %s is %s: it has no number for this process",
                        launcher->word, launcher->id, csi_quote(value).text);
    return csi_fail(err, CFSPLIT_USAGE, "--launcher %s, but %s is not set", launcher->word,
                    value ? launcher->sign[0] : launcher->id);
}

static cfsplit_status fail_word(const char *word, struct cfsplit_error *err)
{
    char words[256] = "";
    for (size_t i = 0, used = 0; i < table_count; i++)
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", i ? ", " : "", table[i].word);
    return csi_fail(err, CFSPLIT_USAGE, "--launcher needs one of %s, not %s", words, csi_quote(word).text);
}

static cfsplit_status find_asked(const char *word, csi_lookup lookup, struct csi_launchers *out,
                                 struct cfsplit_error *err)
{
    for (size_t i = 0; i < table_count; i++) {
        if (strcmp(table[i].word, word) != 0)
            continue;
        out->within = &table[i];
        return is_there(&table[i], lookup) ? CFSPLIT_OK : fail_asked(&table[i], lookup, err);
    }
    return fail_word(word, err);
}

cfsplit_status csi_launchers_find(const char *word, csi_lookup lookup, struct csi_launchers *out,
                                  struct cfsplit_error *err)
{
    *out = (struct csi_launchers){0};
    if (word)
        return find_asked(word, lookup, out, err);
    for (size_t i = 0; i < table_count; i++) {
        const struct csi_launcher *launcher = &table[i];
        if (launcher->when_asked || !is_there(launcher, lookup))
            continue;
        if (launcher->place == CSI_WITHIN && !out->within)
            out->within = launcher;
        else if (launcher->place == CSI_ARRAY && out->array && !out->rival)
            out->rival = launcher;
        else if (launcher->place == CSI_ARRAY && !out->array)
            out->array = launcher;
        else if (launcher->place == CSI_OUTERMOST && !out->within && !out->array)
            out->array = launcher;
        else if (launcher->place == CSI_OUTERMOST && out->within)
            out->unheard = launcher;
    }
    return CFSPLIT_OK;
}

const struct csi_launcher *csi_launchers_inner(const struct csi_launchers *launchers)
{
    return launchers->within ? launchers->within : launchers->array;
}

/* ---- what one of them says */

const char *csi_launcher_count_variable(const struct csi_launcher *launcher, csi_lookup lookup)
{
    const char *const *count = launcher->count;
    if (count[1] && !lookup(count[0]) && lookup(count[1]))
        return count[1];
    return count[0] ? count[0] : launcher->last;
}

/* The numbers of an array. */
struct series {
    uint64_t first, last, step;
};

/* One of the variables that tell where an array begins and ends. */
static cfsplit_status read_bound(const struct csi_launcher *launcher, const char *name, csi_lookup lookup,
                                 uint64_t *out, struct cfsplit_error *err)
{
    if (!lookup(name))
        return csi_fail(err, CFSPLIT_USAGE, "%s is set but %s is not: give --replica K --replicas N", launcher->id,
                        name);
    return csi_launcher_number(name, lookup, out, err);
}

static cfsplit_status read_series(const struct csi_launcher *launcher, csi_lookup lookup, struct series *out,
                                  struct cfsplit_error *err)
{
    *out = (struct series){.first = launcher->numbers == CSI_FROM_1, .step = 1};
    cfsplit_status status = CFSPLIT_OK;
    if (launcher->first)
        status = read_bound(launcher, launcher->first, lookup, &out->first, err);
    if (status == CFSPLIT_OK)
        status = read_bound(launcher, launcher->last, lookup, &out->last, err);
    if (status == CFSPLIT_OK && lookup(launcher->step))
        status = csi_launcher_number(launcher->step, lookup, &out->step, err);
    return status;
}

static bool has_series(const struct csi_launcher *launcher, csi_lookup lookup)
{
    return launcher->last && (launcher->last_is_sure || lookup(launcher->last));
}

static uint64_t length_of(const struct series *s)
{
    return s->step == 0 || s->last < s->first ? 0 : (s->last - s->first) / s->step + 1;
}

/* How many this launcher itself started, 0 if it does not tell. */
static cfsplit_status own_count(const struct csi_launcher *launcher, csi_lookup lookup, uint64_t *out,
                                struct cfsplit_error *err)
{
    const char *name = csi_launcher_count_variable(launcher, lookup);
    struct series series;
    cfsplit_status status;
    *out = 0;
    if (!launcher->count[0] && has_series(launcher, lookup)) {
        status = read_series(launcher, lookup, &series, err);
        if (status == CFSPLIT_OK)
            *out = length_of(&series);
        return status;
    }
    if (!name || !lookup(name))
        return CFSPLIT_OK;
    status = csi_launcher_number(name, lookup, out, err);
    if (status == CFSPLIT_OK && *out == 0)
        return csi_fail(err, CFSPLIT_USAGE, "%s is '0': there is at least one replica", name);
    return status;
}

static cfsplit_status fail_place(const struct csi_launcher *launcher, uint64_t id, const struct series *s,
                                 struct cfsplit_error *err)
{
    return csi_fail(err, CFSPLIT_USAGE,
                    "%s is '%" PRIu64 "': not one of %" PRIu64 " to %" PRIu64 " by %" PRIu64 " (%s%s%s, %s)%s",
                    launcher->id, id, s->first, s->last, s->step, launcher->first ? launcher->first : "",
                    launcher->first ? ", " : "", launcher->last, launcher->step,
                    launcher->last_is_sure ? "" : ": give --replica K --replicas N");
}

/* The place of `id` among first, first + step, ..., last, from 0; an error if these are not all and only the numbers. */
static cfsplit_status place_in_series(const struct csi_launcher *launcher, csi_lookup lookup, uint64_t id,
                                      uint64_t *out, struct cfsplit_error *err)
{
    struct series s;
    uint64_t count;
    cfsplit_status status = read_series(launcher, lookup, &s, err);
    if (status == CFSPLIT_OK)
        status = own_count(launcher, lookup, &count, err);
    if (status != CFSPLIT_OK)
        return status;
    if (length_of(&s) == 0 || id < s.first || id > s.last || (id - s.first) % s.step != 0)
        return fail_place(launcher, id, &s, err);
    if (count != 0 && count != length_of(&s))
        return csi_fail(err, CFSPLIT_USAGE,
                        "%s is '%" PRIu64 "', but the array has gaps (%" PRIu64 " elements from %" PRIu64 " to %" PRIu64
                        "): give --replica K --replicas N",
                        launcher->id, id, count, s.first, s.last);
    *out = (id - s.first) / s.step;
    return CFSPLIT_OK;
}

/* The number among those this launcher itself started, from 0. */
static cfsplit_status own_place(const struct csi_launcher *launcher, csi_lookup lookup, uint64_t *out,
                                struct cfsplit_error *err)
{
    cfsplit_status status = csi_launcher_number(launcher->id, lookup, out, err);
    if (status != CFSPLIT_OK)
        return status;
    if (launcher->numbers == CSI_FROM_ANYWHERE)
        return csi_fail(err, CFSPLIT_USAGE,
                        "%s is '%" PRIu64 "', but %s does not say where its numbers begin and end: give --replica K "
                        "--replicas N",
                        launcher->id, *out, launcher->name);
    if (has_series(launcher, lookup))
        return place_in_series(launcher, lookup, *out, out, err);
    if (launcher->numbers == CSI_FROM_1 && (*out)-- == 0)
        return csi_fail(err, CFSPLIT_USAGE, "%s is '0': %s counts from 1", launcher->id, launcher->name);
    return CFSPLIT_OK;
}

/* ---- what they say together */

/* Two arrays, one perhaps only inherited from where the other was submitted: no matter, if they say the same. */
static cfsplit_status check_rival(const struct csi_launchers *launchers, csi_lookup lookup, struct cfsplit_error *err)
{
    const struct csi_launcher *one = launchers->array, *other = launchers->rival;
    uint64_t place = 0, other_place = 0, count = 0, other_count = 0;
    if (!other)
        return CFSPLIT_OK;
    if (own_place(one, lookup, &place, NULL) == CFSPLIT_OK &&
        own_place(other, lookup, &other_place, NULL) == CFSPLIT_OK && place == other_place &&
        own_count(one, lookup, &count, NULL) == CFSPLIT_OK &&
        own_count(other, lookup, &other_count, NULL) == CFSPLIT_OK && count == other_count)
        return CFSPLIT_OK;
    return csi_fail(err, CFSPLIT_USAGE, "%s and %s are both set: which of them counts, --launcher %s or %s?", one->id,
                    other->id, one->word, other->word);
}

/* The array around the processes of another launcher, or NULL. */
static const struct csi_launcher *around_of(const struct csi_launchers *launchers)
{
    return launchers->within ? launchers->array : NULL;
}

static cfsplit_status place_within(const struct csi_launchers *launchers, csi_lookup lookup, uint64_t *place,
                                   struct cfsplit_error *err)
{
    const struct csi_launcher *within = launchers->within;
    uint64_t outer = 0, count = 0;
    cfsplit_status status = own_place(launchers->array, lookup, &outer, err);
    if (status == CFSPLIT_OK)
        status = own_count(within, lookup, &count, err);
    if (status != CFSPLIT_OK)
        return status;
    if (count == 0)
        return csi_fail(err, CFSPLIT_USAGE,
                        "%s is set but %s does not say how many there are in each element of the %s: give --replica K "
                        "--replicas N",
                        within->id, within->name, launchers->array->name);
    if (*place >= count)
        return csi_fail(err, CFSPLIT_USAGE, "%s is '%" PRIu64 "', but %s says there are %" PRIu64, within->id, *place,
                        csi_launcher_count_variable(within, lookup), count);
    *place += outer * count;
    return CFSPLIT_OK;
}

cfsplit_status csi_launchers_id(const struct csi_launchers *launchers, csi_lookup lookup, uint64_t *out,
                                struct cfsplit_error *err)
{
    uint64_t place = 0;
    cfsplit_status status = check_rival(launchers, lookup, err);
    if (status == CFSPLIT_OK)
        status = own_place(csi_launchers_inner(launchers), lookup, &place, err);
    if (status == CFSPLIT_OK && around_of(launchers))
        status = place_within(launchers, lookup, &place, err);
    if (status == CFSPLIT_OK)
        *out = place + 1;
    return status;
}

cfsplit_status csi_launchers_count(const struct csi_launchers *launchers, csi_lookup lookup, uint64_t *out,
                                   struct cfsplit_error *err)
{
    uint64_t outer = 1;
    cfsplit_status status = check_rival(launchers, lookup, err);
    if (status == CFSPLIT_OK)
        status = own_count(csi_launchers_inner(launchers), lookup, out, err);
    if (status == CFSPLIT_OK && around_of(launchers))
        status = own_count(around_of(launchers), lookup, &outer, err);
    if (status == CFSPLIT_OK)
        *out *= outer;
    return status;
}
