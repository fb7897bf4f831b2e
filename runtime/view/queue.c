/* The queue of a run: who hands out items, what it told of the replicas, and what those run. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "view/survey.h"

enum { longest_gap_ms = 10000 }; /* between two looks, for silence in between to mean something */

/* ---- what it told */

/* No count of ours is as high as the sign bit, which others who read it may not have. */
static bool take_count(struct csi_fields *f, uint64_t *out)
{
    return csi_fields_u64(f, out) && *out <= INT64_MAX;
}

static bool parse_head(struct csi_fields *f, struct cfsplit_queue_view *view)
{
    struct cfsplit_queue_view v = *view;
    if (!csi_fields_is(f, "cfsplit-seen") || !csi_fields_is(f, "1") || !csi_fields_is(f, view->name) ||
        !take_count(f, &v.connected) || !take_count(f, &v.refused) || !take_count(f, &v.strange) ||
        !take_count(f, &v.ready) || !take_count(f, &v.held))
        return false;
    v.told = 1;
    *view = v;
    return true;
}

static bool parse_worker(struct csi_fields *f, char name[CSI_INC_BYTES], struct cfsplit_queue_worker *worker)
{
    const char *text;
    size_t length;
    uint32_t replica;
    *worker = (struct cfsplit_queue_worker){.connected = 1};
    if (!csi_fields_is(f, "worker") || !csi_fields_next(f, &text, &length) || length >= CSI_INC_BYTES)
        return false;
    memcpy(name, text, length);
    name[length] = '\0';
    return strlen(name) == length && csi_inc_is_name(name, &replica) && take_count(f, &worker->slots) &&
           take_count(f, &worker->held) && take_count(f, &worker->ended) && take_count(f, &worker->mean_us) &&
           take_count(f, &worker->heard_ms);
}

bool csi_survey_queue_parse(const char *text, size_t length, struct cfsplit_queue_view *view,
                            void (*add)(void *context, const char *name, const struct cfsplit_queue_worker *worker),
                            void *context)
{
    const char *end = text + length, *newline = length ? memchr(text, '\n', length) : NULL;
    if (!newline)
        return false;
    struct csi_fields head = csi_fields_of(text, (size_t)(newline - text));
    if (!parse_head(&head, view))
        return false;
    for (const char *line = newline + 1; line < end; line = newline + 1) {
        char name[CSI_INC_BYTES];
        struct cfsplit_queue_worker worker;
        newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline) /* torn */
            break;
        struct csi_fields f = csi_fields_of(line, (size_t)(newline - line));
        if (parse_worker(&f, name, &worker))
            add(context, name, &worker);
    }
    return true;
}

/* ---- who hands out items */

static uint64_t takeover_after_ms(const struct cfsplit_survey *s)
{
    struct cfsplit_run_options options = CFSPLIT_RUN_OPTIONS_INIT;
    csi_options_settle(&options, &s->run->spec.options);
    return options.takeover_after_ms;
}

/* Which start of its replica the process is that it lives in; 0: that has not been seen. */
static uint32_t start_of(const struct cfsplit_survey *s, const struct csi_inc *coordinator)
{
    for (size_t i = 0; i < s->incs.count; i++) {
        const struct csi_inc *inc = &s->incs.at[i];
        if (inc->replica != coordinator->replica || inc->pid != coordinator->pid ||
            inc->start_ticks != coordinator->start_ticks || strcmp(inc->boot_id, coordinator->boot_id) != 0 ||
            strcmp(inc->pid_namespace, coordinator->pid_namespace) != 0)
            continue;
        for (size_t k = 0; k < s->incs.count; k++)
            if (strcmp(s->lives[k].name, inc->name) == 0)
                return s->lives[k].start;
    }
    return 0;
}

static cfsplit_status look_at_coordinator(struct cfsplit_survey *s, struct cfsplit_error *err)
{
    struct csi_survey_queue *q = &s->queue;
    struct csi_epoch found;
    bool stale;
    cfsplit_status status = csi_epoch_last(s->run, q->epoch.K, &found, err);
    if (status == CFSPLIT_OK) {
        q->epoch = found;
        q->seen = (struct csi_seen){0};
        q->heard = (struct csi_heard){0};
    }
    if (status == CFSPLIT_END)
        status = CFSPLIT_OK;
    q->view = (struct cfsplit_queue_view){.number = q->epoch.K, .life = CFSPLIT_LIFE_LOST};
    const struct csi_inc *inc = &q->epoch.coordinator;
    if (status == CFSPLIT_OK && q->epoch.K)
        status = csi_seen_refresh(&q->seen, inc, s->run, s->sync, NULL, NULL, &stale, err);
    if (status != CFSPLIT_OK || q->epoch.K == 0)
        return status;
    uint64_t now_ms = csi_clock_mono_ms();
    bool away = now_ms - q->looked_ms > longest_gap_ms;
    q->looked_ms = now_ms;
    enum csi_hearing hearing = csi_heard_take(&q->heard, q->seen.beat.sequence, now_ms, away, takeover_after_ms(s));
    q->view.replica = inc->replica;
    q->view.start = start_of(s, inc);
    q->view.life = csi_life_of(&q->seen, hearing);
    q->view.leads = csi_life_may_be_at_work(q->view.life);
    q->view.name = inc->name;
    q->view.host = inc->host;
    return status;
}

/* ---- its replicas */

struct named {
    const char *name;
    size_t worker;
};

