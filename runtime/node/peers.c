#include "node/peers.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "rundir/beat.h"

cfsplit_status csi_peers_init(struct csi_peers *peers, struct cfsplit_run *run, const struct csi_inc *self, uint64_t K,
                              const struct cfsplit_run_options *options, struct csi_ledger *ledger,
                              void (*say)(void *context, const char *sentence), void *say_context,
                              struct cfsplit_error *err)
{
    *peers = (struct csi_peers){.run = run, .self = *self, .K = K, .ledger = ledger};
    return csi_others_init(&peers->others, run, &peers->self, options, say, say_context, err);
}

void csi_peers_fini(struct csi_peers *peers)
{
    for (size_t i = 0; i < peers->count; i++)
        free(peers->at[i].begun);
    free(peers->at);
    free(peers->list.at);
    free(peers->by_worker);
    csi_others_fini(&peers->others);
    peers->at = NULL;
    peers->list = (struct csi_inc_list){0};
    peers->count = 0;
}

cfsplit_status csi_peers_refresh(struct csi_peers *peers, struct cfsplit_error *err)
{
    cfsplit_status status = csi_inc_list_refresh(&peers->list, peers->run, err);
    if (peers->count == peers->list.count)
        return status;
    struct csi_peer *more = realloc(peers->at, peers->list.count * sizeof *more);
    if (!more)
        return csi_fail_memory(err);
    peers->at = more;
    for (; peers->count < peers->list.count; peers->count++)
        more[peers->count] = (struct csi_peer){.over = peers->list.at[peers->count].coordinator};
    return status;
}

static size_t look_up(const struct csi_peers *peers, const char *name, size_t length)
{
    for (size_t i = 0; i < peers->count; i++)
        if (strlen(peers->list.at[i].name) == length && memcmp(peers->list.at[i].name, name, length) == 0)
            return i;
    return SIZE_MAX;
}

cfsplit_status csi_peers_find(struct csi_peers *peers, const char *name, size_t length, size_t *at,
                              struct cfsplit_error *err)
{
    *at = look_up(peers, name, length);
    if (*at != SIZE_MAX)
        return CFSPLIT_OK;
    cfsplit_status status = csi_peers_refresh(peers, err);
    *at = look_up(peers, name, length);
    return status;
}

/* ---- reading journals */

static cfsplit_status begin(struct csi_peer *peer, const struct csi_record *record, struct cfsplit_error *err)
{
    struct csi_begun *more = realloc(peer->begun, (peer->begun_count + 1) * sizeof *more);
    if (!more)
        return csi_fail_memory(err);
    peer->begun = more;
    more[peer->begun_count++] = (struct csi_begun){record->index, (uint32_t)record->attempt, record->alone != 0};
    return CFSPLIT_OK;
}

static bool end(struct csi_peer *peer, const struct csi_record *record)
{
    for (size_t i = 0; i < peer->begun_count; i++) {
        if (peer->begun[i].index != record->index || peer->begun[i].attempt != record->attempt)
            continue;
        peer->begun[i] = peer->begun[--peer->begun_count];
        return true;
    }
    return false;
}

bool csi_peers_end(struct csi_peers *peers, size_t at, const struct csi_record *record, uint64_t took_us)
{
    struct csi_peer *peer = &peers->at[at];
    bool begun = end(peer, record);
    if (peer->worker != CSI_QUEUE_NOBODY && csi_queue_end(peers->queue, peer->worker, record, took_us, peers->now_ms))
        return true;
    if (begun)
        csi_ledger_take(peers->ledger, 0, record, true);
    return begun;
}

/* Journals come in any order while stock is taken: who died of what is charged when all are read (csi_peers_charge). */
static void take_into_ledger(struct csi_peers *peers, const struct csi_record *record)
{
    struct csi_entry *entry = csi_ledger_at(peers->ledger, record->index);
    bool later = entry && record->kind == CSI_RECORD_START && entry->attempts > 0 && record->attempt > entry->attempts;
    if (later && !entry->ended) {
        entry->ended = 1;
        entry->class = CSI_CRASHED;
    }
    csi_ledger_take(peers->ledger, 0, record, true);
}

