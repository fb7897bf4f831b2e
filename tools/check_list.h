/* plan --check-list: whether the sources still give the list that was planned. */
#ifndef TOOLS_CHECK_LIST_H
#define TOOLS_CHECK_LIST_H

#include "tool.h"

/* Reads the sources after the run and compares them with its list, whatever the order. Returns the exit code: 0 the same, 1
 * items are new or gone, and the first of each has been named. */
int check_list(struct settings *s, const char *path);

#endif
