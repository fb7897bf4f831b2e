#include "node/coordinator.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/killpoint.h"
#include "base/thread.h"
#include "node/leading.h"

enum { frames_at_once = 512, beat_every_ms = 10000, farewell_ms = 3000, look_every_ms = 1000, sentences_most = 16 };

struct csi_coordinator {
    struct csi_leading lead; /* the thread's own, once it runs */
    pthread_t thread;
    int wake; /* eventfd: something was asked of the thread */
    pthread_mutex_t lock;
    bool asked_to_stop, ended; /* under the lock, as what follows */
    cfsplit_status status;
    struct cfsplit_error err;
    char sentences[sentences_most][256];
    size_t sentence_count;
};

/* ---- talk between the threads */

static void say(void *context, const char *sentence)
{
    struct csi_coordinator *c = context;
    pthread_mutex_lock(&c->lock);
    if (c->sentence_count < sentences_most)
        snprintf(c->sentences[c->sentence_count++], sizeof c->sentences[0], "%s", sentence);
    pthread_mutex_unlock(&c->lock);
}

bool csi_coordinator_take_sentence(struct csi_coordinator *c, char sentence[256])
{
    pthread_mutex_lock(&c->lock);
    bool any = c->sentence_count > 0;
    if (any) {
        memcpy(sentence, c->sentences[0], sizeof c->sentences[0]);
        memmove(c->sentences[0], c->sentences[1], --c->sentence_count * sizeof c->sentences[0]);
    }
    pthread_mutex_unlock(&c->lock);
    return any;
}

static bool is_asked_to_stop(struct csi_coordinator *c)
{
    pthread_mutex_lock(&c->lock);
    bool asked = c->asked_to_stop;
    pthread_mutex_unlock(&c->lock);
    return asked;
}

bool csi_coordinator_has_ended(struct csi_coordinator *c)
{
    pthread_mutex_lock(&c->lock);
    bool ended = c->ended;
    pthread_mutex_unlock(&c->lock);
    return ended;
}

/* ---- leading */

/* How long the loop may sleep. */
static int patience(const struct csi_leading *l)
{
    struct csi_queue_counts counts;
    uint64_t due = csi_queue_due_ms(l->queue), longest = l->recovered ? l->interval_ms : l->interval_ms / 10;
    csi_queue_count(l->queue, &counts);
    if (counts.wanted > 0 && counts.waiting == 0 && l->fresh < l->piece_count && !l->complete)
        return 0; /* more pieces are to be claimed */
    if (due <= l->now_ms)
        return counts.wanted > 0 ? 0 : (int)longest;
    return due - l->now_ms < longest ? (int)(due - l->now_ms) : (int)longest;
}

/* Everything is accounted for, and all have left; or who has not, though it may be calling, had its time. */
static bool may_end(const struct csi_leading *l)
{
    bool all_left = l->connected == 0 && csi_peers_are_over(&l->peers);
    return l->complete && (all_left || l->now_ms - l->home_ms >= farewell_ms);
}

static cfsplit_status turn(struct csi_coordinator *c, struct cfsplit_error *err)
{
    struct csi_leading *l = &c->lead;
    bool woken;
    l->now_ms = csi_clock_mono_ms();
    cfsplit_status status = csi_leading_tick(l, err);
    if (status == CFSPLIT_OK)
        status = csi_leading_take_pieces(l, err);
    if (status == CFSPLIT_OK)
        status = csi_leading_hand_out(l, err);
    if (status == CFSPLIT_OK)
        status = csi_leading_look_for_the_end(l, err);
    if (status == CFSPLIT_OK && may_end(l))
        l->end = CSI_LEADING_DONE;
    if (status != CFSPLIT_OK || l->end != CSI_LEADS)
        return status;
    status = csi_server_wait(l->server, patience(l), c->wake, &woken, err);
    l->now_ms = csi_clock_mono_ms();
    for (int i = 0; status == CFSPLIT_OK && i < frames_at_once; i++)
        status = csi_leading_hear(l, err);
    if (is_asked_to_stop(c) && !l->complete && l->end == CSI_LEADS)
        l->end = CSI_LEADING_LEFT;
    return status == CFSPLIT_END ? CFSPLIT_OK : status;
}

