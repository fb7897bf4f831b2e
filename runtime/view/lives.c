/* The lives of a run's replicas: who came, who is at work, silent or lost, and who is missing. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "view/survey.h"

enum { longest_gap_ms = 10000 }; /* between two looks, for silence in between to mean something */

static const char *const life_words[] = {
#define WORD(symbol, word) word,
    CFSPLIT_LIFE_LIST(WORD)
#undef WORD
};

const char *cfsplit_life_word(enum cfsplit_life life)
{
    return life_words[life];
}

enum csi_hearing csi_heard_take(struct csi_heard *heard, uint64_t sequence, uint64_t now_ms, bool away,
                                uint64_t stall_after_ms)
{
    if (heard->since_ms == 0 || away) {
        *heard = (struct csi_heard){.sequence = sequence, .since_ms = now_ms};
        return CSI_HEARD_NOTHING;
    }
    if (heard->sequence != sequence)
        *heard = (struct csi_heard){.sequence = sequence, .since_ms = now_ms, .changed = true};
    if (now_ms - heard->since_ms >= stall_after_ms)
        return CSI_HEARD_SILENCE;
    return heard->changed ? CSI_HEARD_BEATS : CSI_HEARD_NOTHING;
}

enum cfsplit_life csi_life_of(const struct csi_seen *seen, enum csi_hearing hearing)
{
    if (seen->reader.closed)
        return seen->finished ? CFSPLIT_LIFE_FINISHED : CFSPLIT_LIFE_LEFT;
    if (seen->seal.state != CSI_FENCE_NONE || seen->life == CSI_LIFE_DEAD)
        return CFSPLIT_LIFE_LOST;
    if (hearing == CSI_HEARD_SILENCE)
        return CFSPLIT_LIFE_SILENT; /* its process may be there, and frozen */
    return seen->life != CSI_LIFE_UNKNOWN || hearing == CSI_HEARD_BEATS ? CFSPLIT_LIFE_WORKING : CFSPLIT_LIFE_UNKNOWN;
}

static cfsplit_status make_room(struct cfsplit_survey *s, struct cfsplit_error *err)
{
    size_t count = s->incs.count;
    struct cfsplit_life_view *lives = realloc(s->lives, (count + 1) * sizeof *lives);
    if (lives)
        s->lives = lives;
    struct csi_heard *heard = realloc(s->heard, (count + 1) * sizeof *heard);
    if (heard)
        s->heard = heard;
    uint32_t *missing = realloc(s->missing, (s->run->spec.replicas + 1) * sizeof *missing);
    if (missing)
        s->missing = missing;
    if (!lives || !heard || !missing)
        return csi_fail_memory(err);
    for (; s->heard_count < count; s->heard_count++)
        heard[s->heard_count] = (struct csi_heard){0};
    return CFSPLIT_OK;
}

static struct cfsplit_life_view view_of(const struct csi_inc *inc, const struct csi_seen *seen,
                                        enum csi_hearing hearing)
{
    return (struct cfsplit_life_view){.replica = inc->replica,
                                      .life = csi_life_of(seen, hearing),
                                      .name = inc->name,
                                      .host = inc->host,
                                      .started_ms = inc->created_ms,
                                      .started = seen->started,
                                      .done = seen->done,
                                      .failed = seen->failed,
                                      .rejected = seen->rejected,
                                      .beats = seen->beat.sequence,
                                      .ended_by = seen->seal.state == CSI_FENCE_SEALED ? seen->seal.by : NULL};
}

static int by_replica(const void *a, const void *b)
{
    const struct cfsplit_life_view *x = a, *y = b;
    if (x->replica != y->replica)
        return x->replica < y->replica ? -1 : 1;
    if (x->started_ms != y->started_ms)
        return x->started_ms < y->started_ms ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Is there no later start of the same replica? Each spare is one of its own. */
static bool is_last(const struct cfsplit_survey *s, size_t life)
{
    return s->lives[life].replica == 0 || life + 1 == s->incs.count ||
           s->lives[life + 1].replica != s->lives[life].replica;
}

static void list_lives(struct cfsplit_survey *s)
{
    struct cfsplit_run_options options = CFSPLIT_RUN_OPTIONS_INIT;
    csi_options_settle(&options, &s->run->spec.options);
    uint64_t now_ms = csi_clock_mono_ms();
    bool away = now_ms - s->looked_ms > longest_gap_ms;
    s->looked_ms = now_ms;
    for (size_t i = 0; i < s->incs.count; i++)
        s->lives[i] =
            view_of(&s->incs.at[i], &s->seen[i],
                    csi_heard_take(&s->heard[i], s->seen[i].beat.sequence, now_ms, away, options.stall_after_ms));
    if (s->incs.count)
        qsort(s->lives, s->incs.count, sizeof *s->lives, by_replica);
    for (size_t i = 0; i < s->incs.count; i++)
        s->lives[i].start = i && s->lives[i].replica == s->lives[i - 1].replica ? s->lives[i - 1].start + 1 : 1;
}

static void count_lives(struct cfsplit_survey *s)
{
    struct cfsplit_counts *c = &s->counts;
    for (size_t i = 0; i < s->incs.count; i++) {
        enum cfsplit_life life = s->lives[i].life;
        c->working += life == CFSPLIT_LIFE_WORKING;
        c->unheard += life == CFSPLIT_LIFE_UNKNOWN;
        c->silent += life == CFSPLIT_LIFE_SILENT;
        c->lost += life == CFSPLIT_LIFE_LOST && is_last(s, i);
    }
}

/* The ids between those of the lives, which are sorted. */
static void list_missing(struct cfsplit_survey *s)
{
    uint32_t replicas = s->run->spec.replicas, next = 1;
    s->missing_count = 0;
    for (size_t i = 0; i < s->incs.count; i++) {
        for (; next < s->lives[i].replica && next <= replicas; next++)
            s->missing[s->missing_count++] = next;
        if (next == s->lives[i].replica)
            next++;
    }
    for (; next <= replicas; next++)
        s->missing[s->missing_count++] = next;
    s->counts.replicas_expected = replicas;
    s->counts.replicas_seen = replicas - (uint32_t)s->missing_count;
}

cfsplit_status csi_lives_refresh(struct cfsplit_survey *s, struct cfsplit_error *err)
{
    cfsplit_status status = make_room(s, err);
    if (status != CFSPLIT_OK)
        return status;
    list_lives(s);
    count_lives(s);
    list_missing(s);
    return CFSPLIT_OK;
}

const struct cfsplit_life_view *cfsplit_survey_lives(const struct cfsplit_survey *s, size_t *n)
{
    *n = s->incs.count;
    return s->lives;
}

const uint32_t *cfsplit_survey_missing(const struct cfsplit_survey *s, size_t *n)
{
    *n = s->missing_count;
    return s->missing;
}
