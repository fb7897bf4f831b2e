/* Writes canfar-split(1), a page for every command and the completion for bash, from the tables that --help is made of and the
 * prose of docs/man/:   manual PROSE-FOLDER FOLDER
 * Prose is roff; it stands behind the description, and a comment in it says where the options (or the commands) belong. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

struct row {
    const char *name;
    int letter; /* 0: none */
    const char *argument;
    unsigned commands;
    const char *help;
};

static const struct row rows[] = {
#define OPTION(name, letter, kind, field, argument, commands, help) {name, letter, argument, commands, help},
#include "options.def"
#undef OPTION
};
enum { row_count = sizeof rows / sizeof rows[0] };

static bool complain(const char *what, const char *path)
{
    fprintf(stderr, "manual: %s '%s': %s\n", what, path, strerror(errno));
    return false;
}

/* Text as it is, whatever roff would make of it. */
static void put_text(FILE *to, const char *text)
{
    static const char special[] = "\\-'`^~";
    static const char *const escapes[] = {"\\e", "\\-", "\\(aq", "\\(ga", "\\(ha", "\\(ti"};
    bool begins = true;
    for (; *text; text++) {
        const char *found = strchr(special, *text);
        if (begins && *text == '.')
            fputs("\\&", to);
        if (found)
            fputs(escapes[found - special], to);
        else
            fputc(*text, to);
        begins = *text == '\n';
    }
}

static void put_options(FILE *to, const struct command *command)
{
    fputs(".SH OPTIONS\n", to);
    for (const struct row *row = rows; row < rows + row_count; row++) {
        if (!(row->commands & (unsigned)command->bit))
            continue;
        fputs(".TP\n", to);
        if (row->letter)
            fprintf(to, "\\fB\\-%c\\fR, ", row->letter);
        fputs("\\fB\\-\\-", to);
        put_text(to, row->name);
        fputs("\\fR", to);
        if (row->argument) {
            fputs(" \\fI", to);
            put_text(to, row->argument);
            fputs("\\fR", to);
        }
        fputc('\n', to);
        put_text(to, row->help);
        fputc('\n', to);
    }
}

static void put_commands(FILE *to, const struct command *none)
{
    (void)none;
    for (const struct command *const *at = tool_commands; *at; at++) {
        fprintf(to, ".TP\n\\fBcanfar\\-split\\-%s\\fR(1)\n", (*at)->name);
        put_text(to, (*at)->summary);
        fputc('\n', to);
    }
}

/* A usage has its alternatives on lines of their own. */
static void put_synopsis(FILE *to, const struct command *command)
{
    char usage[512];
    fputs(".SH SYNOPSIS\n.nf\n", to);
    snprintf(usage, sizeof usage, "%s", command->usage);
    for (char *one = usage, *next; one; one = next) {
        next = strstr(one, " | ");
        if (next) {
            *next = '\0';
            next += strlen(" | ");
        }
        fprintf(to, "\\fBcanfar\\-split %s\\fR ", command->name);
        put_text(to, one);
        fputc('\n', to);
    }
    fputs(".fi\n", to);
}

/* Copies prose, with what `put` writes in the place of the line `marker`, which must be there once. */
static bool put_prose(FILE *to, const char *folder, const char *name, const char *marker,
                      void (*put)(FILE *to, const struct command *command), const struct command *command)
{
    char path[4096], line[4096];
    int found = 0;
    snprintf(path, sizeof path, "%s/%s.man", folder, name);
    FILE *from = fopen(path, "r");
    if (!from)
        return complain("there is no prose for this page: cannot open", path);
    while (fgets(line, sizeof line, from)) {
        if (strcmp(line, marker) == 0) {
            put(to, command);
            found++;
        } else {
            fputs(line, to);
        }
    }
    bool broken = ferror(from);
    fclose(from);
    if (broken)
        return complain("cannot read", path);
    if (found != 1)
        fprintf(stderr, "manual: '%s' has %d lines '%.12s', not one\n", path, found, marker);
    return found == 1;
}

static FILE *open_in(const char *folder, const char *name, const char *kind)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, kind);
    FILE *to = fopen(path, "w");
    if (!to)
        complain("cannot write", path);
    return to;
}

static bool close_whole(FILE *to, const char *name)
{
    bool broken = ferror(to);
    return (fclose(to) == 0 && !broken) || complain("cannot write", name);
}

static void put_title(FILE *to, const char *title)
{
    fprintf(to, ".TH %s 1 \"\" \"canfar\\-split %s\" \"canfar\\-split\"\n.SH NAME\n", title, cfsplit_version());
}

static bool write_overview(const char *prose, const char *folder)
{
    FILE *to = open_in(folder, "canfar-split", ".1");
    if (!to)
        return false;
    put_title(to, "CANFAR\\-SPLIT");
    bool good = put_prose(to, prose, "canfar-split", ".\\\" COMMANDS\n", put_commands, NULL);
    return close_whole(to, "canfar-split.1") && good;
}

