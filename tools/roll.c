#include "roll.h"

#include <inttypes.h>
#include <stdio.h>

#include "queue.h"

enum { most_named = 6 };

struct roll_name roll_name(uint32_t replica, uint32_t start)
{
    static const char *const ordinals[] = {"", "", " (second start)", " (third start)"};
    struct roll_name name;
    if (replica == 0)
        snprintf(name.text, sizeof name.text, "spare %" PRIu32, start);
    else if (start < 4)
        snprintf(name.text, sizeof name.text, "replica %" PRIu32 "%s", replica, ordinals[start]);
    else
        snprintf(name.text, sizeof name.text, "replica %" PRIu32 " (start %" PRIu32 ")", replica, start);
    return name;
}

/* "; taken over by replica 3 and spare 1; nobody has 4 of its items yet", or nothing */
static void print_rest(const struct cfsplit_survey *survey, const struct cfsplit_roll *line)
{
    size_t life_count, named = line->taken_count > most_named ? most_named : line->taken_count;
    const struct cfsplit_life_view *lives = cfsplit_survey_lives(survey, &life_count);
    for (size_t i = 0; i < named; i++) {
        const struct cfsplit_life_view *life = &lives[line->taken[i].life];
        printf("%s%s",
               i == 0                                        ? "; taken over by "
               : i + 1 == line->taken_count && !line->queued ? " and "
                                                             : ", ",
               roll_name(life->replica, life->start).text);
    }
    if (named < line->taken_count)
        printf("%s%zu others", line->queued ? ", " : " and ", line->taken_count - named);
    if (line->queued)
        printf(named ? " and the queue" : "; taken over by the queue");
    if (line->waiting)
        printf("; nobody has %" PRIu64 " of its items yet", line->waiting);
}

/* Have both been taken over by the same, whole, or both by nobody? */
static bool is_alike(const struct cfsplit_roll *a, const struct cfsplit_roll *b)
{
    if (a->taken_count != b->taken_count || (a->taken_count && (a->waiting || b->waiting)))
        return false;
    for (size_t i = 0; i < a->taken_count; i++)
        if (a->taken[i].life != b->taken[i].life)
            return false;
    return true;
}

/* Prints `count` lines of those who never came, from `line` on, as one. */
static void print_never_came(const struct cfsplit_survey *survey, const struct cfsplit_roll *line, size_t count,
                             bool in_list)
{
    const char *indent = in_list ? "  " : "", *colon = in_list ? ":" : "";
    char ids[64];
    uint64_t items = 0;
    for (size_t i = 0; i < count; i++)
        items += line[i].share;
    if (count == 1)
        snprintf(ids, sizeof ids, "%sreplica %" PRIu32, indent, line->replica);
    else
        snprintf(ids, sizeof ids, "%sreplicas %" PRIu32 " to %" PRIu32, indent, line->replica, line[count - 1].replica);
    if (line->taken_count) {
        printf("%s (%" PRIu64 " %s): never came", ids, items, tool_items(items));
        print_rest(survey, line);
        printf("\n");
    } else {
        printf("%s%s %s not come\n", ids, colon, count == 1 ? "has" : "have");
    }
}

/* Those who have not come, neighbours to whom the same happened as one. */
static void print_missing(const struct cfsplit_survey *survey, const struct cfsplit_roll *roll, size_t count,
                          bool in_list)
{
    bool complete = cfsplit_survey_counts(survey)->complete;
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && roll[next].replica == roll[next - 1].replica + 1; next++)
            if (!is_alike(&roll[i], &roll[next]))
                break;
        if (in_list || roll[i].taken_count || !complete)
            print_never_came(survey, &roll[i], next - i, in_list);
    }
}

static void print_life(const struct cfsplit_survey *survey, const struct cfsplit_roll *line)
{
    const struct cfsplit_life_view *life = line->life;
    printf("  %-26s %6" PRIu64 " done %6" PRIu64 " rejected %6" PRIu64 " failed   %s, %s",
           roll_name(life->replica, life->start).text, life->done, life->rejected, life->failed,
           cfsplit_life_word(life->life), life->host);
    if (life->life == CFSPLIT_LIFE_UNKNOWN || life->life == CFSPLIT_LIFE_SILENT)
        printf(", beat %" PRIu64, life->beats);
    print_rest(survey, line);
    printf("\n");
}

static void print_summary(const struct cfsplit_counts *c)
{
    const struct {
        uint32_t count;
        const char *what;
    } more[] = {{c->unheard, "not ended on other machines"},
                {c->silent, "silent"},
                {c->lost, "lost"},
                {c->replicas_expected - c->replicas_seen, "missing"}};
    printf("replicas: %" PRIu32 " expected, %" PRIu32 " came, %" PRIu32 " at work", c->replicas_expected,
           c->replicas_seen, c->working);
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        if (more[i].count)
            printf(", %" PRIu32 " %s", more[i].count, more[i].what);
    printf("\n");
}

