#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "feed.h"
#include "sink.h"
#include "tool.h"
#include "upstream.h"

/* One invocation of a filter. */
struct filter {
    const struct settings *s;
    enum cfsplit_strategy strategy;
    struct cfsplit_identity who;
    struct upstream upstream; /* instead of `who`, with --upstream */
    struct feed feed;
    struct sink sink;
};

#define UNKNOWN ((uint64_t)INT64_MAX) /* how many items a stream has: more than anyone can count */

/* False once the output takes no more. */
static bool print_item(struct filter *f, const struct cfsplit_item *item)
{
    return sink_write(&f->sink, item->name, item->length) && sink_write(&f->sink, f->s->null ? "" : "\n", 1);
}

/* Whoever reads lines would take an item with a newline for two: looked for in all the list, so that all replicas agree. */
static cfsplit_status check_newlines(const struct filter *f, struct cfsplit_error *err)
{
    uint64_t n = f->feed.list && !f->s->null ? cfsplit_list_count(f->feed.list) : 0;
    for (uint64_t i = 0; i < n; i++) {
        struct cfsplit_item item = cfsplit_list_at(f->feed.list, i);
        if (memchr(item.name, '\n', item.length))
            return tool_fail(err, CFSPLIT_USAGE,
                             "item %" PRIu64 " has a newline in its name: use -0, which ends items with NUL", i + 1);
    }
    return CFSPLIT_OK;
}

static cfsplit_status find_range(const struct filter *f, uint64_t n, struct cfsplit_range *out,
                                 struct cfsplit_error *err)
{
    if (f->s->upstream)
        return cfsplit_share_upstream(f->strategy, n, f->upstream.id, f->upstream.count, out, err);
    return cfsplit_share_range(f->strategy, n, f->who.id, f->who.count, out, err);
}

static bool print_text(void *context, const char *text, size_t length)
{
    struct filter *f = context;
    return sink_write(&f->sink, text, length);
}

static bool print_nothing(void *context, const char *text, size_t length)
{
    (void)context;
    (void)text;
    (void)length;
    return true;
}

/* chunk, stripe, even: a stripe is found without knowing how many items there are. */
static cfsplit_status print_range(struct filter *f, struct cfsplit_error *err)
{
    uint64_t n = UNKNOWN;
    struct cfsplit_range range = {0};
    cfsplit_status status = f->strategy == CFSPLIT_STRIPE ? CFSPLIT_OK : feed_count(&f->feed, &n, err);
    if (status == CFSPLIT_OK)
        status = find_range(f, n, &range, err);
    if (status == CFSPLIT_OK)
        status = check_newlines(f, err);
    struct cfsplit_pick pick = {
        .skip = range.first, .step = range.step, .left = range.count, .put = print_text, .context = f};
    if (range.count == 0) /* is there an item at all? */
        pick = (struct cfsplit_pick){.step = 1, .left = 1, .put = print_nothing};
    if (status == CFSPLIT_OK && n > 0)
        status = feed_pick(&f->feed, f->s->null, &pick, err);
    if (status != CFSPLIT_OK || pick.refused)
        return status;
    if (n == 0 || (n == UNKNOWN && pick.seen == 0))
        return tool_list_is_empty(f->s, err);
    if (n != UNKNOWN && range.count > 0 && pick.left > 0)
        return tool_fail(err, CFSPLIT_USAGE, "the list has become shorter while it was read");
    return CFSPLIT_OK;
}

static cfsplit_status print_hash(struct filter *f, struct cfsplit_error *err)
{
    uint64_t seen = 0;
    struct cfsplit_item item;
    cfsplit_status status = check_newlines(f, err);
    while (status == CFSPLIT_OK) {
        status = feed_next(&f->feed, &item, err);
        if (status != CFSPLIT_OK)
            break;
        seen++;
        if (cfsplit_share_hash(item.name, item.length, f->who.count) == f->who.id && !print_item(f, &item))
            return CFSPLIT_OK;
    }
    if (status == CFSPLIT_END)
        status = seen == 0 ? tool_list_is_empty(f->s, err) : CFSPLIT_OK;
    return status;
}