static bool write_page(const char *prose, const char *folder, const struct command *command)
{
    char name[64];
    snprintf(name, sizeof name, "canfar-split-%s", command->name);
    FILE *to = open_in(folder, name, ".1");
    if (!to)
        return false;
    put_title(to, name);
    put_text(to, name);
    fputs(" \\- ", to);
    put_text(to, command->summary);
    fputc('\n', to);
    put_synopsis(to, command);
    fputs(".SH DESCRIPTION\n", to);
    put_text(to, command->summary);
    fputs(".\n", to);
    if (command->text) {
        fputs(".PP\n", to);
        put_text(to, command->text);
        fputc('\n', to);
    }
    bool good =
        put_prose(to, prose, command->bit == SPLIT ? "split" : command->name, ".\\\" OPTIONS\n", put_options, command);
    return close_whole(to, name) && good;
}

#define WORD_OF_STRATEGY_(symbol, word, is_static, text) word " "
#define WORD_OF_STATE_(symbol, word)                     word " "
#define WORD_OF_LAUNCHER_(word)                          word " "

/* The choices of "N|auto" that can be typed as they are. */
static void put_choices(FILE *to, const char *argument)
{
    fputs("kind=words words='", to);
    for (size_t length; *argument; argument += length + (argument[length] == '|')) {
        length = strcspn(argument, "|");
        if (*argument >= 'a' && *argument <= 'z')
            fprintf(to, "%.*s ", (int)length, argument);
    }
    fputc('\'', to);
}

/* What bash may offer for an option's argument: words, the names of files or folders, or nothing. */
static void put_values(FILE *to, const struct row *row)
{
    const char *a = row->argument;
    if (strcmp(row->name, "strategy") == 0)
        fputs("kind=words words='" CFSPLIT_STRATEGY_LIST(WORD_OF_STRATEGY_) "'", to);
    else if (strcmp(row->name, "launcher") == 0)
        fputs("kind=words words='" CFSPLIT_LAUNCHER_LIST(WORD_OF_LAUNCHER_) "'", to);
    else if (strcmp(a, "STATE") == 0)
        fputs("kind=words words='" CFSPLIT_STATE_LIST(WORD_OF_STATE_) "'", to);
    else if (strcmp(row->name, "weights") == 0) /* run:OTHER is for who knows a run */
        fputs("kind=words words='stat column none'", to);
    else if (strcmp(a, "FILE") == 0)
        fputs("kind=file", to);
    else if (strcmp(a, "DIR") == 0 || strcmp(a, "RUN") == 0)
        fputs("kind=folder", to);
    else if (strchr(a, '|'))
        put_choices(to, a);
    else
        fputs("kind=nothing", to);
}

static void put_case(FILE *to, const struct command *command)
{
    fprintf(to, "    %s)\n        options='", command->name);
    for (const struct row *row = rows; row < rows + row_count; row++)
        if (row->commands & (unsigned)command->bit)
            fprintf(to, "--%s ", row->name);
    fputs("'\n        case $before in\n", to);
    for (const struct row *row = rows; row < rows + row_count; row++) {
        if (!(row->commands & (unsigned)command->bit) || !row->argument)
            continue;
        fprintf(to, "        --%s", row->name);
        if (row->letter)
            fprintf(to, " | -%c", row->letter);
        fputs(") ", to);
        put_values(to, row);
        fputs(" ;;\n", to);
    }
    fputs("        esac\n        ;;\n", to);
}

static bool write_completion(const char *folder)
{
    FILE *to = open_in(folder, "canfar-split", ".bash");
    if (!to)
        return false;
    fputs("# bash completion for canfar-split, made from the table of its options\n"
          "_canfar_split() {\n"
          "    local at=$COMP_CWORD kind=option words= options= word before i\n"
          "    word=${COMP_WORDS[at]} before=${COMP_WORDS[at - 1]}\n"
          "    COMPREPLY=()\n"
          "    # --option=VALUE is three words here\n"
          "    if [[ $word == '=' ]]; then word=; elif [[ $before == '=' ]]; then before=${COMP_WORDS[at - 2]}; fi\n"
          "    ((at > 1)) || kind=words words='--help --version ",
          to);
    for (const struct command *const *at = tool_commands; *at; at++)
        fprintf(to, "%s ", (*at)->name);
    fputs("'\n    ((at == 1)) || case ${COMP_WORDS[1]} in\n", to);
    for (const struct command *const *at = tool_commands; *at; at++)
        put_case(to, *at);
    fputs("    esac\n"
          "    # behind -- is a command, or items\n"
          "    for ((i = 2; i < at; i++)); do [[ ${COMP_WORDS[i]} != -- ]] || kind=file; done\n"
          "    [[ $kind != option ]] || { [[ $word == -* ]] && kind=words words=$options || kind=file; }\n"
          "    case $kind in\n"
          "    words) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\") ;;\n"
          "    file) compopt -o default ;;\n"
          "    folder) compopt -o dirnames ;;\n"
          "    esac\n"
          "}\n"
          "complete -F _canfar_split canfar-split\n",
          to);
    return close_whole(to, "canfar-split.bash");
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: manual PROSE-FOLDER FOLDER\n");
        return 2;
    }
    bool good = write_overview(argv[1], argv[2]);
    for (const struct command *const *at = tool_commands; good && *at; at++)
        good = write_page(argv[1], argv[2], *at);
    return good && write_completion(argv[2]) ? 0 : 1;
}
