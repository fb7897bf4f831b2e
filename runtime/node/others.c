#include "node/others.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "exec/group.h"
#include "rundir/beat.h"

cfsplit_status csi_others_init(struct csi_others *o, struct cfsplit_run *run, const struct csi_inc *self,
                               const struct cfsplit_run_options *options,
                               void (*say)(void *context, const char *sentence), void *say_context,
                               struct cfsplit_error *err)
{
    *o = (struct csi_others){.run = run, .self = self, .options = options, .say = say, .say_context = say_context};
    o->abandoned = calloc(run->spec.replicas + 1, sizeof *o->abandoned);
    return o->abandoned ? CFSPLIT_OK : csi_fail_memory(err);
}

void csi_others_fini(struct csi_others *o)
{
    free(o->watched);
    free(o->list.at);
    free(o->left);
    free(o->abandoned);
    *o = (struct csi_others){0};
}

static struct csi_watched *watch(struct csi_others *o, const struct csi_inc *inc)
{
    for (size_t i = 0; i < o->watched_count; i++)
        if (strcmp(o->watched[i].name, inc->name) == 0)
            return &o->watched[i];
    struct csi_watched *more = realloc(o->watched, (o->watched_count + 1) * sizeof *more);
    if (!more)
        return NULL;
    o->watched = more;
    struct csi_watched *w = &more[o->watched_count++];
    *w = (struct csi_watched){.sequence = UINT64_MAX};
    memcpy(w->name, inc->name, sizeof w->name);
    return w;
}

/* Has an owner whose process cannot be seen been silent for long enough? */
static cfsplit_status is_silent(struct csi_others *o, const struct csi_inc *inc, uint64_t now_ms, bool *silent,
                                struct cfsplit_error *err)
{
    struct csi_watched *w = watch(o, inc);
    struct csi_beat beat;
    *silent = false;
    if (!w)
        return csi_fail_memory(err);
    cfsplit_status status = csi_beat_read(o->run, inc->name, &beat, err);
    if (status != CFSPLIT_OK && status != CFSPLIT_END)
        return status;
    /* who was not looking cannot say how long somebody was silent */
    bool looked_away = now_ms - w->looked_ms > o->options->stall_after_ms / 2;
    w->looked_ms = now_ms;
    if (looked_away)
        w->since_ms = now_ms;
    if (w->sequence != beat.sequence) {
        w->seen_alive |= w->sequence != UINT64_MAX && w->sequence != 0; /* 0: no beat was seen yet */
        w->sequence = beat.sequence;
        w->since_ms = now_ms;
    }
    *silent = now_ms - w->since_ms >= o->options->stall_after_ms;
    if (!*silent && !w->seen_alive)
        o->waiting = true;
    return CFSPLIT_OK;
}

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

/* Ends an owner that is dead or silent. *gone tells whether its claims are free. */
cfsplit_status csi_others_end_if_lost(struct csi_others *o, const struct csi_inc *owner, struct csi_seal seal,
                                      uint64_t now_ms, bool *gone, struct cfsplit_error *err)
{
    enum csi_life life = csi_inc_life(owner);
    bool silent = false;
    cfsplit_status status = CFSPLIT_OK;
    *gone = false;
    if (life == CSI_LIFE_ALIVE && owner->replica == o->self->replica && owner->replica && !o->told_twin) {
        char sentence[160];
        snprintf(sentence, sizeof sentence, "replica %" PRIu32 " is at work already, as process %" PRIu64 " on %s",
                 owner->replica, owner->pid, owner->host);
        o->say(o->say_context, sentence);
        o->told_twin = true;
    }
    if (o->options->no_adopt == 1 && owner->replica != o->self->replica)
        return CFSPLIT_OK;
    if (life == CSI_LIFE_UNKNOWN && seal.state == CSI_FENCE_NONE)
        status = is_silent(o, owner, now_ms, &silent, err);
    if (status != CFSPLIT_OK || !(life == CSI_LIFE_DEAD || silent || seal.state == CSI_FENCE_UNSEALED))
        return status;
    if (life == CSI_LIFE_DEAD)
        (void)csi_exec_end_group(0, "CANFAR_SPLIT_BY", owner->name);
    status = csi_fence_end(o->run, o->self, owner, &seal, err);
    if (status != CFSPLIT_OK)
        return status;
    tell_taken(o, owner, silent ? "is silent" : "was killed");
    *gone = true;
    return CFSPLIT_OK;
}

/* Is there anything to be had from this incarnation? Its journal is not read for that. */
static cfsplit_status may_have_left(struct csi_others *o, const struct csi_inc *inc, uint64_t now_ms, bool *may,
                                    struct cfsplit_error *err)
{
    struct csi_beat beat;
    struct csi_seal seal;
    bool silent = false;
    cfsplit_status status = csi_beat_read(o->run, inc->name, &beat, err);
    if (status != CFSPLIT_OK && status != CFSPLIT_END)
        return status;
    *may = beat.state == CSI_BEAT_LEFT;
    if (beat.state != CSI_BEAT_WORKING)
        return CFSPLIT_OK;
    status = csi_fence_look(o->run, inc->name, &seal, err);
    enum csi_life life = csi_inc_life(inc);
    if (status == CFSPLIT_OK && seal.state == CSI_FENCE_NONE && life == CSI_LIFE_UNKNOWN)
        status = is_silent(o, inc, now_ms, &silent, err);
    *may = seal.state != CSI_FENCE_NONE || life == CSI_LIFE_DEAD || silent;
    return status;
}

cfsplit_status csi_others_judge(struct csi_others *o, uint64_t now_ms, bool *any, struct cfsplit_error *err)
{
    cfsplit_status status = csi_inc_list_refresh(&o->list, o->run, err);
    bool *left = realloc(o->left, (o->list.count + 1) * sizeof *left);
    if (!left)
        return csi_fail_memory(err);
    o->left = left;
    *any = false;
    memset(o->abandoned, 0, o->run->spec.replicas + 1);
    for (size_t i = 0; status == CFSPLIT_OK && i < o->list.count; i++) {
        left[i] = false;
        if (strcmp(o->list.at[i].name, o->self->name) != 0)
            status = may_have_left(o, &o->list.at[i], now_ms, &left[i], err);
        if (o->list.at[i].replica <= o->run->spec.replicas)
            o->abandoned[o->list.at[i].replica] |= left[i];
        *any |= left[i];
    }
    for (size_t i = 0; status == CFSPLIT_OK && i < o->list.count; i++)
        if (!left[i] && o->list.at[i].replica <= o->run->spec.replicas)
            o->abandoned[o->list.at[i].replica] = false;
    return status;
}

bool csi_others_has_left(const struct csi_others *o, const char *name)
{
    for (size_t i = 0; i < o->list.count; i++)
        if (o->left[i] && strcmp(o->list.at[i].name, name) == 0)
            return true;
    return false;
}
