#include "simulate/simulate.h"

#include <stdlib.h>

#include "lib/check.h"
#include "lib/random.h"
#include "share/share.h"

enum { strategies = CFSPLIT_QUEUE + 1, most = 80 };

static struct cfsplit_error err;

static const struct cfsplit_simulation_options plain = {.size = sizeof plain, .seed = 1};

static struct cfsplit_list *list_of(const uint64_t *weights, uint64_t count)
{
    struct cfsplit_list *list = NULL;
    CHECK_OK(cfsplit_list_new(&list, &err));
    for (uint64_t i = 0; i < count; i++) {
        char name[24];
        int length = snprintf(name, sizeof name, "item %" PRIu64, i);
        CHECK_OK(cfsplit_list_add(list, name, (size_t)length, weights[i], &err));
    }
    return list;
}

static struct cfsplit_outcome simulate(const uint64_t *weights, uint64_t count,
                                       const struct cfsplit_simulation_options *options, enum cfsplit_strategy strategy,
                                       uint32_t replicas)
{
    struct cfsplit_outcome out = {0};
    struct cfsplit_simulator *simulator = NULL;
    struct cfsplit_list *list = list_of(weights, count);
    CHECK_OK(cfsplit_simulator_new(list, NULL, options, &simulator, &err));
    CHECK_OK(cfsplit_simulate(simulator, strategy, replicas, &out, &err));
    cfsplit_simulator_free(simulator);
    cfsplit_list_free(list);
    return out;
}

static bool is_near(double a, double b)
{
    return a > b - 1e-9 && a < b + 1e-9;
}

/* ---- reckoned by hand */

