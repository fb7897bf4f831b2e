#include "node/queued.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/io.h"
#include "base/killpoint.h"
#include "rundir/beat.h"
#include "rundir/journal.h"

enum {
    call_ms = 2000,       /* an address is called for so long, */
    call_most_ms = 16000, /* and twice as long after each round in which none answered, up to this */
    look_ms = 200,        /* between two looks for a coordinator */
    look_alone_ms = 5000,
    first_ping_ms = 1000,
    hungry_first_ms = 200, /* a slot is free for so long: is the coordinator there at all? */
    later_max = 10,
    bound_bytes = 512,
    session_bits = 48, /* as many as cannot be guessed */
    ends_most = CSI_WIRE_BATCH_MAX,
    stand_spread_ms = 5 /* for each replica: so that not all of them stand at one moment */
};

cfsplit_status csi_queued_init(struct csi_queued *q, struct cfsplit_run *run, const struct csi_inc *self,
                               const struct cfsplit_run_options *options, struct csi_journal *journal,
                               struct cfsplit_error *err)
{
    *q = (struct csi_queued){.run = run, .self = self, .options = options, .journal = journal, .may_stand = true};
    q->clean = true;
    q->ping_ms = first_ping_ms;
    q->patience_ms = call_ms;
    csi_leases_init(&q->leases);
    cfsplit_status status = csi_epoch_read_keys(run, q->keys.open, q->keys.secret, err);
    if (status != CFSPLIT_END)
        return status;
    status = csi_net_new_keys(&q->keys, err);
    if (status == CFSPLIT_OK)
        status = csi_epoch_put_keys(run, q->keys.open, q->keys.secret, err);
    if (status == CFSPLIT_OK)
        status = csi_epoch_read_keys(run, q->keys.open, q->keys.secret, err); /* whoever was first */
    return status == CFSPLIT_END ? csi_fail(err, CFSPLIT_DAMAGED, "keys/client.key is not there any more") : status;
}

void csi_queued_fini(struct csi_queued *q)
{
    csi_link_close(q->link);
    csi_leases_fini(&q->leases);
    csi_buf_release(&q->ends);
    csi_buf_release(&q->out);
    csi_buf_release(&q->space);
    memset(&q->keys, 0, sizeof q->keys);
    q->link = NULL;
}

static void tell(struct csi_queued *q, const char *sentence)
{
    if (q->say)
        q->say(q->context, sentence);
}

/* ---- sending */

static void send_message(struct csi_queued *q, struct csi_message *message)
{
    message->epoch = q->epoch.K;
    message->session = q->session;
    message->seq = ++q->seq_out;
    csi_buf_clear(&q->out);
    csi_message_encode(message, &q->out);
    struct cfsplit_error err; /* what is not sent leaves a gap, and that is noticed */
    if (csi_buf_check(&q->out, &err) == CFSPLIT_OK && q->link)
        (void)!csi_link_put(q->link, q->out.data, q->out.length, &err);
}

/* Is as much here or on its way as is worth asking for? */
static bool has_enough(const struct csi_queued *q)
{
    uint64_t aim = q->idle + q->ahead, coming = q->leases.waiting + (q->asked - q->got);
    return coming >= aim || (coming > q->ahead / 2 && coming >= q->idle);
}

/* Asks for what free slots can take, and for what may wait besides; where slots have theirs, for whole batches. */
static void ask(struct csi_queued *q)
{
    uint64_t coming = q->leases.waiting + (q->asked - q->got);
    uint64_t aim = coming >= q->idle ? q->ahead : q->idle + q->ahead;
    if (q->state != CSI_QUEUED_AT_WORK || has_enough(q))
        return;
    struct csi_message want = {.kind = CSI_MESSAGE_WANT, .want.count = aim - coming};
    q->asked += aim - coming;
    q->clean = false;
    send_message(q, &want);
}