/* Its office is laid down first, so that who hears OVER finds it so. */
static cfsplit_status hand_over(struct csi_leading *l, cfsplit_status status, struct cfsplit_error *err)
{
    bool done = l->end == CSI_LEADING_DONE;
    struct csi_record closed = {.kind = CSI_RECORD_CLOSED, .text = done ? CSI_CLOSED_FINISHED : "left"};
    struct cfsplit_error second;
    closed.text_length = strlen(closed.text);
    if (l->end != CSI_LEADING_FENCED && !l->journal.broken) {
        csi_journal_add(&l->journal, &closed);
        cfsplit_status closing = csi_journal_write(&l->journal, &second);
        if (closing == CFSPLIT_OK)
            closing = csi_journal_sync(&l->journal, &second);
        if (closing != CFSPLIT_OK && status == CFSPLIT_OK) {
            status = closing;
            *err = second;
        }
    }
    if (csi_journal_close(&l->journal, &second) != CFSPLIT_OK && status == CFSPLIT_OK) {
        status = second.status;
        *err = second;
    }
    csi_heart_stop(&l->heart, l->end == CSI_LEADING_FENCED ? CSI_BEAT_WORKING
                              : done                       ? CSI_BEAT_FINISHED
                                                           : CSI_BEAT_LEFT);
    if (l->queue)
        csi_leading_tell_seen(l);
    csi_leading_tell_all(l, l->complete ? CSI_MESSAGE_HOME : CSI_MESSAGE_OVER);
    return status;
}

static void release(struct csi_coordinator *c)
{
    struct csi_leading *l = &c->lead;
    csi_server_close(l->server);
    csi_queue_free(l->queue);
    csi_peers_fini(&l->peers);
    csi_ledger_fini(&l->ledger);
    csi_names_fini(&l->names);
    csi_leading_forget_lines(l);
    csi_buf_release(&l->out);
    csi_buf_release(&l->list);
    csi_buf_release(&l->space);
    free(l->pieces);
    free(l->highest);
    free(l->released);
    cfsplit_run_close(l->run);
    pthread_mutex_destroy(&c->lock);
    if (c->wake >= 0)
        close(c->wake);
    free(c);
}