cfsplit_status roll_print(struct cfsplit_survey *survey, struct cfsplit_error *err)
{
    const struct cfsplit_counts *c = cfsplit_survey_counts(survey);
    const struct cfsplit_roll *roll;
    const struct cfsplit_queue_view *queue;
    size_t count, lives = 0;
    cfsplit_status status = cfsplit_survey_queue(survey, &queue, err);
    if (status == CFSPLIT_OK)
        status = cfsplit_survey_roll(survey, &roll, &count, err);
    if (status != CFSPLIT_OK)
        return status;
    queue_print(survey, queue);
    print_summary(c);
    for (; status == CFSPLIT_OK && lives < count && roll[lives].life; lives++) {
        print_life(survey, &roll[lives]);
        status = queue_print_worker(survey, queue, roll[lives].life, err);
    }
    if (status != CFSPLIT_OK)
        return status;
    print_missing(survey, roll + lives, count - lives, true);
    if (c->unheard)
        printf("  (on another machine: at work as long as the beat goes up, which --watch sees)\n");
    return CFSPLIT_OK;
}

/* Is there anything to say of a life in a verdict? */
static bool has_left(const struct cfsplit_roll *line)
{
    return line->life->life == CFSPLIT_LIFE_LOST || line->taken_count || line->queued || line->waiting;
}

cfsplit_status roll_print_gone(struct cfsplit_survey *survey, struct cfsplit_error *err)
{
    const struct cfsplit_roll *roll;
    size_t count, lives = 0;
    cfsplit_status status = cfsplit_survey_roll(survey, &roll, &count, err);
    if (status != CFSPLIT_OK)
        return status;
    for (; lives < count && roll[lives].life; lives++) {
        const struct cfsplit_life_view *life = roll[lives].life;
        if (!has_left(&roll[lives]))
            continue;
        printf("%s: %s", roll_name(life->replica, life->start).text, cfsplit_life_word(life->life));
        print_rest(survey, &roll[lives]);
        printf("\n");
    }
    print_missing(survey, roll + lives, count - lives, false);
    return CFSPLIT_OK;
}

/* ---- for programs */

static json_t *taken_json(const struct cfsplit_survey *survey, const struct cfsplit_roll *line)
{
    size_t life_count;
    const struct cfsplit_life_view *lives = cfsplit_survey_lives(survey, &life_count);
    json_t *taken = json_array();
    for (size_t i = 0; i < line->taken_count; i++) {
        const struct cfsplit_life_view *life = &lives[line->taken[i].life];
        json_array_append_new(taken, json_pack("{s:i, s:i, s:s, s:I}", "replica", (int)life->replica, "start",
                                               (int)life->start, "name", life->name, "items",
                                               (json_int_t)line->taken[i].items));
    }
    return taken;
}

static json_t *life_json(const struct cfsplit_survey *survey, const struct cfsplit_roll *line)
{
    const struct cfsplit_life_view *life = line->life;
    return json_pack("{s:i, s:i, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s?, s:I, s:I, s:I, s:o}", "replica",
                     (int)life->replica, "start", (int)life->start, "life", cfsplit_life_word(life->life), "host",
                     life->host, "name", life->name, "started", (json_int_t)life->started, "done",
                     (json_int_t)life->done, "failed", (json_int_t)life->failed, "rejected", (json_int_t)life->rejected,
                     "beats", (json_int_t)life->beats, "ended_by", life->ended_by, "share", (json_int_t)line->share,
                     "waiting", (json_int_t)line->waiting, "queued", (json_int_t)line->queued, "taken_over_by",
                     taken_json(survey, line));
}

cfsplit_status roll_add_json(struct cfsplit_survey *survey, json_t *root, struct cfsplit_error *err)
{
    const struct cfsplit_counts *c = cfsplit_survey_counts(survey);
    const struct cfsplit_roll *roll;
    size_t count;
    cfsplit_status status = cfsplit_survey_roll(survey, &roll, &count, err);
    json_t *ids = json_array(), *lives = json_array(), *missing = json_array();
    for (size_t i = 0; i < count; i++) {
        if (roll[i].life) {
            json_array_append_new(lives, life_json(survey, &roll[i]));
            continue;
        }
        json_array_append_new(ids, json_integer(roll[i].replica));
        json_array_append_new(missing, json_pack("{s:i, s:I, s:I, s:o}", "replica", (int)roll[i].replica, "share",
                                                 (json_int_t)roll[i].share, "waiting", (json_int_t)roll[i].waiting,
                                                 "taken_over_by", taken_json(survey, &roll[i])));
    }
    json_object_set_new(root, "replicas_expected", json_integer(c->replicas_expected));
    json_object_set_new(root, "replicas_seen", json_integer(c->replicas_seen));
    json_object_set_new(root, "replicas_missing", ids);
    json_object_set_new(root, "replicas_working", json_integer(c->working));
    json_object_set_new(root, "replicas_unheard", json_integer(c->unheard));
    json_object_set_new(root, "replicas_silent", json_integer(c->silent));
    json_object_set_new(root, "replicas_lost", json_integer(c->lost));
    json_object_set_new(root, "replicas", lives);
    json_object_set_new(root, "missing", missing);
    return status;
}