void csi_queued_tell(struct csi_queued *q)
{
    struct csi_message ends = {.kind = CSI_MESSAGE_ENDS,
                               .ends = {.count = q->ends_count, .list = {q->ends.data, q->ends.length}}};
    if (q->ends_count == 0)
        return;
    if (q->state == CSI_QUEUED_AT_WORK || q->state == CSI_QUEUED_CALLING)
        send_message(q, &ends);
    /* else the journal tells: the next HELLO says how long it is */
    csi_buf_clear(&q->ends);
    q->ends_count = 0;
}

void csi_queued_spoken(struct csi_queued *q, uint64_t index, uint64_t attempt, uint64_t class, uint64_t took_ms)
{
    struct csi_lease *lease = csi_leases_find(&q->leases, index);
    if (!lease || lease->attempt != attempt)
        return;
    q->put_off += class == CSI_LATER && lease->laters + 1 >= later_max;
    csi_leases_remove(&q->leases, lease);
    struct csi_wire_end end = {index, attempt, class, took_ms * 1000};
    csi_wire_end_add(&q->ends, &end);
    if (++q->ends_count == ends_most)
        csi_queued_tell(q);
}

/* ---- from state to state */

/* How long to wait for an answer where so long was not enough, or just was. */
static uint64_t twice(uint64_t took_ms)
{
    return took_ms < call_ms / 2 ? call_ms : took_ms < call_most_ms / 2 ? 2 * took_ms : call_most_ms;
}

static void look_again(struct csi_queued *q, uint64_t now_ms)
{
    csi_link_close(q->link);
    q->link = NULL;
    q->state = CSI_QUEUED_LOOKING;
    q->look_ms = now_ms;
    q->hungry_ms = 0;
    if (q->unreached_ms == 0)
        q->unreached_ms = now_ms ? now_ms : 1;
}

static cfsplit_status draw_session(uint64_t *out, struct cfsplit_error *err)
{
    cfsplit_status status = csi_io_random(out, err);
    *out = (*out >> (64 - session_bits)) | 1;
    return status;
}

/* Writes that nothing is taken from a coordinator before epoch K any more, and which session begins if it does not go on alone; what was
 * not started is dropped. */
static cfsplit_status bind_to(struct csi_queued *q, uint64_t K, bool alone, struct cfsplit_error *err)
{
    csi_leases_drop(&q->leases);
    if (q->clean && q->bound >= K && q->said_alone == alone)
        return CFSPLIT_OK;
    struct csi_record bound = {.kind = CSI_RECORD_BOUND, .index = K, .alone = alone};
    cfsplit_status status = alone ? CFSPLIT_OK : draw_session(&bound.attempt, err);
    if (status == CFSPLIT_OK)
        status = csi_journal_reserve(q->journal, bound_bytes, err);
    if (status != CFSPLIT_OK)
        return status;
    csi_journal_add(q->journal, &bound);
    status = csi_journal_write(q->journal, err);
    if (status == CFSPLIT_OK)
        status = csi_journal_sync(q->journal, err);
    if (status != CFSPLIT_OK)
        return status;
    CSI_KILL_POINT("queue.bound");
    q->bound = K;
    q->session = bound.attempt;
    q->said_alone = alone;
    q->clean = true;
    return CFSPLIT_OK;
}

static bool may_try(const struct csi_queued *q, const char *place, size_t address)
{
    bool abstract = strncmp(q->epoch.addresses[address], "ipc:", 4) == 0;
    return !abstract || (q->epoch.place[0] && strcmp(place, q->epoch.place) == 0);
}