static void *lead(void *argument)
{
    struct csi_coordinator *c = argument;
    struct cfsplit_error err = {.status = CFSPLIT_OK};
    c->lead.now_ms = csi_clock_mono_ms();
    cfsplit_status status = csi_leading_take_stock(&c->lead, &err);
    while (status == CFSPLIT_OK && c->lead.end == CSI_LEADS)
        status = turn(c, &err);
    status = hand_over(&c->lead, status, &err);
    pthread_mutex_lock(&c->lock);
    c->status = status;
    c->err = err;
    c->ended = true;
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ---- beginning */

static void fill_epoch(struct csi_leading *l, uint64_t K, const char *ipc)
{
    struct csi_epoch *e = &l->epoch;
    e->K = K;
    e->coordinator = l->self;
    snprintf(e->key, sizeof e->key, "%s", csi_server_key(l->server));
    csi_net_place(e->place);
    snprintf(e->addresses[e->address_count++], CSI_EPOCH_ADDRESS_BYTES, "ipc://%s", ipc);
    const char *address;
    for (size_t i = 0; e->address_count < CSI_EPOCH_ADDRESSES_MAX && (address = csi_server_address(l->server, i)); i++)
        snprintf(e->addresses[e->address_count++], CSI_EPOCH_ADDRESS_BYTES, "%s", address);
}

/* Binds, and stands for the epoch. */
static cfsplit_status stand(struct csi_leading *l, const struct csi_coordinator_options *o, bool *won,
                            struct cfsplit_error *err)
{
    char ipc[100];
    cfsplit_status status = csi_inc_make(l->run, o->host->replica, true, "coordinator", &l->self, err);
    if (status != CFSPLIT_OK)
        return status;
    snprintf(ipc, sizeof ipc, "@cfsplit-%s-%" PRIu64 "-%s", l->run->spec.run_id, o->K, strchr(l->self.name, '-') + 1);
    const struct csi_server_options server = {.client_key = o->client->open, .ipc = ipc, .bind = o->bind};
    status = csi_server_open(&server, &l->server, err);
    if (status != CFSPLIT_OK)
        return status;
    fill_epoch(l, o->K, ipc);
    status = csi_epoch_put(l->run, &l->epoch, won, err);
    CSI_KILL_POINT("queue.epoch-won");
    return status;
}

static cfsplit_status take_office(struct csi_coordinator *c, struct cfsplit_error *err)
{
    struct csi_leading *l = &c->lead;
    uint64_t interval = l->options.takeover_after_ms / 6;
    cfsplit_status status = csi_inc_put(l->run, &l->self, err);
    if (status == CFSPLIT_OK)
        status = csi_journal_open(&l->journal, l->run, &l->self, err);
    if (status == CFSPLIT_OK)
        status = csi_heart_start(&l->heart, l->run, l->self.name,
                                 interval > beat_every_ms ? beat_every_ms
                                 : interval               ? interval
                                                          : 1,
                                 err);
    if (status == CFSPLIT_OK)
        status = csi_peers_init(&l->peers, l->run, &l->self, l->epoch.K, &l->options, &l->ledger, say, c, err);
    if (status == CFSPLIT_OK)
        status = csi_thread_start(&c->thread, lead, c, err);
    if (status == CFSPLIT_OK)
        return status;
    /* it leads by its epoch, and will never do anything: nobody should wait for it */
    struct csi_seal seal;
    struct cfsplit_error second;
    (void)!csi_fence_end(l->run, &l->self, &l->self, &seal, &second);
    (void)!csi_journal_close(&l->journal, &second);
    csi_heart_stop(&l->heart, CSI_BEAT_LEFT);
    return status;
}

cfsplit_status csi_coordinator_start(const struct csi_coordinator_options *o, struct csi_coordinator **out,
                                     struct cfsplit_error *err)
{
    bool won = false;
    *out = NULL;
    struct csi_coordinator *c = calloc(1, sizeof *c);
    if (!c)
        return csi_fail_memory(err);
    struct csi_leading *l = &c->lead;
    pthread_mutex_init(&c->lock, NULL);
    l->journal.fd = l->heart.fd = -1;
    l->options = *o->options;
    l->options.no_adopt = 0; /* it takes nothing for itself */
    /* who looks away for half of --stall-after judges nobody */
    l->interval_ms = l->options.stall_after_ms / 8 < look_every_ms ? l->options.stall_after_ms / 8 + 1 : look_every_ms;
    l->host = *o->host;
    l->say = say;
    l->context = c;
    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    cfsplit_status status = c->wake < 0 ? csi_fail_errno(err, CFSPLIT_MEMORY, errno, "cannot coordinate")
                                        : cfsplit_run_open(o->path, &l->run, err);
    if (status == CFSPLIT_OK) {
        csi_names_init(&l->names, l->run);
        status = stand(l, o, &won, err);
    }
    if (status == CFSPLIT_OK && won)
        status = take_office(c, err);
    if (status == CFSPLIT_OK && won)
        *out = c;
    else
        release(c);
    return status;
}

cfsplit_status csi_coordinator_stop(struct csi_coordinator *c, struct cfsplit_error *err)
{
    uint64_t one = 1;
    if (!c)
        return CFSPLIT_OK;
    pthread_mutex_lock(&c->lock);
    c->asked_to_stop = true;
    pthread_mutex_unlock(&c->lock);
    while (write(c->wake, &one, sizeof one) < 0 && errno == EINTR)
        ;
    pthread_join(c->thread, NULL);
    cfsplit_status status = c->status;
    if (status != CFSPLIT_OK && err)
        *err = c->err;
    release(c);
    return status;
}
