#include "node/others.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/killpoint.h"
#include "exec/group.h"
#include "rundir/beat.h"

cfsplit_status csi_others_init(struct csi_others *o, struct cfsplit_run *run, const struct csi_inc *self,
                               const struct cfsplit_run_options *options,
                               void (*say)(void *context, const char *sentence), void *say_context,
                               struct cfsplit_error *err)
{
    *o = (struct csi_others){.run = run, .self = self, .options = options, .say = say, .say_context = say_context};
    o->born_ms = csi_clock_boot_ms();
    o->presence = calloc(run->spec.replicas + 1, sizeof *o->presence);
    return o->presence ? CFSPLIT_OK : csi_fail_memory(err);
}

void csi_others_fini(struct csi_others *o)
{
    free(o->list.at);
    free(o->at);
    free(o->presence);
    *o = (struct csi_others){0};
}

static size_t find(const struct csi_others *o, const char *name)
{
    for (size_t i = 0; i < o->count; i++)
        if (strcmp(o->list.at[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

/* Makes room in `at` for all of the list. */
static cfsplit_status keep_up(struct csi_others *o, struct cfsplit_error *err)
{
    if (o->count == o->list.count)
        return CFSPLIT_OK;
    struct csi_other *more = realloc(o->at, o->list.count * sizeof *more);
    if (!more)
        return csi_fail_memory(err);
    o->at = more;
    for (; o->count < o->list.count; o->count++)
        more[o->count] = (struct csi_other){.sequence = UINT64_MAX};
    return CFSPLIT_OK;
}

cfsplit_status csi_others_add(struct csi_others *o, const struct csi_inc *inc, size_t *at, struct cfsplit_error *err)
{
    *at = find(o, inc->name);
    if (*at != SIZE_MAX)
        return CFSPLIT_OK;
    struct csi_inc *more = realloc(o->list.at, (o->list.count + 1) * sizeof *more);
    if (!more)
        return csi_fail_memory(err);
    o->list.at = more;
    *at = o->list.count;
    more[o->list.count++] = *inc;
    return keep_up(o, err);
}

/* Has an incarnation been silent for long enough? */
static bool is_silent(const struct csi_others *o, struct csi_other *other, const struct csi_beat *beat, uint64_t now_ms)
{
    /* who was not looking cannot say how long somebody was silent */
    bool looked_away = now_ms - other->looked_ms > o->options->stall_after_ms / 2;
    other->looked_ms = now_ms;
    if (looked_away)
        other->since_ms = now_ms;
    if (other->sequence != beat->sequence) {
        other->seen_alive |= other->sequence != UINT64_MAX && other->sequence != 0; /* 0: no beat was seen yet */
        other->sequence = beat->sequence;
        other->since_ms = now_ms;
    }
    return now_ms - other->since_ms >= o->options->stall_after_ms;
}

static void tell_twin(struct csi_others *o, const struct csi_inc *inc)
{
    char sentence[160];
    if (inc->replica != o->self->replica || inc->coordinator || !inc->replica || o->told_twin)
        return;
    snprintf(sentence, sizeof sentence, "replica %" PRIu32 " is at work already, as process %" PRIu64 " on %s",
             inc->replica, inc->pid, inc->host);
    o->say(o->say_context, sentence);
    o->told_twin = true;
}

/* ---- judging */

static cfsplit_status judge(struct csi_others *o, size_t i, uint64_t now_ms, struct cfsplit_error *err)
{
    const struct csi_inc *inc = &o->list.at[i];
    struct csi_other *other = &o->at[i];
    struct csi_beat beat = {0};
    struct csi_seal seal = {.state = CSI_FENCE_NONE};
    cfsplit_status status = csi_beat_read(o->run, inc->name, &beat, err);
    if (status != CFSPLIT_OK && status != CFSPLIT_END)
        return status;
    if (o->age_ms < beat.age_ms)
        o->age_ms = beat.age_ms;
    if (beat.state != CSI_BEAT_WORKING) {
        other->where = beat.state == CSI_BEAT_FINISHED ? CSI_HAS_FINISHED : CSI_HAS_LEFT;
        other->over = true;
        return CFSPLIT_OK;
    }
    status = csi_fence_look(o->run, inc->name, &seal, err);
    enum csi_life life = csi_inc_life(inc);
    other->seen_alive |= life == CSI_LIFE_ALIVE;
    bool silent = life != CSI_LIFE_DEAD && is_silent(o, other, &beat, now_ms); /* it may be there, and frozen */
    other->over = seal.state != CSI_FENCE_NONE || life == CSI_LIFE_DEAD;
    other->where = other->over || silent ? CSI_HAS_LEFT : CSI_AT_WORK;
    if (other->where == CSI_AT_WORK && life == CSI_LIFE_ALIVE)
        tell_twin(o, inc);
    return status;
}

cfsplit_status csi_others_judge(struct csi_others *o, uint64_t now_ms, struct cfsplit_error *err)
{
    cfsplit_status status = csi_inc_list_refresh(&o->list, o->run, err);
    if (status == CFSPLIT_OK)
        status = keep_up(o, err);
    uint64_t own_age = csi_clock_boot_ms() - o->born_ms;
    if (o->age_ms < own_age)
        o->age_ms = own_age;
    for (uint32_t id = 0; id <= o->run->spec.replicas; id++)
        o->presence[id] = CSI_NEVER_CAME;
    for (size_t i = 0; status == CFSPLIT_OK && i < o->count; i++) {
        uint32_t id = o->list.at[i].replica;
        if (!o->at[i].over && strcmp(o->list.at[i].name, o->self->name) != 0)
            status = judge(o, i, now_ms, err);
        if (id > o->run->spec.replicas || o->list.at[i].coordinator)
            continue;
        if (o->at[i].where == CSI_AT_WORK)
            o->presence[id] = CSI_PRESENT;
        else if (o->presence[id] == CSI_NEVER_CAME)
            o->presence[id] = CSI_GONE;
    }
    return status;
}

/* ---- ending */

static void tell_taken(const struct csi_others *o, const struct csi_inc *victim, const char *how)
{
    char sentence[160];
    if (victim->replica)
        snprintf(sentence, sizeof sentence, "replica %" PRIu32 " on %s %s: going on with what it had", victim->replica,
                 victim->host, how);
    else
        snprintf(sentence, sizeof sentence, "a spare replica on %s %s: going on with what it had", victim->host, how);
    o->say(o->say_context, sentence);
}

static cfsplit_status has_been_silent(struct csi_others *o, const struct csi_inc *owner, uint64_t now_ms, bool *silent,
                                      struct cfsplit_error *err)
{
    struct csi_beat beat = {0};
    size_t i;
    cfsplit_status status = csi_others_add(o, owner, &i, err);
    *silent = false;
    if (status == CFSPLIT_OK)
        status = csi_beat_read(o->run, owner->name, &beat, err);
    if (status != CFSPLIT_OK && status != CFSPLIT_END)
        return status;
    *silent = is_silent(o, &o->at[i], &beat, now_ms);
    return CFSPLIT_OK;
}

cfsplit_status csi_others_end_if_lost(struct csi_others *o, const struct csi_inc *owner, struct csi_seal seal,
                                      uint64_t now_ms, bool *gone, struct cfsplit_error *err)
{
    enum csi_life life = csi_inc_life(owner);
    bool silent = false;
    cfsplit_status status = CFSPLIT_OK;
    *gone = false;
    if (o->options->no_adopt == 1 && o->self->replica != 0 && owner->replica != o->self->replica)
        return CFSPLIT_OK;
    if (life != CSI_LIFE_DEAD && seal.state == CSI_FENCE_NONE)
        status = has_been_silent(o, owner, now_ms, &silent, err);
    if (status != CFSPLIT_OK || !(life == CSI_LIFE_DEAD || silent || seal.state == CSI_FENCE_UNSEALED))
        return status;
    if (life != CSI_LIFE_UNKNOWN) /* on this machine */
        (void)csi_exec_end_group(0, "CANFAR_SPLIT_BY", owner->name);
    CSI_KILL_POINT("adopt.lost");
    status = csi_fence_end(o->run, o->self, owner, &seal, err);
    CSI_KILL_POINT("adopt.sealed");
    if (status != CFSPLIT_OK)
        return status;
    tell_taken(o, owner, silent ? "is silent" : "was killed");
    *gone = true;
    return CFSPLIT_OK;
}
