#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static void print_overview(FILE *to)
{
    fprintf(to, "usage: canfar-split COMMAND ...\n\n"
                "Splits a list of files over the replicas of a job, and accounts for every one.\n\n");
    for (const struct command *const *at = tool_commands; *at; at++)
        fprintf(to, "  %-8s  %s\n", (*at)->name, (*at)->summary);
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
    bool broken = ferror(stdout) || tool_output_error();
    if (fclose(stdout) == 0 && !broken)
        return code;
    int number = tool_output_error() ? tool_output_error() : errno;
    if (number == EPIPE) {
        raise(SIGPIPE); /* in a thread that writes it was blocked; it is what everybody gets whose reader is gone */
        return code ? code : 1;
    }
    tool_say("cannot write the output: %s", strerror(number));
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
    for (const struct command *const *at = tool_commands; *at; at++)
        if (strcmp(argv[1], (*at)->name) == 0)
            return close_stdout(run_command(*at, argc - 1, argv + 1));
    tool_say("there is no command '%s'; see: canfar-split --help", argv[1]);
    return cfsplit_status_exit_code(CFSPLIT_USAGE);
}
