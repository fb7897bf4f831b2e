#include "queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "look.h"
#include "roll.h"

enum { most_named = 3, indent = 6 };

/* ---- who hands out items */

/* "replica 3 (second start) on node7" */
static void print_who(const struct cfsplit_queue_view *q)
{
    if (q->start == 0)
        printf(q->replica ? "replica %" PRIu32 : "a spare", q->replica);
    else
        printf("%s", roll_name(q->replica, q->start).text);
    printf(" on %s", q->host);
}

static void print_place_in_line(uint64_t number)
{
    static const char *const ordinals[] = {"", "", " (second to do so)", " (third to do so)"};
    if (number < 4)
        printf("%s", ordinals[number]);
    else
        printf(" (number %" PRIu64 " to do so)", number);
}

static bool has_open_items(const struct cfsplit_counts *c)
{
    return c->by_state[CFSPLIT_PENDING] > 0 || c->by_state[CFSPLIT_RUNNING] > 0;
}

static void print_coordinator(const struct cfsplit_survey *survey, const struct cfsplit_queue_view *q)
{
    printf("queue: ");
    if (q->number == 0) {
        printf("nobody has handed out items yet\n");
    } else if (q->leads) {
        print_who(q);
        printf(" hands out the items");
        print_place_in_line(q->number);
        printf(q->life == CFSPLIT_LIFE_SILENT ? ", and is silent\n" : "\n");
    } else if (has_open_items(cfsplit_survey_counts(survey))) {
        printf("nobody hands out items now (");
        print_who(q);
        printf(" did%s)\n", q->life == CFSPLIT_LIFE_LOST ? ", and was lost" : "");
    } else {
        print_who(q);
        printf(" handed out the items");
        print_place_in_line(q->number);
        printf("\n");
    }
}

void queue_print(const struct cfsplit_survey *survey, const struct cfsplit_queue_view *q)
{
    if (!q)
        return;
    print_coordinator(survey, q);
    if (q->leads && q->told)
        printf("  %" PRIu64 " connected, %" PRIu64 " %s with them, %" PRIu64 " more ready\n", q->connected, q->held,
               tool_items(q->held), q->ready);
    if (q->refused)
        printf("  %" PRIu64 " connection%s refused%s", q->refused, q->refused == 1 ? "" : "s",
               q->strange ? ", " : "\n");
    if (q->strange)
        printf("%s%" PRIu64 " strange message%s\n", q->refused ? "" : "  ", q->strange, q->strange == 1 ? "" : "s");
}

/* ---- its replicas */

static const struct cfsplit_queue_worker *find_worker(const struct cfsplit_survey *survey,
                                                      const struct cfsplit_queue_view *q,
                                                      const struct cfsplit_life_view *life)
{
    size_t life_count;
    const struct cfsplit_life_view *lives = cfsplit_survey_lives(survey, &life_count);
    for (size_t i = 0; i < q->worker_count; i++)
        if (&lives[q->workers[i].life] == life)
            return &q->workers[i];
    return NULL;
}

/* "2 slots, 30.5 a minute, heard 3 s ago": the rate is that of the slots that have an item. */
static void say_connection(const struct cfsplit_queue_view *q, const struct cfsplit_queue_worker *w, char out[160])
{
    char heard[32];
    *out = '\0';
    if (w->alone)
        snprintf(out, 160, "on its own, without the queue");
    else if (!w->connected && q->told && q->leads)
        snprintf(out, 160, w->called ? "not connected to the queue, or only just" : "not connected to the queue");
    if (!w->connected)
        return;
    uint64_t busy = w->held < w->slots ? w->held : w->slots;
    int n = snprintf(out, 160, "%" PRIu64 " slot%s, ", w->slots, w->slots == 1 ? "" : "s");
    if (w->mean_us && busy)
        n += snprintf(out + n, (size_t)(160 - n), "%.1f a minute, ", (double)busy * 60000000.0 / (double)w->mean_us);
    look_duration((double)w->heard_ms / 1000, heard);
    snprintf(out + n, (size_t)(160 - n), w->heard_ms < 1000 ? "heard just now" : "heard %s ago", heard);
}