/* HELLO at the first address from q->address on that we may try; LOOKING again if there is none. */
static cfsplit_status call(struct csi_queued *q, uint64_t now_ms, struct cfsplit_error *err)
{
    char place[96];
    csi_net_place(place);
    while (q->address < q->epoch.address_count && !may_try(q, place, q->address))
        q->address++;
    if (q->address >= q->epoch.address_count) {
        q->address = 0;
        q->patience_ms = twice(q->patience_ms);
        look_again(q, now_ms);
        q->look_ms = now_ms + look_ms;
        return CFSPLIT_OK;
    }
    cfsplit_status status = bind_to(q, q->epoch.K, false, err);
    if (status != CFSPLIT_OK)
        return status;
    csi_link_close(q->link);
    status = csi_link_open(q->epoch.addresses[q->address], q->epoch.key, &q->keys, &q->link, err);
    if (status != CFSPLIT_OK)
        return status;
    q->state = CSI_QUEUED_CALLING;
    q->same_address = false;
    q->called_ms = now_ms; /* heard_ms is of what was heard: else who calls a silent one would never find it silent */
    q->seq_out = q->seq_in = q->asked = q->got = 0;
    csi_buf_clear(&q->ends);
    q->ends_count = 0;
    q->look_ms = now_ms + call_ms;
    q->told_slots = q->slots ? q->slots : 1;
    struct csi_message hello = {.kind = CSI_MESSAGE_HELLO,
                                .hello = {.inc = {q->self->name, strlen(q->self->name)},
                                          .run_id = {q->run->spec.run_id, strlen(q->run->spec.run_id)},
                                          .slots = q->told_slots,
                                          .journal = q->journal->synced}};
    send_message(q, &hello);
    return CFSPLIT_OK;
}

/* Is its coordinator over? Who is dead or silent is ended. */
static cfsplit_status judge(struct csi_queued *q, uint64_t now_ms, bool *over, struct cfsplit_error *err)
{
    const struct csi_inc *coordinator = &q->epoch.coordinator;
    struct csi_beat beat = {0};
    struct csi_seal seal;
    *over = false;
    cfsplit_status status = csi_beat_read(q->run, coordinator->name, &beat, err);
    if (status != CFSPLIT_OK && status != CFSPLIT_END)
        return status;
    if (beat.state != CSI_BEAT_WORKING) {
        *over = true;
        return CFSPLIT_OK;
    }
    if (q->beat_ms == 0 || beat.sequence != q->beat_sequence) {
        q->beat_sequence = beat.sequence;
        q->beat_ms = now_ms ? now_ms : 1;
    }
    status = csi_fence_look(q->run, coordinator->name, &seal, err);
    if (status != CFSPLIT_OK || seal.state == CSI_FENCE_SEALED) {
        *over = status == CFSPLIT_OK;
        return status;
    }
    bool silent = now_ms - q->beat_ms >= q->options->takeover_after_ms &&
                  (q->heard_ms == 0 || now_ms - q->heard_ms >= q->options->takeover_after_ms);
    if (seal.state == CSI_FENCE_NONE && !silent && csi_inc_life(coordinator) != CSI_LIFE_DEAD)
        return CFSPLIT_OK;
    CSI_KILL_POINT("queue.coordinator-lost");
    status = csi_fence_end(q->run, q->self, coordinator, &seal, err);
    *over = status == CFSPLIT_OK;
    return status;
}

/* Nobody leads: after a moment that differs from replica to replica, we do. */
static cfsplit_status stand(struct csi_queued *q, uint64_t now_ms, struct cfsplit_error *err)
{
    uint64_t replicas = q->run->spec.replicas, spread = stand_spread_ms * (replicas - 1);
    bool won = false;
    if (!q->may_stand || !q->stand)
        return CFSPLIT_OK;
    if (q->stand_ms == 0) {
        uint64_t salt = (now_ms + q->self->replica) * UINT64_C(0x9E3779B97F4A7C15) + q->self->pid;
        q->stand_ms = now_ms + (spread ? (salt >> 33) % spread : 0) + 1;
        q->look_ms = q->stand_ms;
    }
    if (now_ms < q->stand_ms)
        return CFSPLIT_OK;
    q->stand_ms = 0;
    cfsplit_status status = q->stand(q->context, q->epoch.K + 1, &won, err);
    q->look_ms = now_ms + (won ? 0 : look_ms);
    return status;
}

