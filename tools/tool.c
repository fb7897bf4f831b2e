#include "tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

cfsplit_status tool_fail(struct cfsplit_error *err, cfsplit_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->status = status;
    err->system_errno = 0;
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return status;
}

void tool_say(const char *format, ...)
{
    char line[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fprintf(stderr, "canfar-split: %s\n", line); /* one write: lines of several replicas do not mix */
}

struct tool_word tool_word(const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,@%+=";
    struct tool_word word = {""};
    size_t at = 0;
    if (*path && path[strspn(path, plain)] == '\0') {
        snprintf(word.text, sizeof word.text, "%s", path);
        return word;
    }
    word.text[at++] = '\'';
    for (; *path && at + 8 < sizeof word.text; path++) {
        if (*path == '\'')
            at += (size_t)snprintf(word.text + at, sizeof word.text - at, "'\\''");
        else
            word.text[at++] = *path;
    }
    snprintf(word.text + at, sizeof word.text - at, "'");
    return word;
}

static int output_error;

void tool_output_failed(int number)
{
    output_error = number;
}

int tool_output_error(void)
{
    return output_error;
}

const char *tool_items(uint64_t count)
{
    return count == 1 ? "item" : "items";
}

int tool_exit(const struct cfsplit_error *err)
{
    tool_say("%s", err->message);
    return cfsplit_status_exit_code(err->status);
}

cfsplit_status tool_run_path(const struct command *command, const struct settings *s, const char **path,
                             struct cfsplit_error *err)
{
    if (s->source_count == 0 || s->sources[0].kind != SOURCE_IS_ARGUMENT)
        return tool_fail(err, CFSPLIT_USAGE, "%s: which run? canfar-split %s %s", command->name, command->name,
                         command->usage);
    *path = s->sources[0].text;
    return CFSPLIT_OK;
}
