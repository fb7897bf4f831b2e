/* Who gets what: the strategies, and the shares of the static ones.
 *
 * With n items and R replicas; replica ids k count from 1, item positions from 0. chunk, stripe and even need no list at
 * all: a share is an arithmetic range, found in O(1). size needs weights, hash the items' bytes. */
#ifndef CFSPLIT_SHARE_H
#define CFSPLIT_SHARE_H

#include <cfsplit/list.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CFSPLIT_REPLICAS_MAX 1000000u

/* X(symbol, word, is it static, what it does) */
#define CFSPLIT_STRATEGY_LIST(X)                                                                                       \
    X(CFSPLIT_CHUNK, "chunk", true,                                                                                    \
      "contiguous; the last replica takes the whole remainder, as the Python client does")                             \
    X(CFSPLIT_STRIPE, "stripe", true, "items k, k+R, k+2R, ..., as the Python client does")                            \
    X(CFSPLIT_EVEN, "even", true, "contiguous; shares differ by at most one item")                                     \
    X(CFSPLIT_SIZE, "size", true, "largest first, each to the replica with the least so far")                          \
    X(CFSPLIT_HASH, "hash", true, "by the item's own bytes: adding items or replicas moves the fewest")                \
    X(CFSPLIT_BLOCKS, "blocks", false, "many small blocks, each to whoever is free")                                   \
    X(CFSPLIT_QUEUE, "queue", false, "largest first, to whoever is free")

enum cfsplit_strategy {
#define CFSPLIT_STRATEGY_ENUM_(symbol, word, is_static, text) symbol,
    CFSPLIT_STRATEGY_LIST(CFSPLIT_STRATEGY_ENUM_)
#undef CFSPLIT_STRATEGY_ENUM_
};

/* The word of a strategy ("chunk"), static; and the strategy of a word. Errors: CFSPLIT_USAGE naming the choices. */
CFSPLIT_API const char *cfsplit_strategy_word(enum cfsplit_strategy strategy);
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_strategy_find(const char *word, enum cfsplit_strategy *out,
                                                                  struct cfsplit_error *err);

/* Positions first, first + step, ..., count of them. */
struct cfsplit_range {
    uint64_t first;
    uint64_t count;
    uint64_t step;
};

/* The share of replica k of R among n items for chunk, stripe or even. O(1), no allocation.
 * chunk: floor(n/R) items each, the last replica the whole remainder; if n < R, one each to the first n. stripe: k-1, k-1+R, ...
 * Both exactly as canfar.helpers.distributed (canfar client 1.5). even: the first n mod R shares are one item larger.
 * Errors: CFSPLIT_USAGE if k is not in 1..R, R is 0 or above CFSPLIT_REPLICAS_MAX, or the strategy has no ranges. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_share_range(enum cfsplit_strategy strategy, uint64_t n, uint64_t k,
                                                                uint64_t R, struct cfsplit_range *out,
                                                                struct cfsplit_error *err);

/* What the Python client answers for chunk or stripe, bad ids included, where it silently yields nothing (or, for chunk
 * with n < R, something): for auditing old runs. k and R may be anything. Errors: CFSPLIT_USAGE where Python raises. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_share_upstream(enum cfsplit_strategy strategy, uint64_t n,
                                                                   int64_t k, int64_t R, struct cfsplit_range *out,
                                                                   struct cfsplit_error *err);

/* The replica (1..R) that the hash strategy gives an item: jump consistent hash (Lamping and Veach 2014, arXiv:1406.2294)
 * of XXH3-64 of the item's bytes, seed 0. R in 1..CFSPLIT_REPLICAS_MAX. Pure. */
CFSPLIT_API uint32_t cfsplit_share_hash(const char *name, size_t length, uint32_t R);

/* All shares of a list at once. */
struct cfsplit_shares;

/* Splits a list among R replicas. size is largest-processing-time (Graham 1969: within 4/3 - 1/(3R) of the best makespan):
 * heaviest first, to the lightest share (a weight of 0 counts as 1 there: an empty file is work, too); equal weights in the
 * order of the items' bytes, equal shares to the lowest id; so the answer does not depend on the order of the list. Memory 8
 * bytes an item, 28 while size is made. Errors: CFSPLIT_USAGE for a bad R or a strategy without shares, CFSPLIT_MEMORY. The list may be freed afterwards. */
CFSPLIT_API CFSPLIT_MUST_USE cfsplit_status cfsplit_shares_new(const struct cfsplit_list *list,
                                                               enum cfsplit_strategy strategy, uint32_t R,
                                                               struct cfsplit_shares **out, struct cfsplit_error *err);
CFSPLIT_API void cfsplit_shares_free(struct cfsplit_shares *shares);

/* The positions that replica k has, in the order it runs them (size: largest first; else list order). *count is their
 * number. The shares' own memory; NULL when the share is empty. */
CFSPLIT_API const uint64_t *cfsplit_shares_of(const struct cfsplit_shares *shares, uint32_t k, uint64_t *count);

#ifdef __cplusplus
}
#endif
#endif