static cfsplit_status fall_back(struct csi_queued *q, uint64_t now_ms, struct cfsplit_error *err)
{
    char sentence[160];
    uint64_t s = q->options->network_timeout_ms / 1000;
    if (q->options->no_fallback == 1)
        return csi_fail(err, CFSPLIT_UNREACHABLE, "the queue of %s was not reached for %" PRIu64 " s (--no-fallback)",
                        csi_quote(q->run->path).text, s);
    if (q->again) {
        tell(q, "the queue is not reached: leaving what others have to them");
        q->state = CSI_QUEUED_HOME;
        return bind_to(q, q->epoch.K, true, err);
    }
    cfsplit_status status = bind_to(q, q->epoch.K, true, err);
    if (status != CFSPLIT_OK)
        return status;
    CSI_KILL_POINT("queue.alone");
    snprintf(sentence, sizeof sentence, "the queue was not reached for %" PRIu64 " s: going on without it", s);
    if (!q->told_alone)
        tell(q, sentence);
    q->told_alone = true;
    q->state = CSI_QUEUED_ALONE;
    q->look_ms = now_ms + look_alone_ms;
    return CFSPLIT_OK;
}

void csi_queued_return(struct csi_queued *q, uint64_t now_ms)
{
    if (q->state != CSI_QUEUED_ALONE)
        return;
    q->again = true;
    q->clean = false;
    q->unreached_ms = 0;
    look_again(q, now_ms);
}

/* ---- steps */

static cfsplit_status look(struct csi_queued *q, uint64_t now_ms, struct cfsplit_error *err)
{
    struct csi_epoch found;
    bool over = true;
    if (q->unreached_ms == 0)
        q->unreached_ms = now_ms ? now_ms : 1;
    if (now_ms < q->look_ms)
        return CFSPLIT_OK;
    q->look_ms = now_ms + look_ms;
    cfsplit_status status = csi_epoch_last(q->run, q->epoch.K, &found, err);
    if (status != CFSPLIT_OK && status != CFSPLIT_END)
        return status;
    if (status == CFSPLIT_OK) {
        q->epoch = found;
        q->address = 0;
        q->beat_ms = q->heard_ms = q->stand_ms = 0;
    }
    status = CFSPLIT_OK;
    if (q->epoch.K)
        status = judge(q, now_ms, &over, err);
    if (status != CFSPLIT_OK)
        return status;
    if (now_ms - q->unreached_ms >= q->options->network_timeout_ms)
        return fall_back(q, now_ms, err);
    return over ? stand(q, now_ms, err) : call(q, now_ms, err);
}

static cfsplit_status wait_for_welcome(struct csi_queued *q, uint64_t now_ms, struct cfsplit_error *err)
{
    bool over, called = now_ms - q->called_ms >= q->patience_ms;
    if (!called && now_ms < q->look_ms)
        return CFSPLIT_OK;
    q->look_ms = now_ms + call_ms;
    cfsplit_status status = judge(q, now_ms, &over, err);
    if (status != CFSPLIT_OK)
        return status;
    q->address += called && !q->same_address;
    if (over || now_ms - q->unreached_ms >= q->options->network_timeout_ms)
        look_again(q, now_ms);
    else if (called)
        return call(q, now_ms, err);
    return CFSPLIT_OK;
}

static bool is_hungry(const struct csi_queued *q)
{
    return q->idle > 0 && q->leases.waiting == 0;
}

/* When the coordinator's life is to be looked at: soon when nothing comes though slots are free, else when it is silent. */
static uint64_t judge_at_ms(const struct csi_queued *q)
{
    uint64_t patience = 3 * q->ping_ms;
    if (q->hungry_ms) {
        uint64_t soon = (q->look_ms - q->hungry_ms) / 4;
        soon = soon < hungry_first_ms ? hungry_first_ms : soon;
        return q->look_ms + (soon < q->ping_ms ? soon : q->ping_ms);
    }
    return q->heard_ms + patience;
}

static cfsplit_status work(struct csi_queued *q, uint64_t now_ms, uint64_t running, struct cfsplit_error *err)
{
    bool over = false;
    if (!is_hungry(q)) {
        q->hungry_ms = 0;
    } else if (q->hungry_ms == 0) {
        q->hungry_ms = q->look_ms = now_ms;
    }
    ask(q);
    if (now_ms - q->pinged_ms >= q->ping_ms) {
        struct csi_message ping = {
            .kind = CSI_MESSAGE_PING,
            .ping = {.running = running, .queued = q->leases.waiting, .asked = q->asked, .got = q->got}};
        q->pinged_ms = now_ms;
        send_message(q, &ping);
    }
    if (now_ms < judge_at_ms(q))
        return CFSPLIT_OK;
    q->look_ms = now_ms;
    cfsplit_status status = judge(q, now_ms, &over, err);
    if (status == CFSPLIT_OK && (over || now_ms - q->heard_ms >= 3 * q->ping_ms))
        look_again(q, now_ms);
    return status;
}

