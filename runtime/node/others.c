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
    o->first = calloc(run->spec.replicas + 1, sizeof *o->first);
    return o->first ? CFSPLIT_OK : csi_fail_memory(err);
}

void csi_others_fini(struct csi_others *o)
{
    free(o->list.at);
    free(o->at);
    free(o->first);
    csi_buf_release(&o->fenced);
    *o = (struct csi_others){0};
}

/* The head of the chain that an incarnation of that replica is in; spares, numbers that cannot be and coordinators share one. */
static size_t *chain_of(const struct csi_others *o, uint32_t replica)
{
    return &o->first[replica <= o->run->spec.replicas ? replica : 0];
}

static size_t *chain_of_inc(const struct csi_others *o, const struct csi_inc *inc)
{
    return chain_of(o, inc->coordinator ? 0 : inc->replica);
}

static size_t find(const struct csi_others *o, const struct csi_inc *inc)
{
    for (size_t i = *chain_of_inc(o, inc); i > 0; i = o->at[i - 1].next)
        if (strcmp(o->list.at[i - 1].name, inc->name) == 0)
            return i - 1;
    return SIZE_MAX;
}

/* Makes room for one more. */
static cfsplit_status grow(struct csi_others *o, struct cfsplit_error *err)
{
    if ((o->count & (o->count + 1)) != 0) /* full at 2^k - 1 */
        return CFSPLIT_OK;
    struct csi_inc *list = realloc(o->list.at, (2 * o->count + 2) * sizeof *list);
    if (list)
        o->list.at = list;
    struct csi_other *at = realloc(o->at, (2 * o->count + 2) * sizeof *at);
    if (at)
        o->at = at;
    return list && at ? CFSPLIT_OK : csi_fail_memory(err);
}

static cfsplit_status add(struct csi_others *o, const struct csi_inc *inc, bool known, size_t *at,
                          struct cfsplit_error *err)
{
    cfsplit_status status = grow(o, err);
    if (status != CFSPLIT_OK)
        return status;
    *at = o->count++;
    o->list.at[*at] = *inc;
    o->list.count = o->count;
    size_t *first = chain_of_inc(o, inc);
    o->at[*at] = (struct csi_other){.sequence = UINT64_MAX, .known = known, .next = *first};
    *first = *at + 1;
    return CFSPLIT_OK;
}

cfsplit_status csi_others_add(struct csi_others *o, const struct csi_inc *inc, size_t *at, struct cfsplit_error *err)
{
    *at = find(o, inc);
    if (*at == SIZE_MAX)
        return add(o, inc, true, at, err);
    o->list.at[*at] = *inc;
    o->at[*at].known = true;
    return CFSPLIT_OK;
}

