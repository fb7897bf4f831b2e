/* What status and verify say of replicas: the roll call. */
#ifndef TOOLS_ROLL_H
#define TOOLS_ROLL_H

#include <jansson.h>

#include "tool.h"

/* A life by name: "replica 3 (second start)", "spare 1". Use as roll_name(replica, start).text. */
struct roll_name {
    char text[64];
};
struct roll_name roll_name(uint32_t replica, uint32_t start);

/* Prints who hands out the items of a queue, how many came, then each life of each replica, then who has not come. */
cfsplit_status roll_print(struct cfsplit_survey *survey, struct cfsplit_error *err);

/* Prints only those that are lost, or have left something, or have not come, and who took over. */
cfsplit_status roll_print_gone(struct cfsplit_survey *survey, struct cfsplit_error *err);

/* Adds all of it to the object `root`. */
cfsplit_status roll_add_json(struct cfsplit_survey *survey, json_t *root, struct cfsplit_error *err);

#endif