/* Alone, it holds nothing of any coordinator: a new one need not wait for it. */
static cfsplit_status step_alone(struct csi_queued *q, uint64_t now_ms, struct cfsplit_error *err)
{
    struct csi_epoch found;
    if (now_ms < q->look_ms)
        return CFSPLIT_OK;
    q->look_ms = now_ms + look_alone_ms;
    cfsplit_status status = csi_epoch_last(q->run, q->epoch.K, &found, err);
    if (status != CFSPLIT_OK)
        return status == CFSPLIT_END ? CFSPLIT_OK : status;
    q->epoch = found;
    q->address = 0;
    q->beat_ms = q->heard_ms = q->stand_ms = 0;
    return q->bound < found.K ? bind_to(q, found.K, true, err) : CFSPLIT_OK;
}

cfsplit_status csi_queued_step(struct csi_queued *q, uint64_t now_ms, uint64_t idle, uint64_t running,
                               struct cfsplit_error *err)
{
    q->idle = idle;
    if (q->slots < idle + running)
        q->slots = idle + running;
    if (q->state == CSI_QUEUED_AT_WORK && q->stepped_ms == now_ms && q->leases.waiting > idle && has_enough(q))
        return CFSPLIT_OK; /* with tiny items this is called all the time */
    q->stepped_ms = now_ms;
    (void)csi_queued_listen(q, now_ms);
    if (q->fenced)
        return csi_fail(
            err, CFSPLIT_FENCED,
            "this replica was silent for so long that another one took over; what it did since is not counted");
    switch (q->state) {
    case CSI_QUEUED_LOOKING: return look(q, now_ms, err);
    case CSI_QUEUED_CALLING: return wait_for_welcome(q, now_ms, err);
    case CSI_QUEUED_AT_WORK: return work(q, now_ms, running, err);
    case CSI_QUEUED_ALONE: return step_alone(q, now_ms, err);
    case CSI_QUEUED_HOME: break;
    }
    return CFSPLIT_OK;
}

/* ---- hearing */

static void take_welcome(struct csi_queued *q, const struct csi_message *m, uint64_t now_ms)
{
    if (q->state != CSI_QUEUED_CALLING)
        return;
    q->state = CSI_QUEUED_AT_WORK;
    q->patience_ms = twice(now_ms - q->called_ms); /* far away, or not */
    q->ping_ms = m->welcome.ping_ms ? m->welcome.ping_ms : first_ping_ms;
    q->pinged_ms = now_ms;
    q->unreached_ms = q->hungry_ms = 0;
    q->again = false;
    q->look_ms = now_ms;
}

/* Something was lost, or what waits is wanted back: a new session, at the next step, at the same address. RESET may come several times,
 * for each message that it answers. */
static void start_over(struct csi_queued *q, uint64_t now_ms)
{
    q->clean = false;
    q->state = CSI_QUEUED_CALLING;
    q->called_ms = now_ms - q->patience_ms;
    q->same_address = true;
    if (q->unreached_ms == 0)
        q->unreached_ms = now_ms ? now_ms : 1;
}

/* What waits is wanted by others. Who has nothing to give says so, by a PING that is due at once; but if it has come to use more slots
 * than it said, the coordinator shall know. */
static void give_back(struct csi_queued *q, uint64_t now_ms)
{
    if (q->leases.waiting > 0 || q->slots > q->told_slots)
        start_over(q, now_ms);
    else
        q->pinged_ms = now_ms - q->ping_ms;
}

