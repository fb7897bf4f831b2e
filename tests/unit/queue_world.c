/* The queue in a world that does what it likes: workers come, are lost and lose messages, journals are read late and twice,
 * another coordinator takes over. The world knows what was started and what has ended, and the queue must agree with it. Each
 * world follows from its seed; CFSPLIT_TEST_SEED, if set, is the first one's. */
#include <stdlib.h>

#include "lib/random.h"
#include "lib/rundir.h"
#include "queue/queue.h"

enum { worlds = 60, steps = 3000, items_max = 120, sims_max = 7, journal_max = 8192, piece_items = 10 };

struct has {
    struct csi_queue_given what;
    bool running;
};

/* A worker: what came to it and has not ended, and its journal. */
struct sim {
    bool is_there, missed; /* a batch of this session was lost */
    uint32_t number;
    uint64_t slots, credit;
    size_t has_count, journal_count;
    struct has has[items_max];
    struct csi_record *journal;
};

/* What the world knows of an item, from what the queue handed out and was told. */
struct fact {
    struct sim *holder;
    uint64_t attempt; /* that is held */
    bool aside, alone;
    bool opened, handed_out, came_back;
};

/* What happened in all worlds: it must have happened to be tested. */
static struct {
    uint64_t fresh, came_back, suspects, asides, heard_by_journal, undone, revoked, dry, home, lost, took_over,
        reopened;
} seen;

static struct csi_ledger ledger, truth; /* what the queue knows; what is so */
static struct csi_queue *queue;
static struct csi_queue_options options;
static struct random random_state;
static struct fact facts[items_max];
static struct sim sims[sims_max];
static uint64_t seed, now_ms, item_us;
static bool calm, wrong; /* nothing is lost any more and all ends well; the queue and the world disagree */

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        bool holds_ = (condition);                                                                                     \
        if (!holds_ && !wrong)                                                                                         \
            printf("\n      CFSPLIT_TEST_SEED=%" PRIu64 ", line %d: not %s\n", seed, __LINE__, #condition);            \
        wrong |= !holds_;                                                                                              \
    } while (0)

static uint64_t below(uint64_t bound)
{
    return random_below(&random_state, bound);
}

static bool mishap(unsigned percent)
{
    return !calm && below(100) < percent;
}

/* ---- what the world expects of the queue */

static bool put_off(uint64_t i)
{
    return ledger.at[i].laters >= 10 && ledger.at[i].ended && ledger.at[i].class == CSI_LATER;
}

static bool waits(uint64_t i)
{
    return facts[i].opened && !facts[i].holder && csi_entry_is_open(&ledger.at[i]) && !put_off(i);
}

static uint64_t held_by(const struct sim *sim)
{
    uint64_t held = 0;
    for (uint64_t i = 0; i < truth.count; i++)
        held += sim ? facts[i].holder == sim : facts[i].holder != NULL;
    return held;
}

static void check_counts(void)
{
    struct csi_queue_counts counts;
    uint64_t waiting = 0, off = 0, wanted = 0;
    csi_queue_count(queue, &counts);
    for (uint64_t i = 0; i < truth.count; i++) {
        waiting += waits(i);
        off += facts[i].opened && !facts[i].holder && csi_entry_is_open(&ledger.at[i]) && put_off(i);
    }
    for (int s = 0; s < sims_max; s++) {
        struct csi_queue_worker look;
        if (!sims[s].is_there)
            continue;
        wanted += sims[s].credit;
        csi_queue_look(queue, sims[s].number, &look);
        MUST(look.held == held_by(&sims[s]) && look.credit == sims[s].credit && look.slots == sims[s].slots);
    }
    MUST(counts.waiting == waiting);
    MUST(counts.put_off == off);
    MUST(counts.held == held_by(NULL));
    MUST(counts.wanted == wanted);
}

/* What must go out before any other: the smallest index of what came back, else of what was never handed out. */
static uint64_t first_in_order(bool came_back)
{
    for (uint64_t i = 0; i < truth.count; i++)
        if (waits(i) && !ledger.at[i].suspect && (came_back ? facts[i].came_back : !facts[i].handed_out))
            return i;
    return UINT64_MAX;
}

