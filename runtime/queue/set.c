#include "queue/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { word_bits = 64 };

static uint64_t words_for(uint64_t bits)
{
    return bits / word_bits + (bits % word_bits > 0);
}

/* Marks what has members, from level 0 up. */
static void mark(struct csi_set *set)
{
    uint64_t words = set->words;
    for (unsigned l = 0; l + 1 < set->levels; l++) {
        for (uint64_t i = 0; i < words; i++)
            if (set->level[l][i])
                set->level[l + 1][i / word_bits] |= UINT64_C(1) << i % word_bits;
        words = words_for(words);
    }
}

cfsplit_status csi_set_grow(struct csi_set *set, uint64_t room, struct cfsplit_error *err)
{
    struct csi_set grown = {.count = set->count, .words = words_for(room ? room : 1)};
    uint64_t at[CSI_SET_LEVELS], all = 0, words = grown.words;
    if (grown.words <= set->words)
        return CFSPLIT_OK;
    do {
        at[grown.levels++] = all;
        all += words;
        words = words_for(words);
    } while (at[grown.levels - 1] + 1 < all);
    uint64_t *memory = calloc(all ? all : 1, sizeof *memory);
    if (!memory)
        return csi_fail_memory(err);
    for (unsigned l = 0; l < grown.levels; l++)
        grown.level[l] = memory + at[l];
    if (set->words)
        memcpy(memory, set->level[0], set->words * sizeof *memory);
    mark(&grown);
    csi_set_fini(set);
    *set = grown;
    return CFSPLIT_OK;
}

void csi_set_fini(struct csi_set *set)
{
    free(set->level[0]);
    *set = (struct csi_set){0};
}

void csi_set_add(struct csi_set *set, uint64_t index)
{
    uint64_t bit = UINT64_C(1) << index % word_bits;
    if (set->level[0][index / word_bits] & bit)
        return;
    set->count++;
    for (unsigned l = 0; l < set->levels; l++) {
        uint64_t *word = &set->level[l][index / word_bits], had = *word;
        *word |= UINT64_C(1) << index % word_bits;
        if (had)
            return;
        index /= word_bits;
    }
}

void csi_set_remove(struct csi_set *set, uint64_t index)
{
    uint64_t bit = UINT64_C(1) << index % word_bits;
    if (!(set->level[0][index / word_bits] & bit))
        return;
    set->count--;
    for (unsigned l = 0; l < set->levels; l++) {
        uint64_t *word = &set->level[l][index / word_bits];
        *word &= ~(UINT64_C(1) << index % word_bits);
        if (*word)
            return;
        index /= word_bits;
    }
}

uint64_t csi_set_first(const struct csi_set *set)
{
    uint64_t index = 0;
    for (unsigned l = set->levels; l-- > 0;)
        index = index * word_bits + (uint64_t)__builtin_ctzll(set->level[l][index]);
    return index;
}