/* Has an incarnation been silent for long enough? */
static bool is_silent(const struct csi_others *o, struct csi_other *other, const struct csi_beat *beat, uint64_t now_ms)
{
    /* who was not looking cannot say how long somebody was silent */
    uint64_t last_ms = other->looked_ms;
    bool looked_away = now_ms - last_ms > o->options->stall_after_ms / 2;
    other->looked_ms = now_ms;
    if (looked_away)
        other->since_ms = now_ms;
    if (other->sequence != beat->sequence) {
        if (other->sequence != UINT64_MAX && other->sequence != 0) /* 0: no beat was seen yet */
            other->alive_ms = last_ms;                             /* it has beaten since, and nobody knows when */
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

cfsplit_status csi_others_look(struct csi_others *o, uint64_t now_ms, struct cfsplit_error *err)
{
    struct csi_buf names = CSI_BUF_INIT;
    enum csi_presence own;
    cfsplit_status status = csi_inc_names(o->run, "replicas", &names, err);
    for (size_t at = 0; status == CFSPLIT_OK && at < names.length; at += CSI_INC_BYTES) {
        struct csi_inc inc = {0};
        size_t place;
        memcpy(inc.name, names.data + at, CSI_INC_BYTES);
        if (csi_inc_is_name(inc.name, &inc.replica) && find(o, &inc) == SIZE_MAX)
            status = add(o, &inc, false, &place, err);
    }
    csi_buf_release(&names);
    csi_buf_clear(&o->fenced);
    if (status == CFSPLIT_OK)
        status = csi_inc_names(o->run, "fence", &o->fenced, err);
    o->look++;
    o->look_ms = now_ms;
    uint64_t own_age = csi_clock_boot_ms() - o->born_ms;
    if (o->age_ms < own_age)
        o->age_ms = own_age;
    return status == CFSPLIT_OK && o->self->replica ? csi_others_presence(o, o->self->replica, &own, err) : status;
}

/* Has its process ended, as far as can be seen? */
static cfsplit_status life_of(struct csi_others *o, size_t i, enum csi_life *life, struct cfsplit_error *err)
{
    struct csi_inc *inc = &o->list.at[i];
    struct csi_inc read;
    *life = CSI_LIFE_UNKNOWN;
    if (!o->at[i].known) {
        cfsplit_status status = csi_inc_read_named(o->run, inc->name, &read, err);
        if (status != CFSPLIT_OK)
            return status == CFSPLIT_END ? CFSPLIT_OK : status; /* seen in the folder, and not yet to be read */
        *inc = read;
        o->at[i].known = true;
    }
    *life = csi_inc_life(inc);
    return CFSPLIT_OK;
}

static cfsplit_status judge(struct csi_others *o, size_t i, struct cfsplit_error *err)
{
    const struct csi_inc *inc = &o->list.at[i];
    struct csi_other *other = &o->at[i];
    struct csi_beat beat = {0};
    enum csi_life life;
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
    status = life_of(o, i, &life, err);
    if (status != CFSPLIT_OK)
        return status;
    bool silent = life != CSI_LIFE_DEAD && is_silent(o, other, &beat, o->look_ms); /* it may be there, and frozen */
    if (life == CSI_LIFE_ALIVE)
        other->alive_ms = o->look_ms;
    other->over = life == CSI_LIFE_DEAD || csi_inc_is_among(inc->name, &o->fenced);
    other->where = other->over || silent ? CSI_HAS_LEFT : CSI_AT_WORK;
    if (other->where == CSI_AT_WORK && life == CSI_LIFE_ALIVE)
        tell_twin(o, inc);
    return CFSPLIT_OK;
}

cfsplit_status csi_others_where(struct csi_others *o, size_t at, enum csi_whereabouts *where, struct cfsplit_error *err)
{
    struct csi_other *other = &o->at[at];
    cfsplit_status status = CFSPLIT_OK;
    if (other->look != o->look && !other->over && strcmp(o->list.at[at].name, o->self->name) != 0)
        status = judge(o, at, err);
    other->look = o->look;
    *where = other->where;
    return status;
}

cfsplit_status csi_others_judge(struct csi_others *o, struct cfsplit_error *err)
{
    enum csi_whereabouts where;
    cfsplit_status status = CFSPLIT_OK;
    for (size_t i = 0; status == CFSPLIT_OK && i < o->count; i++)
        status = csi_others_where(o, i, &where, err);
    return status;
}

bool csi_others_has_come(const struct csi_others *o, uint32_t replica)
{
    return *chain_of(o, replica) != 0;
}

cfsplit_status csi_others_presence(struct csi_others *o, uint32_t replica, enum csi_presence *presence,
                                   struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    *presence = csi_others_has_come(o, replica) ? CSI_GONE : CSI_NEVER_CAME;
    for (size_t i = *chain_of(o, replica); status == CFSPLIT_OK && i > 0; i = o->at[i - 1].next) {
        enum csi_whereabouts where;
        status = csi_others_where(o, i - 1, &where, err);
        if (where == CSI_AT_WORK)
            *presence = CSI_PRESENT;
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