struct taking {
    struct csi_peers *peers;
    struct csi_peer *peer;
};

static cfsplit_status take(void *context, const struct csi_record *record, struct cfsplit_error *err)
{
    const struct taking *t = context;
    cfsplit_status status = CFSPLIT_OK;
    if (record->kind == CSI_RECORD_BOUND) {
        t->peer->bound = t->peer->bound < record->index ? record->index : t->peer->bound;
        t->peer->may_call = record->attempt;
        if (t->peer->worker != CSI_QUEUE_NOBODY) /* what it has not started up to here it has dropped */
            csi_queue_settle(t->peers->queue, t->peer->worker);
    }
    if (record->kind == CSI_RECORD_RELEASED && record->index < t->peers->released_count &&
        t->peers->released[record->index] < record->attempt)
        t->peers->released[record->index] = (uint32_t)record->attempt;
    if (record->kind == CSI_RECORD_START)
        status = begin(t->peer, record, err);
    if (record->kind == CSI_RECORD_END)
        (void)end(t->peer, record);
    if (t->peer->worker != CSI_QUEUE_NOBODY)
        csi_queue_record(t->peers->queue, t->peer->worker, record, t->peers->now_ms);
    else
        take_into_ledger(t->peers, record);
    return status;
}

cfsplit_status csi_peers_read(struct csi_peers *peers, size_t at, uint64_t limit, struct cfsplit_error *err)
{
    struct taking t = {peers, &peers->at[at]};
    return csi_journal_read(peers->run, &peers->list.at[at], &t.peer->reader, 0, limit, true, take, &t, err);
}

/* It died of that, or over it. */
static void charge(struct csi_ledger *ledger, const struct csi_begun *begun)
{
    struct csi_entry *entry = csi_ledger_at(ledger, begun->index);
    if (!entry || begun->attempt <= entry->reopened)
        return;
    if (begun->attempt == entry->attempts && !entry->ended) {
        csi_entry_died(entry);
        return;
    }
    if (begun->alone && entry->deaths < UINT16_MAX)
        entry->deaths++;
    if (entry->ended && entry->class == CSI_STOPPED)
        entry->suspect = 1; /* it was stopped before it could run to an end */
}

/* Nothing will be added to its journal any more, and all of it was read. */
static void finish(struct csi_peers *peers, struct csi_peer *peer)
{
    peer->over = true;
    peer->session = 0;
    if (peer->worker != CSI_QUEUE_NOBODY)
        csi_queue_leave(peers->queue, peer->worker);
    else
        for (size_t k = 0; peers->queue && k < peer->begun_count; k++)
            charge(peers->ledger, &peer->begun[k]);
    peer->worker = CSI_QUEUE_NOBODY;
}

/* Reads all of its journal. Who has closed that is over, and was not killed; the journal first, the fence second. */
static cfsplit_status read_all(struct csi_peers *peers, size_t at, struct cfsplit_error *err)
{
    struct csi_seal seal;
    cfsplit_status status = csi_peers_read(peers, at, UINT64_MAX, err);
    if (status != CFSPLIT_OK || !peers->at[at].reader.closed)
        return status;
    status = csi_fence_look(peers->run, peers->list.at[at].name, &seal, err);
    if (status == CFSPLIT_OK && seal.state == CSI_FENCE_NONE)
        finish(peers, &peers->at[at]);
    return status;
}

/* Reads up to its seal. What stood behind that and was read before there was a seal had been taken for true. */
static cfsplit_status read_sealed(struct csi_peers *peers, size_t at, const struct csi_seal *seal,
                                  struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    peers->misled |= peers->at[at].reader.length > seal->length;
    if (peers->at[at].reader.length < seal->length)
        status = csi_peers_read(peers, at, seal->length, err);
    if (status == CFSPLIT_OK)
        finish(peers, &peers->at[at]);
    return status;
}

