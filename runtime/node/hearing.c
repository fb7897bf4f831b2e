/* What a coordinator hears and says: one function a message. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "node/leading.h"

enum { credit_most = 4096, batches_at_once = 64 };

/* ---- who is at the other end of a connection */

static uint64_t id_of(const struct csi_net_peer *connection)
{
    uint64_t id = 0;
    for (unsigned char i = 0; i < connection->length; i++)
        id = id << 8 | connection->id[i];
    return id + 1; /* 0: a free place */
}

static size_t place_of(const struct csi_leading *l, uint64_t id)
{
    size_t i = (size_t)(id * UINT64_C(0x9E3779B97F4A7C15) >> 24) & (l->lines.room - 1);
    while (l->lines.ids[i] != 0 && l->lines.ids[i] != id)
        i = (i + 1) & (l->lines.room - 1);
    return i;
}

static struct csi_peer *peer_of(const struct csi_leading *l, const struct csi_net_peer *connection)
{
    uint64_t id = id_of(connection);
    if (l->lines.room == 0)
        return NULL;
    size_t i = place_of(l, id);
    struct csi_peer *peer = l->lines.ids[i] ? &l->peers.at[l->lines.peers[i]] : NULL;
    /* a connection that the peer has left for another one is nobody's */
    return peer && peer->session && id_of(&peer->connection) == id ? peer : NULL;
}

void csi_leading_forget_lines(struct csi_leading *l)
{
    free(l->lines.ids);
    free(l->lines.peers);
    l->lines.ids = NULL;
    l->lines.peers = NULL;
    l->lines.room = l->lines.count = 0;
}

/* A table of the connections that are in use now, with room for as many again. */
static cfsplit_status rebuild_lines(struct csi_leading *l, struct cfsplit_error *err)
{
    size_t used = 0, room = 64;
    for (size_t i = 0; i < l->peers.count; i++)
        used += l->peers.at[i].session != 0;
    while (room < 4 * (used + 1))
        room *= 2;
    csi_leading_forget_lines(l);
    l->lines.ids = calloc(room, sizeof *l->lines.ids);
    l->lines.peers = calloc(room, sizeof *l->lines.peers);
    if (!l->lines.ids || !l->lines.peers)
        return csi_fail_memory(err);
    l->lines.room = room;
    for (size_t i = 0; i < l->peers.count; i++) {
        if (l->peers.at[i].session == 0)
            continue;
        size_t place = place_of(l, id_of(&l->peers.at[i].connection));
        l->lines.ids[place] = id_of(&l->peers.at[i].connection);
        l->lines.peers[place] = (uint32_t)i;
        l->lines.count++;
    }
    return CFSPLIT_OK;
}

static cfsplit_status add_line(struct csi_leading *l, const struct csi_net_peer *connection, size_t peer,
                               struct cfsplit_error *err)
{
    if (l->lines.room == 0 || 2 * (l->lines.count + 1) > l->lines.room)
        return rebuild_lines(l, err); /* the peer has its session: it is in */
    size_t place = place_of(l, id_of(connection));
    l->lines.count += l->lines.ids[place] == 0;
    l->lines.ids[place] = id_of(connection);
    l->lines.peers[place] = (uint32_t)peer;
    return CFSPLIT_OK;
}

/* ---- saying */

/* False: it takes nothing now, or is gone. */
static bool put(struct csi_leading *l, const struct csi_net_peer *connection, const struct csi_message *message)
{
    struct cfsplit_error err;
    csi_buf_clear(&l->out);
    csi_message_encode(message, &l->out);
    return csi_buf_check(&l->out, &err) == CFSPLIT_OK &&
           csi_server_put(l->server, connection, l->out.data, l->out.length, &err) == CFSPLIT_OK;
}

static bool say(struct csi_leading *l, struct csi_peer *peer, struct csi_message *message)
{
    message->epoch = l->epoch.K;
    message->session = peer->session;
    message->seq = peer->seq_out + 1;
    bool sent = put(l, &peer->connection, message);
    peer->seq_out += sent;
    return sent;
}

static void say_word(struct csi_leading *l, struct csi_peer *peer, enum csi_message_kind kind)
{
    struct csi_message message = {.kind = kind};
    (void)!say(l, peer, &message);
}

