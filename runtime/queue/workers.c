#include "queue/workers.h"

#include <stdlib.h>

#include "base/error.h"

enum { slots_max = 65536, room_first = 16 };

static const uint64_t credit_max = UINT32_MAX;

void csi_workers_fini(struct csi_workers *all)
{
    free(all->at);
    *all = (struct csi_workers){0};
}

static cfsplit_status make_room(struct csi_workers *all, struct cfsplit_error *err)
{
    if (all->highest + 1 < all->room)
        return CFSPLIT_OK;
    uint32_t room = all->room ? all->room * 2 : room_first;
    struct csi_worker *at = room > all->room ? realloc(all->at, room * sizeof *at) : NULL;
    if (!at)
        return csi_fail_memory(err);
    all->at = at;
    all->room = room;
    return CFSPLIT_OK;
}

static uint64_t sane(uint64_t slots)
{
    return slots == 0 ? 1 : slots < slots_max ? slots : slots_max;
}

cfsplit_status csi_workers_add(struct csi_workers *all, uint64_t slots, uint32_t *number, struct cfsplit_error *err)
{
    *number = all->free;
    if (!*number) {
        cfsplit_status status = make_room(all, err);
        if (status != CFSPLIT_OK)
            return status;
        *number = ++all->highest;
    } else {
        all->free = all->at[*number].links[0].behind;
    }
    slots = sane(slots);
    all->at[*number] = (struct csi_worker){.slots = slots, .is_there = true};
    all->count++;
    all->slots += slots;
    return CFSPLIT_OK;
}

struct csi_worker *csi_workers_at(const struct csi_workers *all, uint32_t number)
{
    return number > 0 && number <= all->highest && all->at[number].is_there ? &all->at[number] : NULL;
}

/* ---- lines: the outer neighbours of the first and the last mean nothing */

static void enter(struct csi_workers *all, enum csi_line_kind kind, uint32_t number)
{
    struct csi_line *line = &all->lines[kind];
    struct csi_queue_link *link = &all->at[number].links[kind];
    if (line->count++ == 0)
        line->first = number;
    else
        all->at[line->last].links[kind].behind = number;
    link->before = line->last;
    line->last = number;
    link->in = true;
}

static void leave(struct csi_workers *all, enum csi_line_kind kind, uint32_t number)
{
    struct csi_line *line = &all->lines[kind];
    struct csi_queue_link *link = &all->at[number].links[kind];
    if (number == line->first)
        line->first = link->behind;
    else
        all->at[link->before].links[kind].behind = link->behind;
    if (number == line->last)
        line->last = link->before;
    else
        all->at[link->behind].links[kind].before = link->before;
    line->count--;
    link->in = false;
}

static void stand(struct csi_workers *all, enum csi_line_kind kind, uint32_t number, bool in)
{
    if (in == all->at[number].links[kind].in)
        return;
    if (in)
        enter(all, kind, number);
    else
        leave(all, kind, number);
}

void csi_workers_place(struct csi_workers *all, uint32_t number)
{
    const struct csi_worker *w = &all->at[number];
    uint64_t held = w->leases.count;
    bool asking = w->credit > 0 && !w->alone && !w->revoked && !w->home;
    stand(all, CSI_ASKING, number, asking);
    stand(all, CSI_IDLE, number, asking && held == 0);
    stand(all, CSI_HUNGRY, number, asking && held < w->slots);
    stand(all, CSI_LADEN, number, held > w->slots && held > w->begun && !w->revoked && !w->dry);
}

void csi_workers_resize(struct csi_workers *all, uint32_t number, uint64_t slots)
{
    all->slots += sane(slots) - all->at[number].slots;
    all->at[number].slots = sane(slots);
    csi_workers_place(all, number);
}

void csi_workers_rotate(struct csi_workers *all, uint32_t number)
{
    if (!all->at[number].links[CSI_ASKING].in)
        return;
    leave(all, CSI_ASKING, number);
    enter(all, CSI_ASKING, number);
}

void csi_workers_ask(struct csi_workers *all, uint32_t number, uint64_t more)
{
    struct csi_worker *w = &all->at[number];
    uint64_t room = credit_max - w->credit;
    more = more < room ? more : room;
    w->credit += more;
    all->wanted += more;
    csi_workers_place(all, number);
}

void csi_workers_give(struct csi_workers *all, uint32_t number, uint64_t less)
{
    all->at[number].credit -= less;
    all->wanted -= less;
    csi_workers_place(all, number);
}

void csi_workers_revoke(struct csi_workers *all, uint32_t number, bool told)
{
    struct csi_worker *w = &all->at[number];
    all->revoked += told;
    all->revoked -= w->revoked;
    w->revoked = told;
    csi_workers_place(all, number);
}

void csi_workers_dry(struct csi_workers *all, uint32_t number)
{
    all->at[number].dry = true;
    csi_workers_revoke(all, number, false);
}

void csi_workers_remove(struct csi_workers *all, uint32_t number)
{
    struct csi_worker *w = &all->at[number];
    csi_workers_give(all, number, w->credit);
    csi_workers_revoke(all, number, false);
    all->count--;
    all->slots -= w->slots;
    w->is_there = false;
    w->links[0].behind = all->free;
    all->free = number;
}