static void take_batch(struct csi_queued *q, const struct csi_message *m, uint64_t now_ms)
{
    struct csi_wire_bytes list;
    struct cfsplit_error err;
    bool bad = !csi_wire_unpack(m, &q->space, &list);
    if (!bad && csi_leases_add(&q->leases, list, m->batch.count, &bad, &err) != CFSPLIT_OK)
        bad = true; /* no memory for it: what was dropped is given again */
    if (bad) {
        q->dropped++;
        start_over(q, now_ms);
        return;
    }
    q->got += m->batch.count;
    q->ahead = m->batch.ahead;
    q->hungry_ms = 0;
}

static void take_pong(struct csi_queued *q, const struct csi_message *m, uint64_t now_ms)
{
    if (m->pong.sent != q->got || m->pong.asked > q->asked) /* it counts as of now, and frames keep their order */
        start_over(q, now_ms);
}

static void take(struct csi_queued *q, const struct csi_message *m, uint64_t now_ms)
{
    switch (m->kind) {
    case CSI_MESSAGE_WELCOME: take_welcome(q, m, now_ms); break;
    case CSI_MESSAGE_BATCH: take_batch(q, m, now_ms); break;
    case CSI_MESSAGE_PONG: take_pong(q, m, now_ms); break;
    case CSI_MESSAGE_RESET: start_over(q, now_ms); break;
    case CSI_MESSAGE_REVOKE: give_back(q, now_ms); break;
    case CSI_MESSAGE_HOME: q->state = CSI_QUEUED_HOME; break;
    case CSI_MESSAGE_OVER: look_again(q, now_ms); break;
    case CSI_MESSAGE_ENDED: q->fenced = true; break;
    default: break;
    }
}

/* RESET answers what has no session that it knows, OVER and ENDED come at any time. */
static bool is_of_session(const struct csi_queued *q, const struct csi_message *m)
{
    return m->epoch == q->epoch.K && m->session == q->session &&
           (m->kind != CSI_MESSAGE_BATCH || q->state == CSI_QUEUED_AT_WORK);
}

bool csi_queued_listen(struct csi_queued *q, uint64_t now_ms)
{
    const void *frame;
    size_t length;
    struct cfsplit_error err;
    bool any = false;
    while (q->link && csi_link_take(q->link, &frame, &length, &err) == CFSPLIT_OK) {
        struct csi_message m;
        if (!csi_message_decode(frame, length, CSI_FROM_COORDINATOR, &m) || !is_of_session(q, &m)) {
            q->dropped++;
            continue;
        }
        any = true;
        q->heard_ms = now_ms;
        if (m.seq != q->seq_in + 1 && m.kind != CSI_MESSAGE_ENDED)
            start_over(q, now_ms);
        else
            take(q, &m, now_ms);
        q->seq_in = m.seq;
    }
    return any;
}

int csi_queued_fd(const struct csi_queued *q)
{
    return q->link ? csi_link_fd(q->link) : -1;
}

uint64_t csi_queued_due_ms(const struct csi_queued *q)
{
    uint64_t ping, judged, called;
    switch (q->state) {
    case CSI_QUEUED_LOOKING:
    case CSI_QUEUED_ALONE: return q->look_ms;
    case CSI_QUEUED_CALLING: called = q->called_ms + q->patience_ms; return called < q->look_ms ? called : q->look_ms;
    case CSI_QUEUED_AT_WORK:
        ping = q->pinged_ms + q->ping_ms;
        judged = judge_at_ms(q);
        return ping < judged ? ping : judged;
    case CSI_QUEUED_HOME: break;
    }
    return UINT64_MAX;
}

/* ---- items */

struct csi_lease *csi_queued_take(struct csi_queued *q, uint64_t running)
{
    struct csi_lease *lease = csi_leases_peek(&q->leases);
    if (!lease || (lease->alone && running > 0))
        return NULL;
    csi_leases_start(&q->leases);
    return lease;
}

void csi_queued_leave(struct csi_queued *q, uint64_t length)
{
    struct csi_message bye = {.kind = CSI_MESSAGE_BYE, .bye.journal = length};
    if (q->link && q->seq_in > 0)
        send_message(q, &bye);
    csi_link_close(q->link);
    q->link = NULL;
}