/* To whom has no session here. */
static void answer(struct csi_leading *l, const struct csi_net_peer *connection, const struct csi_message *to,
                   enum csi_message_kind kind)
{
    struct csi_message message = {.kind = kind, .epoch = l->epoch.K, .session = to->session, .seq = 1};
    (void)!put(l, connection, &message);
}

void csi_leading_tell_all(struct csi_leading *l, enum csi_message_kind kind)
{
    for (size_t i = 0; i < l->peers.count; i++)
        if (l->peers.at[i].session)
            say_word(l, &l->peers.at[i], kind);
}

/* What it was given may be lost, or it cannot be reached: what it has not started comes back when it says HELLO again, or is over. */
static void lose_touch(struct csi_leading *l, struct csi_peer *peer)
{
    if (peer->session == 0)
        return;
    peer->session = 0;
    l->connected--;
    if (peer->worker != CSI_QUEUE_NOBODY)
        csi_queue_pause(l->queue, peer->worker);
}

static void reset(struct csi_leading *l, struct csi_peer *peer)
{
    say_word(l, peer, CSI_MESSAGE_RESET);
    lose_touch(l, peer);
}

/* ---- hearing */

static cfsplit_status welcome(struct csi_leading *l, size_t at, const struct csi_net_peer *connection,
                              const struct csi_message *m, struct cfsplit_error *err)
{
    struct csi_peer *peer = &l->peers.at[at];
    struct csi_message message = {.kind = CSI_MESSAGE_WELCOME, .welcome.ping_ms = l->options.takeover_after_ms / 6 + 1};
    l->connected += peer->session == 0;
    peer->session = peer->last_session = m->session;
    peer->connection = *connection;
    peer->seq_in = m->seq;
    peer->seq_out = peer->asked = peer->sent = 0;
    peer->heard_ms = l->now_ms;
    peer->slots = m->hello.slots;
    cfsplit_status status = csi_peers_join(&l->peers, at, err);
    if (status == CFSPLIT_OK) {
        csi_queue_resize(l->queue, peer->worker, peer->slots);
        csi_queue_settle(l->queue, peer->worker);
        if (strcmp(l->peers.list.at[at].name, l->host.name) == 0)
            csi_queue_keep(l->queue, peer->worker); /* its process is needed: we are in it */
        status = add_line(l, connection, at, err);
    }
    if (status == CFSPLIT_OK && !say(l, peer, &message))
        lose_touch(l, peer);
    if (status == CFSPLIT_OK && l->complete && peer->session) /* all were sent home, it in its last session */
        say_word(l, peer, CSI_MESSAGE_HOME);
    return status;
}

/* Has it written that it begins this session, and so holds nothing but what its journal says? Who only uses its name, or repeats what
 * it said, has not: what was given to it would be handed out a second time. */
static bool may_begin(const struct csi_leading *l, const struct csi_peer *peer, uint64_t session)
{
    return peer->bound >= l->epoch.K && peer->may_call == session &&
           (session != peer->last_session || peer->asked == 0);
}

static cfsplit_status hear_hello(struct csi_leading *l, const struct csi_net_peer *connection,
                                 const struct csi_message *m, struct cfsplit_error *err)
{
    size_t at;
    const char *run_id = l->run->spec.run_id;
    if (m->hello.run_id.length != strlen(run_id) || memcmp(m->hello.run_id.data, run_id, strlen(run_id)) != 0 ||
        m->session == 0 || m->seq != 1) {
        l->strange++;
        return CFSPLIT_OK;
    }
    cfsplit_status status = csi_peers_find(&l->peers, m->hello.inc.data, m->hello.inc.length, &at, err);
    if (status != CFSPLIT_OK)
        return status;
    struct csi_peer *peer = at == SIZE_MAX ? NULL : &l->peers.at[at];
    if (!peer || l->peers.list.at[at].coordinator) {
        l->strange++;
        return CFSPLIT_OK;
    }
    if (peer->over) {
        answer(l, connection, m, CSI_MESSAGE_ENDED);
        return CFSPLIT_OK;
    }
    if (peer->reader.length < m->hello.journal)
        status = csi_peers_read(&l->peers, at, m->hello.journal, err);
    if (status != CFSPLIT_OK)
        return status;
    if (peer->reader.length < m->hello.journal || !may_begin(l, peer, m->session)) {
        l->strange++; /* or the storage has not brought it yet: it calls again */
        return CFSPLIT_OK;
    }
    return welcome(l, at, connection, m, err);
}