static void check_order(uint64_t index)
{
    uint64_t came_back = first_in_order(true), fresh = first_in_order(false);
    if (came_back != UINT64_MAX)
        MUST(index == came_back);
    else if (fresh != UINT64_MAX)
        MUST(index == fresh);
    seen.came_back += came_back != UINT64_MAX;
    seen.fresh += came_back == UINT64_MAX && fresh != UINT64_MAX;
}

static void check_suspect(const struct sim *sim)
{
    MUST(held_by(sim) == 0);
    for (uint64_t i = 0; i < truth.count; i++)
        MUST(!waits(i) || ledger.at[i].suspect);
    seen.suspects++;
}

static void check_given(const struct sim *sim, const struct csi_queue_given *given, size_t count)
{
    const struct csi_entry *entry = csi_ledger_at(&truth, given->index);
    const struct fact *fact = &facts[given->index];
    MUST(fact->opened && !fact->holder && !put_off(given->index));
    MUST(csi_entry_is_open(entry));
    MUST(given->attempt == entry->attempts + !given->aside);
    MUST(given->alone + given->aside == entry->suspect);
    MUST(given->aside == (entry->suspect && options.crash_limit > 0 && entry->deaths >= options.crash_limit));
    MUST(count == 1 || !entry->suspect);
    for (uint64_t i = 0; i < truth.count; i++)
        MUST(facts[i].holder != sim || !facts[i].alone);
    seen.asides += given->aside;
    if (given->alone)
        check_suspect(sim);
    else if (!given->aside)
        check_order(given->index);
}

/* ---- what happens at a worker */

static void write_down(struct sim *sim, const struct csi_record *record)
{
    MUST(sim->journal_count < journal_max);
    if (wrong)
        return;
    sim->journal[sim->journal_count++] = *record;
    csi_ledger_take(&truth, 1, record, true);
}

static bool is_held_so(const struct sim *sim, const struct csi_record *record)
{
    const struct fact *fact = &facts[record->index];
    return fact->holder == sim && fact->attempt == record->attempt && (!fact->aside || record->class == CSI_SET_ASIDE);
}

/* It is held by nobody any more, as far as the queue knows. */
static void let_go(uint64_t index, bool came_back)
{
    facts[index].holder = NULL;
    facts[index].alone = false;
    facts[index].came_back = came_back;
    facts[index].handed_out = true;
}

static void heard(struct sim *sim)
{
    for (size_t r = 0; r < sim->journal_count; r++) {
        const struct csi_record *record = &sim->journal[r];
        csi_queue_record(queue, sim->number, record, now_ms);
        if (record->kind == CSI_RECORD_END && is_held_so(sim, record)) {
            let_go(record->index, record->class == CSI_STOPPED);
            seen.heard_by_journal++;
        }
    }
}

static enum csi_class any_class(void)
{
    static const enum csi_class classes[] = {CSI_DONE,    CSI_DONE,    CSI_RETRY,  CSI_RETRY,
                                             CSI_RETRY,   CSI_LATER,   CSI_LATER,  CSI_STOPPED,
                                             CSI_CRASHED, CSI_CRASHED, CSI_FAILED, CSI_REJECTED};
    return calm ? CSI_DONE : classes[below(sizeof classes / sizeof *classes)];
}

static void start_one(struct sim *sim, size_t k)
{
    struct has *has = &sim->has[k];
    struct csi_record start = rundir_start(has->what.index, has->what.attempt);
    size_t running = 0;
    for (size_t i = 0; i < sim->has_count; i++)
        running += sim->has[i].running;
    if (has->running || has->what.aside || running >= sim->slots)
        return;
    MUST(!has->what.alone || sim->has_count == 1);
    start.alone = has->what.alone;
    write_down(sim, &start);
    has->running = true;
}

static void end_one(struct sim *sim, size_t k)
{
    struct has has = sim->has[k];
    if (!has.running && !has.what.aside)
        return;
    struct csi_record end = rundir_end(has.what.index, has.what.attempt, has.what.aside ? CSI_SET_ASIDE : any_class());
    write_down(sim, &end);
    sim->has[k] = sim->has[--sim->has_count];
    if (mishap(25)) /* the message is lost */
        return;
    bool held = is_held_so(sim, &end);
    MUST(held);
    MUST(csi_queue_end(queue, sim->number, &end, below(2 * item_us), now_ms) == held);
    let_go(end.index, end.class == CSI_STOPPED);
    if (mishap(10)) /* it comes twice */
        MUST(!csi_queue_end(queue, sim->number, &end, item_us, now_ms));
}

