/* Items one after the other, from a list that is held or from files that stream. */
#ifndef TOOLS_FEED_H
#define TOOLS_FEED_H

#include "tool.h"

struct feed {
    struct cfsplit_list *list;    /* NULL: streaming */
    uint64_t at;                  /* in the list: the next item */
    struct cfsplit_lines **files; /* in the order they were given */
    size_t file_count, file;      /* how many are open; the one that is being read */
};

/* Streams, if all sources are files and neither `whole`, weights nor duplicates need the whole list; else reads the list. */
cfsplit_status feed_open(struct feed *feed, const struct settings *s, const struct list_choices *choices, bool whole,
                         struct cfsplit_error *err);
void feed_close(struct feed *feed);

/* Picks items of the whole list; `null`: what is put ends with NUL. */
cfsplit_status feed_pick(struct feed *feed, bool null, struct cfsplit_pick *pick, struct cfsplit_error *err);

/* The next item; CFSPLIT_END behind the last. */
cfsplit_status feed_next(struct feed *feed, struct cfsplit_item *out, struct cfsplit_error *err);

/* How many items there are, with the feed before the first one again: by reading regular files twice, or else by holding
 * the list. To be called before any feed_next. */
cfsplit_status feed_count(struct feed *feed, uint64_t *out, struct cfsplit_error *err);

#endif