static void hear_ends(struct csi_leading *l, struct csi_peer *peer, const struct csi_message *m)
{
    struct csi_wire_bytes list = m->ends.list;
    struct csi_wire_end end;
    uint64_t count = 0;
    for (; count < m->ends.count && csi_wire_end_next(&list, &end); count++) {
        struct csi_record record = {.kind = CSI_RECORD_END,
                                    .index = end.index,
                                    .attempt = end.attempt,
                                    .class = end.class < CSI_CLASS_COUNT ? (enum csi_class)end.class : CSI_STOPPED,
                                    .text = ""};
        bool known =
            end.class < CSI_CLASS_COUNT && csi_peers_end(&l->peers, (size_t)(peer - l->peers.at), &record, end.took_us);
        l->strange += !known;
    }
    l->strange += count < m->ends.count || list.length > 0; /* not the list that it says it is */
}

/* Whoever asks for more than anybody can use is not given all of the list. */
static void hear_want(struct csi_leading *l, struct csi_peer *peer, const struct csi_message *m)
{
    struct csi_queue_worker worker;
    csi_queue_look(l->queue, peer->worker, &worker);
    uint64_t room = worker.credit < credit_most ? credit_most - worker.credit : 0;
    peer->asked += m->want.count;
    csi_queue_want(l->queue, peer->worker, m->want.count < room ? m->want.count : room);
}

static void hear_ping(struct csi_leading *l, struct csi_peer *peer, const struct csi_message *m)
{
    struct csi_message pong = {.kind = CSI_MESSAGE_PONG, .pong = {.sent = peer->sent, .asked = peer->asked}};
    peer->running = m->ping.running;
    peer->waiting = m->ping.queued;
    if (m->ping.asked != peer->asked) {
        reset(l, peer);
        return;
    }
    if (m->ping.queued == 0 && m->ping.got == peer->sent)
        csi_queue_dry(l->queue, peer->worker);
    if (!say(l, peer, &pong))
        lose_touch(l, peer);
}

static cfsplit_status hear_bye(struct csi_leading *l, struct csi_peer *peer, struct cfsplit_error *err)
{
    size_t at = (size_t)(peer - l->peers.at);
    lose_touch(l, peer);
    if (l->complete)
        return CFSPLIT_OK;                                 /* what its journal says is known */
    return csi_peers_check(&l->peers, at, l->now_ms, err); /* its journal is closed */
}

static cfsplit_status hear_peer(struct csi_leading *l, struct csi_peer *peer, const struct csi_message *m,
                                struct cfsplit_error *err)
{
    if (m->seq != peer->seq_in + 1) {
        l->strange++;
        if (m->seq > peer->seq_in)
            reset(l, peer);
        return CFSPLIT_OK;
    }
    peer->seq_in = m->seq;
    peer->heard_ms = l->now_ms;
    if (m->kind == CSI_MESSAGE_WANT) {
        hear_want(l, peer, m);
    } else if (m->kind == CSI_MESSAGE_ENDS) {
        hear_ends(l, peer, m);
    } else if (m->kind == CSI_MESSAGE_PING) {
        hear_ping(l, peer, m);
    } else if (m->kind == CSI_MESSAGE_BYE) {
        return hear_bye(l, peer, err);
    }
    return CFSPLIT_OK;
}

cfsplit_status csi_leading_hear(struct csi_leading *l, struct cfsplit_error *err)
{
    struct csi_net_peer connection;
    struct csi_message m;
    const void *frame;
    size_t length;
    cfsplit_status status = csi_server_take(l->server, &connection, &frame, &length, err);
    if (status != CFSPLIT_OK)
        return status;
    if (!csi_message_decode(frame, length, CSI_FROM_WORKER, &m) || m.epoch != l->epoch.K) {
        l->strange++;
        return CFSPLIT_OK;
    }
    l->peers.now_ms = l->now_ms;
    if (m.kind == CSI_MESSAGE_HELLO)
        return hear_hello(l, &connection, &m, err);
    struct csi_peer *peer = peer_of(l, &connection);
    if (peer && peer->session == m.session)
        return hear_peer(l, peer, &m, err);
    answer(l, &connection, &m, CSI_MESSAGE_RESET);
    return CFSPLIT_OK;
}