/* Something of a piece that it took by itself, from start to end. A piece is taken by one only. */
static void work_by_itself(struct sim *sim)
{
    uint64_t i = below(truth.count);
    const struct csi_entry *entry = csi_ledger_at(&truth, i);
    if (facts[i].opened || !csi_entry_is_open(entry) || &sims[i / piece_items % sims_max] != sim || facts[i].holder)
        return;
    struct csi_record start = rundir_start(i, entry->attempts + 1);
    struct csi_record end = rundir_end(i, entry->attempts + 1, any_class());
    write_down(sim, &start);
    write_down(sim, &end);
}

/* ---- what happens between the worker and the queue */

static void join(struct sim *sim)
{
    sim->slots = 1 + below(3);
    sim->credit = sim->has_count = sim->journal_count = 0;
    sim->is_there = true;
    sim->missed = false;
    MUST(csi_queue_join(queue, sim->slots, &sim->number, &err) == CFSPLIT_OK);
}

static void want(struct sim *sim, uint64_t count)
{
    csi_queue_want(queue, sim->number, count);
    sim->credit += count;
}

static void drop_unstarted(struct sim *sim)
{
    for (size_t k = sim->has_count; k-- > 0;)
        if (!sim->has[k].running)
            sim->has[k] = sim->has[--sim->has_count];
}

static bool runs(const struct sim *sim, uint64_t index)
{
    for (size_t k = 0; k < sim->has_count; k++)
        if (sim->has[k].what.index == index && sim->has[k].running)
            return true;
    return false;
}

/* All that it has not started comes back; with `lost`, what it has started, too. */
static void facts_come_back(struct sim *sim, bool lost)
{
    for (uint64_t i = 0; i < truth.count; i++) {
        bool started = runs(sim, i);
        if (facts[i].holder == sim && (lost || !started))
            let_go(i, !started);
    }
}

static void begin_session(struct sim *sim)
{
    drop_unstarted(sim);
    heard(sim);
    csi_queue_settle(queue, sim->number);
    facts_come_back(sim, false);
    sim->credit = 0;
    sim->missed = false;
}

static void lose(struct sim *sim)
{
    heard(sim);
    csi_queue_leave(queue, sim->number);
    for (size_t k = 0; k < sim->has_count; k++)
        if (sim->has[k].running)
            csi_entry_died(csi_ledger_at(&truth, sim->has[k].what.index));
    facts_come_back(sim, true);
    sim->is_there = false;
    sim->has_count = sim->journal_count = 0;
    seen.lost++;
}

static struct sim *sim_of(uint32_t number)
{
    for (int s = 0; s < sims_max; s++)
        if (sims[s].is_there && sims[s].number == number)
            return &sims[s];
    return NULL;
}

static void undo(struct sim *sim, const struct csi_queue_batch *batch)
{
    csi_queue_undo(queue, batch);
    sim->credit += batch->count;
    for (size_t i = 0; i < batch->count; i++)
        let_go(batch->items[i].index, true);
    seen.undone++;
}

static bool hand_out(void)
{
    struct csi_queue_batch batch;
    if (!csi_queue_next(queue, now_ms, &batch))
        return false;
    struct sim *sim = sim_of(batch.worker);
    MUST(sim && batch.count > 0 && batch.count <= sim->credit && batch.count <= CSI_QUEUE_BATCH_MAX);
    if (wrong)
        return false;
    for (size_t i = 0; i < batch.count; i++) {
        const struct csi_queue_given *given = &batch.items[i];
        check_given(sim, given, batch.count);
        facts[given->index] =
            (struct fact){sim, given->attempt, given->aside, given->alone, .opened = true, .handed_out = true};
    }
    sim->credit -= batch.count;
    if (mishap(5)) {
        undo(sim, &batch);
    } else if (mishap(10)) {
        sim->missed = true;
    } else {
        for (size_t i = 0; i < batch.count; i++)
            sim->has[sim->has_count++] = (struct has){.what = batch.items[i]};
    }
    return true;
}

/* Nothing was lost on its way to it, and all that came has started. */
static bool is_dry(const struct sim *sim)
{
    bool dry = !sim->missed;
    for (size_t k = 0; k < sim->has_count; k++)
        dry &= sim->has[k].running;
    return dry;
}

