#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static const struct command *const commands[] = {
    &commands_split[0], &commands_split[1], &commands_split[2], &commands_split[3],
    &commands_split[4], &command_plan,      &command_run,       &command_launch,
    &command_status,    &command_verify,    &command_items,     &command_explain,
    &command_retry,     &command_stop,      &command_log,       &command_simulate,
};
enum { command_count = sizeof commands / sizeof commands[0] };

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

static void print_overview(FILE *to)
{
    fprintf(to, "usage: canfar-split COMMAND ...\n\n"
                "Splits a list of files over the replicas of a job, and accounts for every one.\n\n");
    for (size_t i = 0; i < command_count; i++)
        fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(to, "\nEach has its own help: canfar-split COMMAND --help\n");
}

/* A file of ours must never become what somebody writes his messages to: the numbers 0 to 2 are taken, by something that
 * answers with an error as a closed one would. */
static void keep_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC) != fd)
            _exit(cfsplit_status_exit_code(CFSPLIT_STORAGE));
}

static int tool_exit_usage(const struct command *command, const char *argument)
{
    tool_say("%s: what is %s? canfar-split %s %s", command->name, cfsplit_quote(argument).text, command->name,
             command->usage);
    return cfsplit_status_exit_code(CFSPLIT_USAGE);
}

static int run_command(const struct command *command, int argc, char **argv)
{
    struct settings s;
    struct cfsplit_error err = {0};
    bool helped;
    int code = 0;
    if (settings_parse(&s, command, argc, argv, &helped, &err) != CFSPLIT_OK)
        code = tool_exit(&err);
    else if (!helped && command->most_arguments && s.source_count > command->most_arguments)
        code = tool_exit_usage(command, s.sources[command->most_arguments].text);
    else if (!helped)
        code = command->run(command, &s);
    settings_release(&s);
    return code;
}

/* A full disk is no success: what was printed must have arrived. */
static int close_stdout(int code)
{
    int broken = ferror(stdout), closed = fclose(stdout);
    if (!broken && closed == 0)
        return code;
    if (errno == EPIPE)
        return code ? code : 1;
    tool_say("cannot write the output: %s", strerror(errno));
    return code ? code : cfsplit_status_exit_code(CFSPLIT_STORAGE);
}

int main(int argc, char **argv)
{
    keep_standard_files();
    if (argc < 2) {
        print_overview(stderr);
        return cfsplit_status_exit_code(CFSPLIT_USAGE);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_overview(stdout);
        return close_stdout(0);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("canfar-split %s\n", cfsplit_version());
        return close_stdout(0);
    }
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(argv[1], commands[i]->name) == 0)
            return close_stdout(run_command(commands[i], argc - 1, argv + 1));
    tool_say("there is no command '%s'; see: canfar-split --help", argv[1]);
    return cfsplit_status_exit_code(CFSPLIT_USAGE);
}