static void own_shares(void)
{
    static const uint64_t weights[] = {6, 1, 1, 4};
    static const struct {
        enum cfsplit_strategy strategy;
        uint32_t replicas;
        uint64_t alone;
    } wanted[] = {{CFSPLIT_CHUNK, 1, 12}, {CFSPLIT_CHUNK, 2, 7},  {CFSPLIT_STRIPE, 2, 7}, {CFSPLIT_EVEN, 2, 7},
                  {CFSPLIT_SIZE, 2, 6},   {CFSPLIT_CHUNK, 3, 6},  {CFSPLIT_EVEN, 3, 7},   {CFSPLIT_STRIPE, 3, 10},
                  {CFSPLIT_SIZE, 3, 6},   {CFSPLIT_STRIPE, 8, 6}, {CFSPLIT_CHUNK, 8, 6}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        CHECK_EQUAL(simulate(weights, 4, &plain, wanted[i].strategy, wanted[i].replicas).alone.makespan,
                    wanted[i].alone);
    struct cfsplit_outcome chunk = simulate(weights, 4, &plain, CFSPLIT_CHUNK, 2);
    CHECK(is_near(chunk.bound, 6));
    CHECK(is_near(chunk.alone.over, 7.0 / 6));
    CHECK(is_near(chunk.alone.idle, 1 - 12.0 / 14));
    CHECK(is_near(simulate(weights, 4, &plain, CFSPLIT_CHUNK, 1).alone.idle, 0));
}

/* The first replica has done its four of 1 when the other is at its second of 3: it takes one from the back. */
static void helping(void)
{
    static const uint64_t weights[] = {1, 1, 1, 1, 3, 3, 3, 3};
    struct cfsplit_outcome chunk = simulate(weights, 8, &plain, CFSPLIT_CHUNK, 2);
    CHECK_EQUAL(chunk.alone.makespan, 12);
    CHECK_EQUAL(chunk.run.makespan, 9); /* 4 and then one of them until 7; at 6 the other begins its third */
}

/* What is handed out costs each time: an own share once, or as pieces and items. */
static void handing_out(void)
{
    static const uint64_t weights[] = {1000000, 1000000, 1000000};
    struct cfsplit_simulation_options options = plain;
    options.is_time = 1;
    options.dispatch = 5000;
    struct cfsplit_outcome chunk = simulate(weights, 3, &options, CFSPLIT_CHUNK, 1);
    CHECK_EQUAL(chunk.alone.makespan, 3005000);
    CHECK_EQUAL(chunk.run.makespan, 3015000);
    CHECK_EQUAL(simulate(weights, 3, &options, CFSPLIT_QUEUE, 1).run.makespan, 3015000);
    CHECK_EQUAL(simulate(weights, 3, &options, CFSPLIT_QUEUE, 3).run.makespan, 1005000);
    CHECK_EQUAL(simulate(weights, 3, &options, CFSPLIT_BLOCKS, 3).run.makespan, 1005000);
}

static void other_times(void)
{
    static const uint64_t weights[] = {1, 1, 1, 1}, took[] = {9, 1, 1, 9};
    struct cfsplit_simulator *simulator = NULL;
    struct cfsplit_outcome out;
    struct cfsplit_list *list = list_of(weights, 4);
    CHECK_OK(cfsplit_simulator_new(list, took, &plain, &simulator, &err));
    CHECK_OK(cfsplit_simulate(simulator, CFSPLIT_STRIPE, 2, &out, &err));
    CHECK_EQUAL(out.alone.makespan, 10);
    CHECK_OK(cfsplit_simulate(simulator, CFSPLIT_QUEUE, 2, &out, &err));
    CHECK_EQUAL(out.run.makespan, 11); /* in list order, since it knows no better: 9, and 1 1 9 beside it */
    CHECK(is_near(out.bound, 10));
    cfsplit_simulator_free(simulator);
    cfsplit_list_free(list);
}

/* ---- whatever the weights */

struct any {
    uint64_t weights[most], count, total, largest;
    uint32_t replicas;
};

static struct any any_list(struct random *random)
{
    struct any any = {.count = 1 + random_below(random, most), .replicas = 1 + (uint32_t)random_below(random, 12)};
    uint64_t below = 1 + random_below(random, 1000);
    for (uint64_t i = 0; i < any.count; i++) {
        any.weights[i] = random_below(random, below);
        uint64_t takes = any.weights[i] ? any.weights[i] : 1;
        any.total += takes;
        any.largest = takes > any.largest ? takes : any.largest;
    }
    return any;
}

static int descending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* Largest first, each to who is free first (Graham 1969). */
static uint64_t scheduled(const struct any *any)
{
    uint64_t sorted[most], ends[12] = {0}, last = 0;
    memcpy(sorted, any->weights, any->count * sizeof sorted[0]);
    qsort(sorted, any->count, sizeof sorted[0], descending);
    for (uint64_t i = 0; i < any->count; i++) {
        uint32_t first = 0;
        for (uint32_t k0 = 1; k0 < any->replicas; k0++)
            first = ends[k0] < ends[first] ? k0 : first;
        ends[first] += sorted[i] ? sorted[i] : 1;
        last = ends[first] > last ? ends[first] : last;
    }
    return last;
}

static void queue_is_a_schedule(void)
{
    struct random random = {2};
    for (int round = 0; round < 300; round++) {
        struct any any = any_list(&random);
        CHECK_EQUAL(simulate(any.weights, any.count, &plain, CFSPLIT_QUEUE, any.replicas).run.makespan,
                    scheduled(&any));
    }
}

static void check_makespan(const struct any *any, double bound, const struct cfsplit_makespan *m)
{
    CHECK((double)m->makespan >= bound - 1e-6 && m->makespan <= any->total);
    CHECK(m->over >= 1 - 1e-9 && m->idle >= -1e-9 && m->idle < 1);
    CHECK(is_near(m->over * bound, (double)m->makespan));
}

/* Nobody is faster than the bound, nor slower than one replica; helping does no harm where handing out costs nothing; who is never
 * idle while something waits is at most twice as slow as the best. */
static void within_bounds(void)
{
    struct random random = {3};
    for (int round = 0; round < 300; round++) {
        struct any any = any_list(&random);
        double part = (double)any.total / any.replicas, bound = part > (double)any.largest ? part : (double)any.largest;
        for (int s = 0; s < strategies; s++) {
            struct cfsplit_outcome out =
                simulate(any.weights, any.count, &plain, (enum cfsplit_strategy)s, any.replicas);
            CHECK(is_near(out.bound, bound));
            check_makespan(&any, bound, &out.run);
            check_makespan(&any, bound, &out.alone);
            CHECK(out.run.makespan <= out.alone.makespan);
            CHECK(s != CFSPLIT_QUEUE || (double)out.run.makespan <= part + (double)any.largest);
        }
        CHECK_EQUAL(simulate(any.weights, any.count, &plain, CFSPLIT_BLOCKS, 1).run.makespan, any.total);
    }
}

/* No large block is left for the end. */
static void blocks_end_together(void)
{
    static uint64_t weights[20000];
    for (size_t i = 0; i < 20000; i++)
        weights[i] = 1 + i % 3;
    for (uint32_t replicas = 2; replicas <= 256; replicas *= 2)
        CHECK(simulate(weights, 20000, &plain, CFSPLIT_BLOCKS, replicas).run.over < 1.04);
}

/* Of a share that nobody helps with, each strategy's heaviest replica. */
static void shares_add_up(void)
{
    struct random random = {4};
    for (int round = 0; round < 100; round++) {
        struct any any = any_list(&random);
        struct cfsplit_list *list = list_of(any.weights, any.count);
        for (int s = CFSPLIT_CHUNK; s <= CFSPLIT_HASH; s++) {
            struct cfsplit_shares *shares = NULL;
            uint64_t heaviest = 0;
            CHECK_OK(cfsplit_shares_new(list, (enum cfsplit_strategy)s, any.replicas, &shares, &err));
            for (uint32_t id = 1; id <= any.replicas; id++) {
                uint64_t count, sum = 0;
                const uint64_t *share = cfsplit_shares_of(shares, id, &count);
                for (uint64_t i = 0; i < count; i++)
                    sum += any.weights[share[i]] ? any.weights[share[i]] : 1;
                heaviest = sum > heaviest ? sum : heaviest;
            }
            CHECK_EQUAL(simulate(any.weights, any.count, &plain, (enum cfsplit_strategy)s, any.replicas).alone.makespan,
                        heaviest);
            cfsplit_shares_free(shares);
        }
        cfsplit_list_free(list);
    }
}

/* ---- who is late, who dies */

/* One item of 10, two replicas, one of which dies in its first 5: it has the item, or it has not. */
static void one_of_two_dies(void)
{
    static const uint64_t weights[] = {10};
    static const enum cfsplit_strategy tried[] = {CFSPLIT_STRIPE, CFSPLIT_SIZE, CFSPLIT_BLOCKS, CFSPLIT_QUEUE};
    for (size_t t = 0; t < sizeof tried / sizeof tried[0]; t++) {
        int had = 0, had_not = 0;
        for (uint64_t seed = 1; seed <= 30; seed++) {
            struct cfsplit_simulation_options options = {
                .size = sizeof options, .is_time = 1, .lose = 1, .stall_after = 100, .seed = seed};
            struct cfsplit_outcome out = simulate(weights, 1, &options, tried[t], 2);
            bool again = out.run.makespan != 10;
            CHECK(!again || (out.run.makespan >= 111 && out.run.makespan <= 115));
            if (tried[t] < CFSPLIT_BLOCKS)
                CHECK_EQUAL(out.alone.makespan, again ? CFSPLIT_NEVER : 10);
            had += again;
            had_not += !again;
        }
        CHECK(had > 0 && had_not > 0);
    }
}

static void all_die(void)
{
    static const uint64_t weights[] = {10, 10, 10, 10};
    struct cfsplit_simulation_options options = plain;
    options.lose = 7; /* more than there are */
    for (int s = 0; s < strategies; s++) {
        struct cfsplit_outcome out = simulate(weights, 4, &options, (enum cfsplit_strategy)s, 2);
        CHECK_EQUAL(out.run.makespan, CFSPLIT_NEVER);
        CHECK(is_near(out.run.over, 0) && is_near(out.run.idle, 0));
    }
}

/* As long as one lives all of it ends: at the latest when who is left has done all of it, each that was lost one item again,
 * after the last loss was noticed. But where those leave who find nothing to do, the one who stays may die after that. */
static void who_is_left_does_all(void)
{
    int never = 0;
    struct random random = {5};
    for (int round = 0; round < 200; round++) {
        struct any any = any_list(&random);
        struct cfsplit_simulation_options options = {.size = sizeof options,
                                                     .is_time = 1,
                                                     .lose = random_below(&random, any.replicas),
                                                     .stall_after = random_below(&random, 3000),
                                                     .start_spread = random_below(&random, 2000),
                                                     .adopt_after = random_below(&random, 5000),
                                                     .seed = random_next(&random)};
        uint64_t latest = 2 * (any.total + options.start_spread) + options.stall_after + options.adopt_after +
                          options.lose * any.largest;
        for (int s = 0; s < strategies; s++) {
            struct cfsplit_outcome one =
                simulate(any.weights, any.count, &options, (enum cfsplit_strategy)s, any.replicas);
            struct cfsplit_outcome same =
                simulate(any.weights, any.count, &options, (enum cfsplit_strategy)s, any.replicas);
            bool may_be_left = options.lose > 0 && s != CFSPLIT_QUEUE, is_left = one.run.makespan == CFSPLIT_NEVER;
            CHECK(is_left ? may_be_left : one.run.makespan <= latest);
            CHECK((double)one.run.makespan >= one.bound - 1e-6);
            never += is_left;
            CHECK_EQUAL(one.run.makespan, same.run.makespan);
            CHECK_EQUAL(one.alone.makespan, same.alone.makespan);
        }
    }
    CHECK(never > 0 && never < 100); /* of 1400 */
}

/* Replicas that come much later than it all takes: what is theirs is taken at once, or they do it when they come. */
static void who_comes_late(void)
{
    static const uint64_t weights[] = {1, 1, 1, 1, 1, 1, 1, 1};
    struct cfsplit_simulation_options options = {.size = sizeof options, .is_time = 1, .start_spread = 1000000};
    int earlier = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        options.seed = seed;
        options.adopt_after = 0;
        struct cfsplit_outcome at_once = simulate(weights, 8, &options, CFSPLIT_STRIPE, 4);
        uint64_t queued = simulate(weights, 8, &options, CFSPLIT_QUEUE, 4).run.makespan;
        options.adopt_after = 10000000;
        struct cfsplit_outcome later = simulate(weights, 8, &options, CFSPLIT_STRIPE, 4);
        CHECK(at_once.run.makespan <= at_once.alone.makespan && at_once.run.makespan <= later.run.makespan);
        CHECK_EQUAL(at_once.alone.makespan, later.alone.makespan);
        CHECK(later.run.makespan + 2 >= later.alone.makespan);
        CHECK_EQUAL(queued, at_once.run.makespan); /* the first one to come does all of it */
        earlier += at_once.run.makespan < later.run.makespan;
    }
    CHECK(earlier > 10);
}

