/* The words of a command line that is being put together. */
#ifndef TOOLS_WORDS_H
#define TOOLS_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "settings.h"

struct words {
    char **at; /* NULL-terminated, ready for exec; NULL while empty */
    size_t count;
    bool failed; /* out of memory: some are missing */
};

/* Adds one word; a failure is kept in `failed`. */
void words_add(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds the options of `run` that launch was told, as they were typed, each as two words. */
void words_add_options(struct words *w, const struct settings *s);

/* Prints them as one line that can be pasted into a shell. */
void words_print(const struct words *w, FILE *to);
void words_release(struct words *w);

#endif