/* Columns of the terminal; 0: as many as it takes. */
static size_t width(void)
{
    struct winsize size;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static size_t columns_of(const char *text)
{
    size_t columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

/* Goes on in this line if there is room, else in the next. */
static void print_word(const char *word, size_t *column)
{
    size_t needed = columns_of(word) + (*column > indent), most = width();
    if (*column > indent && most && *column + needed > most) {
        printf("\n%*s", indent, "");
        *column = indent;
    }
    printf("%s%s", *column > indent ? " " : "", word);
    *column += columns_of(word) + (*column > indent);
}

static cfsplit_status print_running(struct cfsplit_survey *survey, const struct cfsplit_queue_worker *w, size_t *column,
                                    struct cfsplit_error *err)
{
    size_t named = w->running_count > most_named ? most_named : w->running_count;
    char word[320];
    for (size_t i = 0; i < named; i++) {
        struct cfsplit_item_view item;
        cfsplit_status status = cfsplit_survey_item(survey, w->running[i], &item, err);
        if (status != CFSPLIT_OK)
            return status;
        snprintf(word, sizeof word, "%s%s%s", i == 0 ? "runs " : "", cfsplit_quote(item.item.name).text,
                 i + 1 < named ? "," : "");
        print_word(word, column);
    }
    if (named < w->running_count) {
        snprintf(word, sizeof word, "and %zu more", w->running_count - named);
        print_word(word, column);
    }
    return CFSPLIT_OK;
}

cfsplit_status queue_print_worker(struct cfsplit_survey *survey, const struct cfsplit_queue_view *q,
                                  const struct cfsplit_life_view *life, struct cfsplit_error *err)
{
    const struct cfsplit_queue_worker *w = q ? find_worker(survey, q, life) : NULL;
    char how[160], clause[164];
    size_t column = indent;
    if (!w)
        return CFSPLIT_OK;
    say_connection(q, w, how);
    if (!*how && w->running_count == 0)
        return CFSPLIT_OK;
    printf("%*s", indent, "");
    if (*how) {
        snprintf(clause, sizeof clause, "%s%s", how, w->running_count ? ";" : "");
        print_word(clause, &column);
    }
    cfsplit_status status = print_running(survey, w, &column, err);
    printf("\n");
    return status;
}

/* ---- for programs */

static cfsplit_status running_json(struct cfsplit_survey *survey, const struct cfsplit_queue_worker *w, json_t *out,
                                   struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    for (size_t i = 0; status == CFSPLIT_OK && i < w->running_count; i++) {
        struct cfsplit_item_view item;
        status = cfsplit_survey_item(survey, w->running[i], &item, err);
        if (status == CFSPLIT_OK)
            json_array_append_new(out, look_json_name(item.item.name));
    }
    return status;
}

static cfsplit_status worker_json(struct cfsplit_survey *survey, const struct cfsplit_queue_worker *w, json_t *out,
                                  struct cfsplit_error *err)
{
    size_t life_count;
    const struct cfsplit_life_view *life = &cfsplit_survey_lives(survey, &life_count)[w->life];
    json_t *running = json_array();
    cfsplit_status status = running_json(survey, w, running, err);
    json_t *o = json_pack("{s:i, s:i, s:s, s:b, s:b}", "replica", (int)life->replica, "start", (int)life->start, "name",
                          life->name, "connected", (int)w->connected, "alone", (int)w->alone);
    if (w->connected)
        json_object_update_new(o, json_pack("{s:I, s:I, s:I, s:I, s:I}", "slots", (json_int_t)w->slots, "held",
                                            (json_int_t)w->held, "ended", (json_int_t)w->ended, "mean_us",
                                            (json_int_t)w->mean_us, "heard_ms", (json_int_t)w->heard_ms));
    json_object_set_new(o, "running", running);
    json_array_append_new(out, o);
    return status;
}

static json_t *coordinator_json(const struct cfsplit_queue_view *q)
{
    json_t *o = json_pack("{s:I, s:b}", "number", (json_int_t)q->number, "hands_out", (int)q->leads);
    if (q->number)
        json_object_update_new(o, json_pack("{s:i, s:i, s:s, s:s, s:s}", "replica", (int)q->replica, "start",
                                            (int)q->start, "life", cfsplit_life_word(q->life), "host", q->host, "name",
                                            q->name));
    if (q->told)
        json_object_update_new(
            o, json_pack("{s:I, s:I}", "refused", (json_int_t)q->refused, "strange", (json_int_t)q->strange));
    if (q->told && q->leads)
        json_object_update_new(o, json_pack("{s:I, s:I, s:I}", "connected", (json_int_t)q->connected, "held",
                                            (json_int_t)q->held, "ready", (json_int_t)q->ready));
    return o;
}

cfsplit_status queue_add_json(struct cfsplit_survey *survey, json_t *root, struct cfsplit_error *err)
{
    const struct cfsplit_queue_view *q;
    cfsplit_status status = cfsplit_survey_queue(survey, &q, err);
    if (status != CFSPLIT_OK || !q)
        return status;
    json_t *o = coordinator_json(q), *workers = json_array();
    for (size_t i = 0; status == CFSPLIT_OK && i < q->worker_count; i++)
        status = worker_json(survey, &q->workers[i], workers, err);
    json_object_set_new(o, "replicas", workers);
    json_object_set_new(root, "queue", o);
    return status;
}
