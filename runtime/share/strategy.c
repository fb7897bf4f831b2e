#include <string.h>

#include <cfsplit/share.h>

#include "base/error.h"

static const char *const words[] = {
#define ROW(symbol, word, is_static, text) [symbol] = (word),
    CFSPLIT_STRATEGY_LIST(ROW)
#undef ROW
};
enum { word_count = sizeof words / sizeof words[0] };

const char *cfsplit_strategy_word(enum cfsplit_strategy strategy)
{
    return (unsigned)strategy < word_count ? words[strategy] : "(unknown)";
}

cfsplit_status cfsplit_strategy_find(const char *word, enum cfsplit_strategy *out, struct cfsplit_error *err)
{
    for (unsigned i = 0; i < word_count; i++) {
        if (strcmp(word, words[i]) == 0) {
            *out = (enum cfsplit_strategy)i;
            return CFSPLIT_OK;
        }
    }
    return csi_fail(err, CFSPLIT_USAGE,
                    "there is no strategy %s; there are: chunk, stripe, even, size, hash, blocks, queue",
                    csi_quote(word).text);
}
