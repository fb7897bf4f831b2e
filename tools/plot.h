/* A picture of what was simulated, drawn by gnuplot. */
#ifndef TOOLS_PLOT_H
#define TOOLS_PLOT_H

#include "study.h"

/* Whether a picture can be drawn there: the name ends in .svg or .png, and there is a gnuplot. Errors: CFSPLIT_USAGE. */
cfsplit_status plot_check(const char *path, struct cfsplit_error *err);

/* Draws it; what was at `path` is replaced when all is drawn, and left alone if not. Blocks until gnuplot has ended. Errors:
 * CFSPLIT_USAGE, CFSPLIT_STORAGE. */
cfsplit_status plot_draw(const struct study *study, const char *path, struct cfsplit_error *err);

#endif