struct listing {
    struct cfsplit_survey *s;
    struct cfsplit_queue_worker *workers; /* lives that may be at work */
    size_t count;
    struct named *named; /* the same, sorted by name */
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

/* NULL: no life of that name may be at work. */
static struct cfsplit_queue_worker *find(const struct listing *l, const char *name)
{
    const struct named wanted = {.name = name};
    const struct named *found = l->count ? bsearch(&wanted, l->named, l->count, sizeof *l->named, by_name) : NULL;
    return found ? &l->workers[found->worker] : NULL;
}

/* What is told twice of one: the last holds. */
static void add(void *context, const char *name, const struct cfsplit_queue_worker *told)
{
    struct cfsplit_queue_worker *worker = find(context, name);
    if (!worker)
        return;
    size_t life = worker->life;
    *worker = *told;
    worker->life = life;
}

static cfsplit_status list_workers(struct listing *l, struct cfsplit_error *err)
{
    struct cfsplit_survey *s = l->s;
    free(s->queue.workers);
    l->workers = s->queue.workers = calloc(s->incs.count + 1, sizeof *l->workers);
    l->named = calloc(s->incs.count + 1, sizeof *l->named);
    if (!l->workers || !l->named)
        return csi_fail_memory(err);
    for (size_t i = 0; i < s->incs.count; i++) {
        if (!csi_life_may_be_at_work(s->lives[i].life))
            continue;
        l->named[l->count] = (struct named){s->lives[i].name, l->count};
        l->workers[l->count++].life = i;
    }
    if (l->count)
        qsort(l->named, l->count, sizeof *l->named, by_name);
    s->queue.view.workers = l->workers;
    s->queue.view.worker_count = l->count;
    return CFSPLIT_OK;
}

/* What cannot be read is not known: it is no proof of anything. */
static cfsplit_status read_told(struct listing *l, struct cfsplit_error *err)
{
    struct csi_survey_queue *q = &l->s->queue;
    struct csi_buf text = CSI_BUF_INIT;
    struct cfsplit_error unread;
    if (q->view.number && csi_epoch_seen(l->s->run, q->view.number, &text, &unread) == CFSPLIT_OK && text.length)
        (void)csi_survey_queue_parse(text.data, text.length, &q->view, add, l);
    bool failed = text.failed;
    csi_buf_release(&text);
    for (size_t i = 0; i < l->count && !q->view.leads; i++) /* that was told of the past */
        l->workers[i] = (struct cfsplit_queue_worker){.life = l->workers[i].life};
    return failed ? csi_fail_memory(err) : CFSPLIT_OK;
}

static void find_alone(struct listing *l)
{
    uint64_t K = l->s->queue.epoch.K;
    for (size_t i = 0; i < l->s->incs.count; i++) {
        struct cfsplit_queue_worker *worker = find(l, l->s->incs.at[i].name);
        if (worker && l->s->seen[i].alone)
            *worker = (struct cfsplit_queue_worker){.life = worker->life, .alone = 1};
        else if (worker)
            worker->called = K && l->s->seen[i].bound == K;
    }
}

/* Who runs item `index`; NULL: nobody does. */
static struct cfsplit_queue_worker *runner(const struct listing *l, uint64_t index)
{
    const struct csi_entry *entry = csi_ledger_at(&l->s->ledger, index);
    if (cfsplit_survey_state(l->s, index) != CFSPLIT_RUNNING)
        return NULL;
    return find(l, l->s->incs.at[entry->owner].name);
}

/* The items that each one runs: counted, then put side by side. */
static cfsplit_status list_running(struct listing *l, struct cfsplit_error *err)
{
    struct csi_survey_queue *q = &l->s->queue;
    uint64_t count = l->s->counts.by_state[CFSPLIT_RUNNING];
    free(q->running);
    q->running = calloc(count + 1, sizeof *q->running);
    size_t *filled = calloc(l->count + 1, sizeof *filled); /* up to where, of each */
    if (!q->running || !filled || !l->workers) {
        free(filled);
        return csi_fail_memory(err);
    }
    for (uint64_t i = 0; count && i < l->s->ledger.count; i++) {
        struct cfsplit_queue_worker *worker = runner(l, i);
        if (worker)
            worker->running_count++;
    }
    for (size_t i = 0, at = 0; i < l->count; at += l->workers[i++].running_count) {
        l->workers[i].running = &q->running[at];
        filled[i] = at;
    }
    for (uint64_t i = 0; count && i < l->s->ledger.count; i++) {
        const struct cfsplit_queue_worker *worker = runner(l, i);
        if (worker)
            q->running[filled[worker - l->workers]++] = i;
    }
    free(filled);
    return CFSPLIT_OK;
}

cfsplit_status cfsplit_survey_queue(struct cfsplit_survey *s, const struct cfsplit_queue_view **out,
                                    struct cfsplit_error *err)
{
    struct listing l = {.s = s};
    *out = NULL;
    if (s->run->spec.strategy != CFSPLIT_QUEUE)
        return CFSPLIT_OK;
    cfsplit_status status = look_at_coordinator(s, err);
    if (status == CFSPLIT_OK)
        status = list_workers(&l, err);
    if (status == CFSPLIT_OK)
        status = read_told(&l, err);
    if (status == CFSPLIT_OK) {
        find_alone(&l);
        status = list_running(&l, err);
    }
    free(l.named);
    if (status == CFSPLIT_OK)
        *out = &s->queue.view;
    return status;
}

void csi_survey_queue_fini(struct csi_survey_queue *queue)
{
    free(queue->workers);
    free(queue->running);
}
