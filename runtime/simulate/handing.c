/* A queue: the state machine that hands out items is the product's own (queue/queue.h); its workers, who ask as node/queued.c does, and
 * what they run, are told of here. One item at a time in each. */
#include <stdlib.h>

#include "base/error.h"
#include "queue/queue.h"
#include "simulate/simulate.h"

enum { ITEM_ENDS, REPLICA_COMES, REPLICA_DIES, REPLICA_SEALED }; /* at one time in this order */

enum { none = UINT32_MAX, long_us = 1000000 }; /* where items have no times, they are taken for long ones */

struct hand {                /* a replica of the queue */
    uint32_t number;         /* as the queue knows it; 0: not there */
    uint32_t item;           /* that it runs; or none */
    uint32_t first, last;    /* items that wait here, linked by `behind` */
    uint64_t waiting, ahead; /* ... how many; how many may */
    uint64_t asked, got;
    bool told; /* its start, to who hands out */
    bool dead;
};

struct office {
    const struct csi_work *work;
    struct csi_crowd *crowd;
    struct csi_agenda agenda;
    struct csi_ledger ledger;
    struct csi_queue *queue;
    struct hand *hands;
    uint32_t *by_number; /* k0 of who has a number */
    uint32_t *behind;    /* of items that wait with a replica */
    uint64_t *comes;     /* when an item is there; NULL: at once */
    uint64_t unfinished, last_end;
};

static uint64_t ms_of(const struct office *o, uint64_t now)
{
    return o->crowd->options->is_time ? now / 1000 : now;
}

/* ---- what a replica does */

static void ask(struct office *o, struct hand *h)
{
    uint64_t idle = h->item == none, coming = h->waiting + (h->asked - h->got);
    uint64_t aim = coming >= idle ? h->ahead : idle + h->ahead;
    if (coming >= idle + h->ahead || (coming > h->ahead / 2 && coming >= idle))
        return;
    h->asked += aim - coming;
    csi_queue_want(o->queue, h->number, aim - coming);
}

static void start_next(struct office *o, uint32_t k0, uint64_t now)
{
    struct hand *h = &o->hands[k0];
    if (h->item != none || h->waiting == 0)
        return;
    h->item = h->first;
    h->told = false;
    h->first = o->behind[h->item];
    h->waiting--;
    uint64_t begins = o->comes && o->comes[h->item] > now ? o->comes[h->item] : now;
    csi_agenda_add(&o->agenda, begins + o->work->took[h->item], ITEM_ENDS, k0);
}

static void keep(struct office *o, struct hand *h, uint64_t index, uint64_t comes)
{
    uint32_t item = (uint32_t)index;
    if (h->waiting++ == 0)
        h->first = item;
    else
        o->behind[h->last] = item;
    h->last = item;
    if (o->comes)
        o->comes[item] = comes;
}

/* ---- what who hands out does */

/* A record of the attempt that runs there; its start may not have been told. */
static struct csi_record record_of(const struct office *o, const struct hand *h, enum csi_record_kind kind,
                                   uint64_t now)
{
    uint64_t attempts = csi_ledger_at(&o->ledger, h->item)->attempts;
    return (struct csi_record){.kind = kind,
                               .index = h->item,
                               .attempt = attempts + (h->told ? 0 : 1),
                               .class = CSI_DONE,
                               .time_ms = ms_of(o, now)};
}

/* Its journal is read: what it runs has been started. */
static void tell_start(struct office *o, struct hand *h, uint64_t now)
{
    if (h->item == none || h->told)
        return;
    struct csi_record start = record_of(o, h, CSI_RECORD_START, now);
    csi_queue_record(o->queue, h->number, &start, ms_of(o, now));
    h->told = true;
}

/* To one that is dead it goes, too, as long as nobody knows. */
static void take_batch(struct office *o, const struct csi_queue_batch *batch, uint64_t now)
{
    uint32_t k0 = o->by_number[batch->worker];
    struct hand *h = &o->hands[k0];
    if (h->dead)
        return;
    for (size_t i = 0; i < batch->count; i++)
        keep(o, h, batch->items[i].index, now + o->crowd->options->dispatch);
    h->got += batch->count;
    h->ahead = batch->ahead;
    start_next(o, k0, now);
    ask(o, h);
}

static void hand_out(struct office *o, uint64_t now)
{
    struct csi_queue_batch batch;
    while (csi_queue_next(o->queue, ms_of(o, now), &batch))
        take_batch(o, &batch, now);
}

/* What waits with it goes back, and to others, before it asks again. */
static void revoke(struct office *o, uint32_t number, uint64_t now)
{
    struct hand *h = &o->hands[o->by_number[number]];
    if (h->dead)
        return;
    tell_start(o, h, now);
    csi_queue_settle(o->queue, number);
    h->waiting = h->asked = h->got = 0;
    hand_out(o, now);
    ask(o, h);
    hand_out(o, now);
}

