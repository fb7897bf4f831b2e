#include "words.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void words_add(struct words *w, const char *format, ...)
{
    va_list args;
    char **more = realloc(w->at, (w->count + 2) * sizeof *more);
    if (!more) {
        w->failed = true;
        return;
    }
    w->at = more;
    va_start(args, format);
    if (vasprintf(&more[w->count], format, args) < 0)
        w->failed = true;
    else
        w->count++;
    va_end(args);
    more[w->count] = NULL;
}

void words_add_options(struct words *w, const struct settings *s)
{
    for (size_t i = 0; i < s->passed_count; i++) {
        words_add(w, "--%s", s->passed[i].name);
        if (s->passed[i].value)
            words_add(w, "%s", s->passed[i].value);
    }
}

/* As it is where a shell leaves it alone, else in single quotes. */
static void print_word(const char *word, FILE *to)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,@%+=";
    if (*word && word[strspn(word, plain)] == '\0') {
        fputs(word, to);
        return;
    }
    putc('\'', to);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", to);
        else
            putc(*word, to);
    putc('\'', to);
}

void words_print(const struct words *w, FILE *to)
{
    for (size_t i = 0; i < w->count; i++) {
        if (i)
            putc(' ', to);
        print_word(w->at[i], to);
    }
    putc('\n', to);
}

void words_release(struct words *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->at[i]);
    free(w->at);
    *w = (struct words){0};
}