cfsplit_status csi_peers_check(struct csi_peers *peers, size_t at, uint64_t now_ms, struct cfsplit_error *err)
{
    struct csi_peer *peer = &peers->at[at];
    const struct csi_inc *inc = &peers->list.at[at];
    struct csi_seal seal;
    bool gone = false;
    peers->now_ms = now_ms;
    if (peer->over)
        return CFSPLIT_OK;
    cfsplit_status status = csi_fence_look(peers->run, inc->name, &seal, err);
    if (status == CFSPLIT_OK && seal.state == CSI_FENCE_NONE && csi_inc_life(inc) == CSI_LIFE_DEAD)
        status = read_all(peers, at, err);
    if (status != CFSPLIT_OK || peer->over)
        return status;
    if (seal.state != CSI_FENCE_SEALED)
        status = csi_others_end_if_lost(&peers->others, inc, seal, now_ms, &gone, err);
    if (status == CFSPLIT_OK && gone)
        status = csi_fence_look(peers->run, inc->name, &seal, err);
    if (status == CFSPLIT_OK && seal.state == CSI_FENCE_SEALED)
        return read_sealed(peers, at, &seal, err);
    if (status == CFSPLIT_OK && (!csi_peer_is_settled(peers, at) || peer->session == 0))
        status = read_all(peers, at, err);
    return status;
}

/* ---- settled */

bool csi_peer_is_settled(const struct csi_peers *peers, size_t at)
{
    return peers->at[at].over || peers->at[at].bound >= peers->K;
}

bool csi_peers_are_settled(const struct csi_peers *peers)
{
    for (size_t i = 0; i < peers->count; i++)
        if (!csi_peer_is_settled(peers, i))
            return false;
    return true;
}

bool csi_peers_are_over(const struct csi_peers *peers)
{
    for (size_t i = 0; i < peers->count; i++)
        if (!peers->at[i].over)
            return false;
    return true;
}

void csi_peers_charge(struct csi_peers *peers)
{
    for (size_t i = 0; i < peers->count; i++)
        for (size_t k = 0; peers->at[i].over && k < peers->at[i].begun_count; k++)
            charge(peers->ledger, &peers->at[i].begun[k]);
    for (uint64_t i = 0; i < peers->ledger->count; i++)
        peers->ledger->at[i].laters = 0; /* being put off counts while one coordinator leads */
}

/* ---- workers */

cfsplit_status csi_peers_join(struct csi_peers *peers, size_t at, struct cfsplit_error *err)
{
    struct csi_peer *peer = &peers->at[at];
    if (peer->worker != CSI_QUEUE_NOBODY)
        return CFSPLIT_OK;
    cfsplit_status status = csi_queue_join(peers->queue, peer->slots ? peer->slots : 1, &peer->worker, err);
    if (status == CFSPLIT_OK && peer->worker >= peers->by_worker_room) {
        size_t room = 2 * (size_t)peer->worker + 64;
        uint32_t *more = realloc(peers->by_worker, room * sizeof *more);
        if (!more)
            return csi_fail_memory(err);
        peers->by_worker = more;
        peers->by_worker_room = room;
    }
    if (status == CFSPLIT_OK)
        peers->by_worker[peer->worker] = (uint32_t)at;
    return status;
}

struct csi_peer *csi_peers_of_worker(const struct csi_peers *peers, uint32_t worker)
{
    if (worker == CSI_QUEUE_NOBODY || worker >= peers->by_worker_room)
        return NULL;
    struct csi_peer *peer = &peers->at[peers->by_worker[worker]];
    return peer->worker == worker ? peer : NULL;
}

cfsplit_status csi_peers_hold(struct csi_peers *peers, uint64_t first, uint64_t count, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    for (size_t i = 0; i < peers->count; i++) {
        for (size_t k = 0; !peers->at[i].over && k < peers->at[i].begun_count; k++) {
            uint64_t index = peers->at[i].begun[k].index;
            if (index < first || index - first >= count)
                continue;
            status = csi_peers_join(peers, i, err);
            if (status == CFSPLIT_OK)
                status = csi_queue_hold(peers->queue, peers->at[i].worker, index, err);
            if (status != CFSPLIT_OK)
                return status;
        }
    }
    return status;
}