/* Hands out all that is to be handed out, and has what waits in vain given back. */
static void serve(struct office *o, uint64_t now)
{
    uint32_t number;
    hand_out(o, now);
    while (csi_queue_next_revoked(o->queue, &number))
        revoke(o, number, now);
}

/* ---- what happens */

static cfsplit_status come(struct office *o, uint32_t k0, uint64_t now, struct cfsplit_error *err)
{
    struct hand *h = &o->hands[k0];
    cfsplit_status status = csi_queue_join(o->queue, 1, &h->number, err);
    if (status != CFSPLIT_OK)
        return status;
    o->by_number[h->number] = k0;
    if (o->crowd->dies[k0] != CFSPLIT_NEVER)
        csi_agenda_add(&o->agenda, o->crowd->dies[k0], REPLICA_DIES, k0);
    ask(o, h);
    serve(o, now);
    return CFSPLIT_OK;
}

static void end_item(struct office *o, uint32_t k0, uint64_t now)
{
    struct hand *h = &o->hands[k0];
    if (h->dead)
        return;
    struct csi_record end = record_of(o, h, CSI_RECORD_END, now);
    uint64_t took_us = o->crowd->options->is_time ? o->work->took[h->item] : long_us;
    if (csi_queue_end(o->queue, h->number, &end, took_us, ms_of(o, now)))
        o->unfinished--;
    o->last_end = now;
    h->item = none;
    start_next(o, k0, now);
    ask(o, h);
    serve(o, now);
}

static void die(struct office *o, uint32_t k0, uint64_t now)
{
    o->hands[k0].dead = true;
    csi_agenda_add(&o->agenda, now + o->crowd->options->stall_after, REPLICA_SEALED, k0);
}

static void seal(struct office *o, uint32_t k0, uint64_t now)
{
    tell_start(o, &o->hands[k0], now);
    csi_queue_leave(o->queue, o->hands[k0].number);
    serve(o, now);
}

static cfsplit_status play(struct office *o, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    for (uint32_t k0 = 0; k0 < o->crowd->R; k0++)
        csi_agenda_add(&o->agenda, o->crowd->comes[k0], REPLICA_COMES, k0);
    while (status == CFSPLIT_OK && o->agenda.count > 0 && o->unfinished > 0) {
        struct csi_event event = csi_agenda_take(&o->agenda);
        switch (event.kind) {
        case ITEM_ENDS: end_item(o, event.who, event.at); break;
        case REPLICA_COMES: status = come(o, event.who, event.at, err); break;
        case REPLICA_DIES: die(o, event.who, event.at); break;
        default: seal(o, event.who, event.at);
        }
    }
    return status;
}

/* ---- setting up */

static cfsplit_status open_queue(struct office *o, struct cfsplit_error *err)
{
    const struct csi_queue_options options = {0}; /* whoever ends an item a second time is not what is looked at here */
    uint64_t n = cfsplit_list_count(o->work->list);
    cfsplit_status status = csi_ledger_init(&o->ledger, 0, n, err);
    if (status == CFSPLIT_OK)
        status = csi_queue_new(&options, &o->ledger, &o->queue, err);
    if (status == CFSPLIT_OK)
        status = csi_queue_open_piece(o->queue, 0, n, 0, err);
    if (status == CFSPLIT_OK)
        csi_queue_complete(o->queue, true);
    o->unfinished = n;
    return status;
}

static cfsplit_status set_hands(struct office *o, struct cfsplit_error *err)
{
    uint64_t n = cfsplit_list_count(o->work->list);
    uint32_t R = o->crowd->R;
    o->hands = calloc(R, sizeof *o->hands);
    o->by_number = calloc((size_t)R + 1, sizeof *o->by_number);
    o->behind = malloc((size_t)n * sizeof *o->behind);
    if (o->crowd->options->dispatch > 0)
        o->comes = calloc((size_t)n, sizeof *o->comes);
    if (!o->hands || !o->by_number || !o->behind || (o->crowd->options->dispatch > 0 && !o->comes))
        return csi_fail_memory(err);
    for (uint32_t k0 = 0; k0 < R; k0++)
        o->hands[k0].item = none;
    return csi_agenda_init(&o->agenda, 2 * (size_t)R, err); /* an item's end, and a death */
}

cfsplit_status csi_simulate_queue(const struct csi_work *work, struct csi_crowd *crowd, uint64_t *makespan,
                                  struct cfsplit_error *err)
{
    struct office o = {.work = work, .crowd = crowd};
    cfsplit_status status = open_queue(&o, err);
    if (status == CFSPLIT_OK)
        status = set_hands(&o, err);
    if (status == CFSPLIT_OK)
        status = play(&o, err);
    *makespan = o.unfinished > 0 ? CFSPLIT_NEVER : o.last_end;
    csi_queue_free(o.queue);
    csi_ledger_fini(&o.ledger);
    csi_agenda_fini(&o.agenda);
    free(o.hands);
    free(o.by_number);
    free(o.behind);
    free(o.comes);
    return status;
}