/* ---- handing out */

static cfsplit_status list_item(struct csi_leading *l, const struct csi_queue_given *given, struct cfsplit_error *err)
{
    const struct csi_entry *entry = csi_ledger_at(&l->ledger, given->index);
    const struct cfsplit_item *item;
    cfsplit_status status = csi_names_at(&l->names, given->index, &item, err);
    if (status != CFSPLIT_OK)
        return status;
    struct csi_wire_item out = {.index = given->index,
                                .weight = item->weight,
                                .attempt = given->attempt,
                                .failures = entry->failures,
                                .deaths = entry->deaths,
                                .laters = entry->laters,
                                .alone = given->alone,
                                .aside = given->aside,
                                .name = {item->name, item->length}};
    csi_wire_item_add(&l->list, &out);
    return csi_buf_check(&l->list, err);
}

/* Cuts a batch to its first `count` items; the others go back to the queue. */
static void shorten(struct csi_leading *l, struct csi_queue_batch *batch, size_t count)
{
    struct csi_queue_batch rest = {.worker = batch->worker, .count = batch->count - count};
    memcpy(rest.items, batch->items + count, rest.count * sizeof rest.items[0]);
    batch->count = count;
    if (rest.count > 0)
        csi_queue_undo(l->queue, &rest);
}

/* Lists the items of a batch, as many as fit a frame: of one, the name may be as long as names are. */
static cfsplit_status list_items(struct csi_leading *l, struct csi_queue_batch *batch, struct cfsplit_error *err)
{
    _Static_assert(2 * CFSPLIT_ITEM_BYTES_MAX <= CSI_WIRE_LIST_MAX, "an item fits a frame, whatever its name");
    size_t count = 0;
    csi_buf_clear(&l->list);
    for (; count < batch->count; count++) {
        size_t before = l->list.length;
        cfsplit_status status = list_item(l, &batch->items[count], err);
        if (status != CFSPLIT_OK)
            return status;
        if (l->list.length > CSI_WIRE_LIST_MAX) {
            l->list.length = before;
            break;
        }
    }
    shorten(l, batch, count);
    return CFSPLIT_OK;
}

static cfsplit_status send_batch(struct csi_leading *l, struct csi_queue_batch *batch, struct cfsplit_error *err)
{
    struct csi_peer *peer = csi_peers_of_worker(&l->peers, batch->worker);
    cfsplit_status status = list_items(l, batch, err);
    if (status != CFSPLIT_OK)
        return status;
    struct csi_message message = {.kind = CSI_MESSAGE_BATCH, .batch = {.ahead = batch->ahead, .count = batch->count}};
    csi_wire_pack(&message, &l->list, &l->space);
    if (peer && peer->session && say(l, peer, &message)) {
        peer->sent += batch->count;
        return CFSPLIT_OK;
    }
    csi_queue_undo(l->queue, batch);
    if (peer)
        lose_touch(l, peer);
    return CFSPLIT_OK;
}

static void send_home(struct csi_leading *l, uint32_t worker)
{
    struct csi_peer *peer = csi_peers_of_worker(&l->peers, worker);
    if (!peer || !peer->session)
        return;
    say_word(l, peer, CSI_MESSAGE_HOME);
}

cfsplit_status csi_leading_hand_out(struct csi_leading *l, struct cfsplit_error *err)
{
    struct csi_queue_batch batch;
    uint32_t worker;
    cfsplit_status status = CFSPLIT_OK;
    for (int i = 0; status == CFSPLIT_OK && i < batches_at_once && csi_queue_next(l->queue, l->now_ms, &batch); i++)
        status = send_batch(l, &batch, err);
    while (status == CFSPLIT_OK && csi_queue_next_revoked(l->queue, &worker)) {
        struct csi_peer *peer = csi_peers_of_worker(&l->peers, worker);
        if (peer && peer->session)
            say_word(l, peer, CSI_MESSAGE_REVOKE);
    }
    while (status == CFSPLIT_OK && csi_queue_next_home(l->queue, &worker))
        send_home(l, worker);
    return status;
}