static void revoke_some(void)
{
    uint32_t number;
    while (csi_queue_next_revoked(queue, &number)) {
        struct sim *sim = sim_of(number);
        MUST(sim && held_by(sim) > sim->slots);
        for (uint64_t i = 0; i < truth.count; i++)
            MUST(!waits(i) || ledger.at[i].suspect || csi_queue_due_ms(queue) != UINT64_MAX);
        seen.revoked++;
        if (sim && is_dry(sim)) {
            csi_queue_dry(queue, number);
            seen.dry++;
        } else if (sim && !mishap(30)) {
            begin_session(sim);
        }
    }
}

static void send_home(void)
{
    uint32_t number;
    while (csi_queue_next_home(queue, &number)) {
        struct sim *sim = sim_of(number);
        MUST(sim && held_by(sim) == 0 && sim->credit > 0);
        for (uint64_t i = 0; i < truth.count; i++)
            MUST(facts[i].opened && !waits(i));
        seen.home++;
        if (sim && !mishap(30))
            lose(sim);
    }
}

/* ---- what happens to the coordinator */

static void open_piece(uint64_t first)
{
    uint64_t count = truth.count - first < piece_items ? truth.count - first : piece_items;
    for (int s = 0; s < sims_max; s++)
        if (sims[s].is_there)
            heard(&sims[s]); /* all are settled */
    for (uint64_t i = first; i < first + count; i++) {
        facts[i].opened = true;
        facts[i].came_back = facts[i].handed_out = false;
    }
    MUST(csi_queue_open_piece(queue, first, count, now_ms, &err) == CFSPLIT_OK);
}

static void new_queue(void)
{
    if (csi_ledger_init(&ledger, 0, truth.count, &err) != CFSPLIT_OK)
        exit(2);
    memcpy(ledger.at, truth.at, truth.count * sizeof *ledger.at);
    MUST(csi_queue_new(&options, &ledger, &queue, &err) == CFSPLIT_OK);
}

static void free_queue(void)
{
    csi_queue_free(queue);
    csi_ledger_fini(&ledger);
}

/* Another one: it has read all journals, and knows who is there, and what they have started. */
static void take_over(void)
{
    free_queue();
    new_queue();
    for (uint64_t i = 0; i < truth.count; i++)
        facts[i] = (struct fact){.opened = false};
    for (int s = 0; s < sims_max; s++) {
        struct sim *sim = &sims[s];
        if (!sim->is_there)
            continue;
        drop_unstarted(sim);
        sim->credit = 0;
        MUST(csi_queue_join(queue, sim->slots, &sim->number, &err) == CFSPLIT_OK);
        for (size_t k = 0; k < sim->has_count; k++) {
            const struct csi_queue_given *what = &sim->has[k].what;
            MUST(csi_queue_hold(queue, sim->number, what->index, &err) == CFSPLIT_OK);
            facts[what->index] = (struct fact){sim, what->attempt, .alone = what->alone};
        }
    }
    seen.took_over++;
}

static void reopen(uint64_t i)
{
    enum cfsplit_state state = csi_entry_state(csi_ledger_at(&truth, i), true);
    if (state != CFSPLIT_FAILED && state != CFSPLIT_SET_ASIDE)
        return;
    uint32_t attempts = truth.at[i].attempts;
    csi_entry_reopen(&truth.at[i], attempts);
    MUST(csi_queue_reopen(queue, i, attempts, now_ms, &err) == CFSPLIT_OK);
    facts[i].handed_out = true; /* it stands behind the fresh ones */
    seen.reopened++;
}

/* An end that nobody may send. */
static void lie(uint32_t number)
{
    struct csi_record end = rundir_end(below(truth.count + 5), below(6), any_class());
    struct sim *sim = sim_of(number);
    if (!sim || end.index >= truth.count || !is_held_so(sim, &end))
        MUST(!csi_queue_end(queue, number, &end, item_us, now_ms));
}

static void open_some(bool all)
{
    bool rest = false;
    for (uint64_t first = 0; first < truth.count; first += piece_items) {
        if (!facts[first].opened && (all || below(4) == 0))
            open_piece(first);
        rest |= !facts[first].opened;
    }
    csi_queue_complete(queue, !rest);
}

/* ---- worlds */

