/* What status says of the queue of a run. */
#ifndef TOOLS_QUEUE_H
#define TOOLS_QUEUE_H

#include <jansson.h>

#include "tool.h"

/* Prints who hands out items, and to how many. Nothing for a run of another strategy (queue NULL, here and below). */
void queue_print(const struct cfsplit_survey *survey, const struct cfsplit_queue_view *queue);

/* Prints, below the line of a life in the roll call, how it works with the queue and what it runs; nothing of a life that is over. */
cfsplit_status queue_print_worker(struct cfsplit_survey *survey, const struct cfsplit_queue_view *queue,
                                  const struct cfsplit_life_view *life, struct cfsplit_error *err);

/* Adds all of it to the object `root`, as "queue". */
cfsplit_status queue_add_json(struct cfsplit_survey *survey, json_t *root, struct cfsplit_error *err);

#endif
