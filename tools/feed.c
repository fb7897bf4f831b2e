#include "feed.h"

#include <stdlib.h>
#include <string.h>

static bool is_streamable(const struct settings *s, const struct list_choices *choices)
{
    for (size_t i = 0; i < s->source_count; i++)
        if (s->sources[i].kind != SOURCE_IS_FILE)
            return false;
    return choices->duplicates == CFSPLIT_DUPLICATES_KEEP && !choices->weigh;
}

cfsplit_status feed_open(struct feed *feed, const struct settings *s, const struct list_choices *choices, bool whole,
                         struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    if (whole || !is_streamable(s, choices))
        return tool_list_read(s, 0, choices, &feed->list, err);
    feed->files = calloc(s->source_count, sizeof(struct cfsplit_lines *));
    if (!feed->files)
        return tool_fail(err, CFSPLIT_MEMORY, "out of memory");
    while (status == CFSPLIT_OK && feed->file_count < s->source_count) {
        const char *path = s->sources[feed->file_count].text;
        status = cfsplit_lines_open(path, choices->lines_flags, &feed->files[feed->file_count], err);
        if (status == CFSPLIT_OK)
            feed->file_count++;
    }
    return status;
}

void feed_close(struct feed *feed)
{
    for (size_t i = 0; i < feed->file_count; i++)
        cfsplit_lines_close(feed->files[i]);
    free(feed->files);
    cfsplit_list_free(feed->list);
}

cfsplit_status feed_next(struct feed *feed, struct cfsplit_item *out, struct cfsplit_error *err)
{
    if (feed->list) {
        if (feed->at == cfsplit_list_count(feed->list))
            return CFSPLIT_END;
        *out = cfsplit_list_at(feed->list, feed->at++);
        return CFSPLIT_OK;
    }
    for (; feed->file < feed->file_count; feed->file++) {
        cfsplit_status status = cfsplit_lines_next(feed->files[feed->file], out, err);
        if (status != CFSPLIT_END)
            return status;
    }
    return CFSPLIT_END;
}

/* Of a list that is held: a put for each item would cost more than the item. */
static void pick_held(const struct feed *feed, bool null, struct cfsplit_pick *pick)
{
    char text[8192];
    size_t used = 0;
    uint64_t count = cfsplit_list_count(feed->list);
    for (uint64_t i = pick->skip; i < count && pick->left > 0 && !pick->refused; i += pick->step) {
        struct cfsplit_item item = cfsplit_list_at(feed->list, i);
        if (used + item.length >= sizeof text && used > 0) {
            pick->refused = !pick->put(pick->context, text, used);
            used = 0;
        }
        if (item.length >= sizeof text) {
            pick->refused = !pick->put(pick->context, item.name, item.length);
        } else {
            memcpy(text + used, item.name, item.length);
            used += item.length;
        }
        text[used++] = null ? '\0' : '\n';
        pick->left--;
    }
    if (used > 0 && !pick->refused)
        pick->refused = !pick->put(pick->context, text, used);
    pick->seen = count;
}

cfsplit_status feed_pick(struct feed *feed, bool null, struct cfsplit_pick *pick, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    if (feed->list)
        pick_held(feed, null, pick);
    for (size_t i = 0; status == CFSPLIT_OK && !feed->list && !pick->refused && i < feed->file_count; i++)
        status = cfsplit_lines_pick(feed->files[i], pick, err);
    return status;
}

static bool can_rewind(const struct feed *feed)
{
    for (size_t i = 0; i < feed->file_count; i++)
        if (!cfsplit_lines_can_rewind(feed->files[i]))
            return false;
    return true;
}

static cfsplit_status hold(struct feed *feed, struct cfsplit_error *err)
{
    struct cfsplit_list *list;
    cfsplit_status status = cfsplit_list_new(&list, err);
    for (size_t i = 0; status == CFSPLIT_OK && i < feed->file_count; i++)
        status = cfsplit_list_add_lines(list, feed->files[i], err);
    feed->list = list;
    return status;
}

static cfsplit_status read_twice(struct feed *feed, uint64_t *out, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    *out = 0;
    for (size_t i = 0; status == CFSPLIT_OK && i < feed->file_count; i++) {
        uint64_t count;
        status = cfsplit_lines_count(feed->files[i], &count, err);
        if (status == CFSPLIT_OK) {
            *out += count;
            status = cfsplit_lines_rewind(feed->files[i], err);
        }
    }
    return status;
}

cfsplit_status feed_count(struct feed *feed, uint64_t *out, struct cfsplit_error *err)
{
    if (!feed->list && can_rewind(feed))
        return read_twice(feed, out, err);
    cfsplit_status status = feed->list ? CFSPLIT_OK : hold(feed, err);
    if (status == CFSPLIT_OK)
        *out = cfsplit_list_count(feed->list);
    return status;
}
