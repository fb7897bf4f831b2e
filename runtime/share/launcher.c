#include "share/launcher.h"

#include <inttypes.h>
#include <string.h>

#include <cfsplit/share.h>

#include "base/error.h"
#include "base/text.h"

#define NUMBER_MAX UINT64_C(4294967295) /* of any variable here: products of two fit 64 bits */

/* Innermost first. The sources: srun(1), sbatch(1) "JOB ARRAY", mpirun(1), the Indexed Job of Kubernetes. A Slurm batch
 * script has SLURM_PROCID and SLURM_NTASKS too: only within a step, which has a number, do they mean anything. */
static const struct csi_launcher launchers[] = {
    {.name = "Open MPI", .id = "OMPI_COMM_WORLD_RANK", .count = {"OMPI_COMM_WORLD_SIZE"}},
    {.name = "srun",
     .sign = {"SLURM_STEP_ID", "SLURM_STEPID"},
     .id = "SLURM_PROCID",
     .count = {"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"},
     .around = &launchers[2]},
    {.name = "Slurm array",
     .id = "SLURM_ARRAY_TASK_ID",
     .first = "SLURM_ARRAY_TASK_MIN",
     .last = "SLURM_ARRAY_TASK_MAX",
     .step = "SLURM_ARRAY_TASK_STEP",
     .count = {"SLURM_ARRAY_TASK_COUNT"}},
    {.name = "Kubernetes", .id = "JOB_COMPLETION_INDEX"},
};
enum { launcher_count = sizeof launchers / sizeof launchers[0] };

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

static bool is_there(const struct csi_launcher *launcher, csi_lookup lookup)
{
    uint64_t number;
    if (!lookup(launcher->id))
        return false;
    if (!launcher->sign[0])
        return true;
    for (size_t i = 0; i < 2; i++)
        if (csi_launcher_number(launcher->sign[i], lookup, &number, NULL) == CFSPLIT_OK)
            return true;
    return false;
}

const struct csi_launcher *csi_launcher_find(csi_lookup lookup)
{
    for (size_t i = 0; i < launcher_count; i++)
        if (is_there(&launchers[i], lookup))
            return &launchers[i];
    return NULL;
}

static const char *count_variable(const struct csi_launcher *launcher, csi_lookup lookup)
{
    if (launcher->count[1] && !lookup(launcher->count[0]) && lookup(launcher->count[1]))
        return launcher->count[1];
    return launcher->count[0];
}

/* How many this launcher itself started, 0 if it does not tell. */
static cfsplit_status own_count(const struct csi_launcher *launcher, csi_lookup lookup, uint64_t *out,
                                struct cfsplit_error *err)
{
    const char *name = count_variable(launcher, lookup);
    *out = 0;
    if (!name || !lookup(name))
        return CFSPLIT_OK;
    cfsplit_status status = csi_launcher_number(name, lookup, out, err);
    if (status == CFSPLIT_OK && *out == 0)
        return csi_fail(err, CFSPLIT_USAGE, "%s is '0': there is at least one replica", name);
    return status;
}

/* The place of `id` among first, first + step, ..., last, from 0; an error if these are not all and only the numbers. */
static cfsplit_status place_in_series(const struct csi_launcher *launcher, csi_lookup lookup, uint64_t id,
                                      uint64_t *out, struct cfsplit_error *err)
{
    uint64_t first, last, step = 1, count;
    cfsplit_status status = csi_launcher_number(launcher->first, lookup, &first, err);
    if (status == CFSPLIT_OK)
        status = csi_launcher_number(launcher->last, lookup, &last, err);
    if (status == CFSPLIT_OK && lookup(launcher->step))
        status = csi_launcher_number(launcher->step, lookup, &step, err);
    if (status == CFSPLIT_OK)
        status = own_count(launcher, lookup, &count, err);
    if (status != CFSPLIT_OK)
        return status;
    if (step == 0 || last < first || id < first || id > last || (id - first) % step != 0)
        return csi_fail(err, CFSPLIT_USAGE,
                        "%s is '%" PRIu64 "': not one of %" PRIu64 " to %" PRIu64 " by %" PRIu64 " (%s, %s, %s)",
                        launcher->id, id, first, last, step, launcher->first, launcher->last, launcher->step);
    if (count != 0 && count != (last - first) / step + 1)
        return csi_fail(err, CFSPLIT_USAGE,
                        "%s is '%" PRIu64 "', but the array has gaps (%" PRIu64 " elements from %" PRIu64 " to %" PRIu64
                        "): give --replica K --replicas N",
                        launcher->id, id, count, first, last);
    *out = (id - first) / step;
    return CFSPLIT_OK;
}

/* The number among those this launcher itself started, from 0. */
static cfsplit_status own_place(const struct csi_launcher *launcher, csi_lookup lookup, uint64_t *out,
                                struct cfsplit_error *err)
{
    cfsplit_status status = csi_launcher_number(launcher->id, lookup, out, err);
    if (status != CFSPLIT_OK || !launcher->first)
        return status;
    return place_in_series(launcher, lookup, *out, out, err);
}

static const struct csi_launcher *around_of(const struct csi_launcher *launcher, csi_lookup lookup)
{
    return launcher->around && is_there(launcher->around, lookup) ? launcher->around : NULL;
}

cfsplit_status csi_launcher_id(const struct csi_launcher *launcher, csi_lookup lookup, uint64_t *out,
                               struct cfsplit_error *err)
{
    const struct csi_launcher *around = around_of(launcher, lookup);
    uint64_t place, outer = 0, count = 0;
    cfsplit_status status = own_place(launcher, lookup, &place, err);
    if (status == CFSPLIT_OK && around) {
        status = own_place(around, lookup, &outer, err);
        if (status == CFSPLIT_OK)
            status = own_count(launcher, lookup, &count, err);
        if (status == CFSPLIT_OK && place >= count)
            status = csi_fail(err, CFSPLIT_USAGE, "%s is '%" PRIu64 "', but %s says there are %" PRIu64, launcher->id,
                              place, count_variable(launcher, lookup), count);
    }
    if (status == CFSPLIT_OK)
        *out = outer * count + place + 1;
    return status;
}

cfsplit_status csi_launcher_count(const struct csi_launcher *launcher, csi_lookup lookup, uint64_t *out,
                                  struct cfsplit_error *err)
{
    const struct csi_launcher *around = around_of(launcher, lookup);
    uint64_t outer = 1;
    cfsplit_status status = own_count(launcher, lookup, out, err);
    if (status == CFSPLIT_OK && around)
        status = own_count(around, lookup, &outer, err);
    if (status == CFSPLIT_OK)
        *out *= outer;
    return status;
}