/* ---- what is refused */

static void refused(void)
{
    static const uint64_t weights[] = {1, UINT64_C(1) << 62};
    struct cfsplit_simulator *simulator = NULL;
    struct cfsplit_outcome out;
    struct cfsplit_simulation_options options = plain;
    struct cfsplit_list *list = list_of(weights, 0), *heavy = list_of(weights, 2), *one = list_of(weights, 1);
    CHECK_EQUAL(cfsplit_simulator_new(list, NULL, &plain, &simulator, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "the list is empty: there is nothing to simulate");
    CHECK(simulator == NULL);
    CHECK_EQUAL(cfsplit_simulator_new(heavy, NULL, &plain, &simulator, &err), CFSPLIT_USAGE);
    CHECK_TEXT(err.message, "all of it takes too long to be simulated");
    options.lose = UINT64_MAX;
    options.stall_after = UINT64_MAX;
    CHECK_EQUAL(cfsplit_simulator_new(one, NULL, &options, &simulator, &err), CFSPLIT_USAGE);
    options = plain;
    options.size--;
    CHECK_EQUAL(cfsplit_simulator_new(one, NULL, &options, &simulator, &err), CFSPLIT_USAGE);
    CHECK_OK(cfsplit_simulator_new(one, NULL, &plain, &simulator, &err));
    CHECK_EQUAL(cfsplit_simulate(simulator, CFSPLIT_SIZE, 0, &out, &err), CFSPLIT_USAGE);
    CHECK_EQUAL(cfsplit_simulate(simulator, CFSPLIT_SIZE, CFSPLIT_REPLICAS_MAX + 1, &out, &err), CFSPLIT_USAGE);
    cfsplit_simulator_free(simulator);
    cfsplit_simulator_free(NULL);
    cfsplit_list_free(list);
    cfsplit_list_free(heavy);
    cfsplit_list_free(one);
}

/* ---- advice */

struct table {
    struct cfsplit_outcome at[strategies * 2];
};

static struct table table_of(const uint64_t makespans[strategies][2])
{
    struct table t = {0};
    for (int s = 0; s < strategies; s++)
        for (int i = 0; i < 2; i++) {
            uint64_t m = makespans[s][i];
            t.at[s * 2 + i].run = (struct cfsplit_makespan){m, m == CFSPLIT_NEVER ? 0 : (double)m / 100, 0};
        }
    return t;
}

static void advised(void)
{
    static const uint32_t replicas[] = {4, 8};
    static const struct {
        uint64_t size[2], blocks[2], queue[2];
        enum cfsplit_strategy strategy;
        uint32_t enough;
    } wanted[] = {{{200, 101}, {200, 100}, {200, 100}, CFSPLIT_SIZE, 8},   /* near enough: the simplest */
                  {{104, 101}, {103, 100}, {103, 100}, CFSPLIT_SIZE, 4},   /* twice as many hardly help */
                  {{200, 110}, {200, 101}, {200, 100}, CFSPLIT_BLOCKS, 8}, /* ... that needs no network */
                  {{300, 150}, {250, 120}, {200, 100}, CFSPLIT_QUEUE, 8},  /* what is left */
                  {{220, 100}, {210, 112}, {200, 103}, CFSPLIT_SIZE, 8},   /* none everywhere: where it ends first */
                  {{220, 130}, {200, 112}, {240, 108}, CFSPLIT_QUEUE, 8},
                  {{108, 100}, {100, 110}, {107, 100}, CFSPLIT_BLOCKS, 4}, /* ... or nearly so */
                  {{CFSPLIT_NEVER, CFSPLIT_NEVER},
                   {CFSPLIT_NEVER, CFSPLIT_NEVER},
                   {CFSPLIT_NEVER, CFSPLIT_NEVER},
                   CFSPLIT_SIZE,
                   0},
                  {{CFSPLIT_NEVER, 200}, {CFSPLIT_NEVER, 100}, {CFSPLIT_NEVER, 100}, CFSPLIT_BLOCKS, 8}};
    for (size_t w = 0; w < sizeof wanted / sizeof wanted[0]; w++) {
        uint64_t makespans[strategies][2];
        struct cfsplit_advice advice;
        for (int s = 0; s < strategies; s++)
            for (int i = 0; i < 2; i++)
                makespans[s][i] = s == CFSPLIT_SIZE     ? wanted[w].size[i]
                                  : s == CFSPLIT_BLOCKS ? wanted[w].blocks[i]
                                  : s == CFSPLIT_QUEUE  ? wanted[w].queue[i]
                                                        : CFSPLIT_NEVER;
        struct table t = table_of((const uint64_t(*)[2])makespans);
        cfsplit_simulation_advise(t.at, replicas, 2, &advice);
        CHECK_EQUAL(advice.strategy, wanted[w].strategy);
        CHECK_EQUAL(advice.enough, wanted[w].enough);
    }
}

/* ---- the agenda */

static void agenda_in_order(void)
{
    struct random random = {6};
    struct csi_agenda agenda;
    struct csi_event before = {0, 0, 0};
    CHECK_OK(csi_agenda_init(&agenda, 500, &err));
    for (int i = 0; i < 500; i++)
        csi_agenda_add(&agenda, random_below(&random, 40), (uint32_t)random_below(&random, 3), (uint32_t)i);
    for (int i = 0; i < 500; i++) {
        struct csi_event event = csi_agenda_take(&agenda);
        CHECK(event.at > before.at || (event.at == before.at && event.kind > before.kind) ||
              (event.at == before.at && event.kind == before.kind && event.who >= before.who));
        before = event;
    }
    CHECK_EQUAL(agenda.count, 0);
    csi_agenda_fini(&agenda);
}

static const struct check_case cases[] = {
    {"each does its own share: small lists, reckoned by hand", own_shares},
    {"who has nothing left takes from the back of another's share", helping},
    {"each handing out costs what is told", handing_out},
    {"items take other times than their weights say", other_times},
    {"a queue is what Graham's list of the largest first gives", queue_is_a_schedule},
    {"nothing beats the bound, and helping does no harm", within_bounds},
    {"blocks of small items end nearly together", blocks_end_together},
    {"a share takes as long as its items add up to", shares_add_up},
    {"one of two dies: its item is done again when that is noticed, or it had none", one_of_two_dies},
    {"when all die it never ends", all_die},
    {"who is left does all of it, and the same seed gives the same answer", who_is_left_does_all},
    {"who comes late finds it done, or does its share", who_comes_late},
    {"no list, a list that takes for ever, no replicas, another version", refused},
    {"the simplest strategy that is near enough, and no more replicas than it needs", advised},
    {"an agenda gives back what comes next", agenda_in_order},
};

int main(void)
{
    return check_main("what strategies would take", cases, sizeof cases / sizeof cases[0]);
}