static cfsplit_status print_size(struct filter *f, struct cfsplit_error *err)
{
    struct cfsplit_shares *shares = NULL;
    uint64_t count = 0;
    cfsplit_status status = check_newlines(f, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_shares_new(f->feed.list, CFSPLIT_SIZE, f->who.count, &shares, err);
    if (status != CFSPLIT_OK)
        return status;
    const uint64_t *mine = cfsplit_shares_of(shares, f->who.id, &count);
    for (uint64_t i = 0; i < count; i++) {
        struct cfsplit_item item = cfsplit_list_at(f->feed.list, mine[i]);
        if (!print_item(f, &item))
            break;
    }
    cfsplit_shares_free(shares);
    return CFSPLIT_OK;
}

static cfsplit_status (*const printers[])(struct filter *f, struct cfsplit_error *err) = {
    [CFSPLIT_CHUNK] = print_range, [CFSPLIT_STRIPE] = print_range, [CFSPLIT_EVEN] = print_range,
    [CFSPLIT_SIZE] = print_size,   [CFSPLIT_HASH] = print_hash,
};

static cfsplit_status identify(struct filter *f, struct cfsplit_error *err)
{
    if (!f->s->upstream)
        return tool_identity(f->s, NULL, &f->who, err);
    if (f->strategy != CFSPLIT_CHUNK && f->strategy != CFSPLIT_STRIPE)
        return tool_fail(err, CFSPLIT_USAGE, "--upstream is for chunk and stripe: the Python client has no %s",
                         cfsplit_strategy_word(f->strategy));
    return upstream_identity(f->s, &f->upstream, err);
}

static int run_filter(const struct command *command, struct settings *s)
{
    struct filter f = {.s = s};
    struct cfsplit_error err = {0};
    struct list_choices choices = {0};
    cfsplit_status status = cfsplit_strategy_find(command->name, &f.strategy, &err);
    bool is_size = f.strategy == CFSPLIT_SIZE;
    if (status == CFSPLIT_OK)
        status = tool_list_choices(s, 0, is_size, is_size, &choices, &err);
    if (status == CFSPLIT_OK && choices.run)
        status =
            tool_fail(&err, CFSPLIT_USAGE,
                      "%s: --weights %s is for plan: replicas that split by themselves need not see the same times",
                      command->name, s->weights);
    if (status == CFSPLIT_OK)
        status = identify(&f, &err);
    if (status == CFSPLIT_OK)
        status = feed_open(&f.feed, s, &choices, is_size, &err);
    if (status == CFSPLIT_OK)
        status = sink_open(&f.sink, s->lz4, &err);
    if (status == CFSPLIT_OK)
        status = printers[f.strategy](&f, &err);
    if (status == CFSPLIT_OK)
        sink_end(&f.sink);
    sink_release(&f.sink);
    feed_close(&f.feed);
    return status == CFSPLIT_OK ? 0 : tool_exit(&err);
}

#define USAGE "[--replica K/N] ITEM...|'PATTERN'...|--from FILE|-r DIR"
#define IDENTITY                                                                                                       \
    "Who I am comes from --replica and --replicas, else REPLICA_ID and REPLICA_COUNT, else the launcher: see\n"        \
    "canfar-split whoami."

const struct command commands_split[5] = {
    {"chunk", SPLIT, USAGE, "print my share: contiguous, the last replica takes the whole remainder",
     "The same answer as the Python client's chunk().\n" IDENTITY, run_filter, 0},
    {"stripe", SPLIT, USAGE, "print my share: item K and every N-th one behind it",
     "The same answer as the Python client's stripe().\n" IDENTITY, run_filter, 0},
    {"even", SPLIT, USAGE, "print my share: contiguous, shares differ by at most one item", IDENTITY, run_filter, 0},
    {"size", SPLIT, USAGE, "print my share: largest first, each to the replica with the least so far",
     "Weights are the sizes of the files unless --weights says otherwise.\n" IDENTITY, run_filter, 0},
    {"hash", SPLIT, USAGE, "print my share: by the item's own bytes",
     "Adding items moves no other item; adding a replica moves as few as can be.\n" IDENTITY, run_filter, 0},
};