static void step(void)
{
    struct sim *sim = &sims[below(sims_max)];
    uint64_t what = below(100);
    now_ms += below(3) == 0 ? below(400) : 0;
    if (what < 1)
        take_over();
    else if (what < 3)
        open_some(false);
    else if (what < 5)
        reopen(below(truth.count));
    else if (what < 7)
        lie((uint32_t)below(sims_max + 3));
    else if (what < 30)
        hand_out();
    else if (!sim->is_there)
        join(sim);
    else if (what < 45)
        want(sim, sim->has_count + sim->credit < 12 ? below(4) : 0);
    else if (what < 47)
        lose(sim);
    else if (what < 51)
        begin_session(sim);
    else if (what < 53)
        heard(sim);
    else if (what < 55)
        work_by_itself(sim);
    else if (sim->has_count > 0)
        (what % 2 ? start_one : end_one)(sim, below(sim->has_count));
    revoke_some();
    send_home();
    check_counts();
}

/* Nothing is lost any more: all that is left is done. */
static void finish(void)
{
    calm = true;
    if (!sims[0].is_there)
        join(&sims[0]);
    for (int s = 0; s < sims_max; s++)
        if (sims[s].is_there)
            begin_session(&sims[s]);
    open_some(true);
    for (int round = 0; round < 1000 && !wrong; round++) {
        for (int s = 0; s < sims_max; s++)
            for (size_t k = sims[s].is_there ? sims[s].has_count : 0; k-- > 0;) {
                start_one(&sims[s], k);
                end_one(&sims[s], k);
            }
        for (int s = 0; s < sims_max; s++)
            if (sims[s].is_there && sims[s].credit == 0)
                want(&sims[s], 5);
        while (!wrong && hand_out())
            continue;
        revoke_some();
        send_home();
        check_counts();
        now_ms += 60000;
    }
    for (int s = 0; s < sims_max; s++)
        MUST(!sims[s].is_there); /* all went home */
}

static void check_end(void)
{
    for (uint64_t i = 0; i < truth.count; i++) {
        const struct csi_entry *is = &truth.at[i], *known = &ledger.at[i];
        MUST(!csi_entry_is_open(is) || put_off(i));
        MUST(is->done <= 1);
        MUST(is->done == known->done && is->rejected == known->rejected && is->attempts == known->attempts);
        MUST(is->failures == known->failures && is->laters == known->laters && is->deaths == known->deaths);
        MUST(is->class == known->class && is->ended == known->ended && is->suspect == known->suspect);
    }
}

static void one_world(void)
{
    random_state.state = seed;
    calm = false;
    now_ms = 1000;
    item_us = 1;
    for (uint64_t n = below(7); n > 0; n--)
        item_us *= 10;
    options =
        (struct csi_queue_options){.crash_limit = below(4), .batch = (const uint64_t[]){0, 0, 1, 5, 64}[below(5)]};
    memset(facts, 0, sizeof facts);
    if (csi_ledger_init(&truth, 0, 1 + below(items_max), &err) != CFSPLIT_OK)
        exit(2);
    new_queue();
    for (int i = 0; i < steps && !wrong; i++)
        step();
    finish();
    check_end();
    free_queue();
    csi_ledger_fini(&truth);
    for (int s = 0; s < sims_max; s++)
        sims[s].is_there = false;
}

static void all_worlds(void)
{
    const char *first = getenv("CFSPLIT_TEST_SEED");
    seed = first ? strtoull(first, NULL, 10) : 1;
    printf("CFSPLIT_TEST_SEED=%" PRIu64 ", %d worlds ", seed, worlds);
    for (int s = 0; s < sims_max; s++)
        if (!(sims[s].journal = calloc(journal_max, sizeof *sims[s].journal)))
            exit(2);
    for (int n = 0; n < worlds && !wrong; n++, seed++)
        one_world();
    CHECK(!wrong);
    for (int s = 0; s < sims_max; s++)
        free(sims[s].journal);
}

static void all_was_seen(void)
{
    CHECK(seen.fresh > 0 && seen.came_back > 0 && seen.suspects > 0 && seen.asides > 0);
    CHECK(seen.heard_by_journal > 0 && seen.undone > 0 && seen.revoked > 0 && seen.dry > 0 && seen.home > 0);
    CHECK(seen.lost > 0 && seen.took_over > 0 && seen.reopened > 0);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"whatever happens, each item is in one hand at most, in order, and accounted for at the end", all_worlds},
        {"all that can happen did", all_was_seen},
    };
    return check_main("the queue in worlds of chance", cases, sizeof cases / sizeof *cases);
}
