#include "settings.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

enum kind {
    FLAG,     /* bool */
    FLAG64,   /* uint64_t, set to 1 */
    TEXT,     /* const char * */
    COUNT,    /* uint64_t */
    JOBS,     /* uint64_t, 0 for "auto" */
    DURATION, /* uint64_t, milliseconds: 90, 90s, 10m, 2h, 100ms */
    WAIT,     /* the same, above 0 */
    BYTES,    /* uint64_t: 1000, 64k, 1M, 2G */
    BATCH,    /* uint64_t, up to CFSPLIT_BATCH_MAX */
    ADDRESS,  /* const char *, a numeric one or "none" */
    CODES,    /* struct cfsplit_exit_codes */
    REPLICA,  /* K or K/N */
    MICROS,   /* uint64_t, microseconds: 50us, 5ms, 1s */
    RATE,     /* uint64_t, above 0: 1000, 50M, 50M/s */
    COUNTS,   /* struct counts: 4 or 1,8,64 */
    SOURCE_FILE,
    SOURCE_TREE,
    SOURCE_MATCH,
    HELP
};

struct option_row {
    const char *name;
    int letter; /* 0: none */
    enum kind kind;
    size_t field;
    const char *argument;
    unsigned commands;
    const char *help;
};

static const struct option_row rows[] = {
#define OPTION(name, letter, kind, field, argument, commands, help)                                                    \
    {name, letter, kind, offsetof(struct settings, field), argument, commands, help},
#include "options.def"
#undef OPTION
};
enum { row_count = sizeof rows / sizeof rows[0], first_long = 256 };

struct unit {
    const char *suffix;
    uint64_t factor;
};
static const struct unit times[] = {{"", 1000},     {"ms", 1},       {"s", 1000}, {"m", 60000},
                                    {"h", 3600000}, {"d", 86400000}, {0}};
static const struct unit sizes[] = {{"", 1},         {"k", 1u << 10}, {"K", 1u << 10}, {"m", 1u << 20},
                                    {"M", 1u << 20}, {"g", 1u << 30}, {"G", 1u << 30}, {0}};
static const struct unit micros[] = {{"us", 1}, {"", 1000000}, {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {0}};
static const struct unit rates[] = {{"", 1},           {"/s", 1},         {"k", 1u << 10},
                                    {"k/s", 1u << 10}, {"M", 1u << 20},   {"M/s", 1u << 20},
                                    {"G", 1u << 30},   {"G/s", 1u << 30}, {0}};

/* A number below 2^63 and a unit of the table behind it. */
static bool parse_number(const char *text, const struct unit *units, uint64_t *out)
{
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (value > (INT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(*at - '0');
    }
    if (at == text)
        return false;
    for (; units->suffix; units++) {
        if (strcmp(units->suffix, at) == 0) {
            if (value > INT64_MAX / units->factor)
                return false;
            *out = value * units->factor;
            return true;
        }
    }
    return false;
}

static const struct unit plain[] = {{"", 1}, {0}};

/* Puts a number where it belongs; one that is there stays there once. */
static bool add_count(struct counts *counts, uint64_t value)
{
    size_t place = counts->count;
    while (place > 0 && counts->at[place - 1] > value)
        place--;
    if (place > 0 && counts->at[place - 1] == value)
        return true;
    if (counts->count == COUNTS_MAX)
        return false;
    memmove(&counts->at[place + 1], &counts->at[place], (counts->count++ - place) * sizeof counts->at[0]);
    counts->at[place] = (uint32_t)value;
    return true;
}

static bool parse_counts(const char *text, struct counts *counts)
{
    *counts = (struct counts){.count = 0};
    while (true) {
        size_t length = strcspn(text, ",");
        char one[8];
        uint64_t value;
        if (length >= sizeof one)
            return false;
        memcpy(one, text, length);
        one[length] = '\0';
        if (!parse_number(one, plain, &value) || value < 1 || value > CFSPLIT_REPLICAS_MAX || !add_count(counts, value))
            return false;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

static bool parse_codes(const char *text, struct cfsplit_exit_codes *codes)
{
    *codes = (struct cfsplit_exit_codes){.is_set = 1};
    while (true) {
        size_t length = strcspn(text, ",");
        char one[8];
        uint64_t code;
        if (length == 0 || length >= sizeof one)
            return false;
        memcpy(one, text, length);
        one[length] = '\0';
        if (!parse_number(one, plain, &code) || code < 1 || code > 255)
            return false;
        codes->bits[code / 64] |= UINT64_C(1) << code % 64;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

/* Names are not looked up: which of its addresses a host has under a name is anybody's guess. */
static bool is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return strcmp(text, "none") == 0 || inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool parse_replica(const char *text, struct settings *s)
{
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    char half[24];
    if (length >= sizeof half)
        return false;
    memcpy(half, text, length);
    half[length] = '\0';
    if (!parse_number(half, plain, &s->identity.id) || s->identity.id == 0)
        return false;
    return !slash || (parse_number(slash + 1, plain, &s->identity.count) && s->identity.count > 0);
}

static cfsplit_status add_source(struct settings *s, enum source_kind kind, const char *text, struct cfsplit_error *err)
{
    struct source *more = realloc(s->sources, (s->source_count + 1) * sizeof *more);
    if (!more)
        return tool_fail(err, CFSPLIT_MEMORY, "out of memory");
    s->sources = more;
    more[s->source_count++] = (struct source){.kind = kind, .text = text};
    return CFSPLIT_OK;
}

static cfsplit_status add_match(struct settings *s, const char *text, struct cfsplit_error *err)
{
    struct source *last = s->source_count ? &s->sources[s->source_count - 1] : NULL;
    if (!last || last->kind != SOURCE_IS_TREE || last->match)
        return tool_fail(err, CFSPLIT_USAGE, "--match '%s' belongs behind the -r it is for: -r DIR --match PATTERN",
                         text);
    last->match = text;
    return CFSPLIT_OK;
}

static const char *what_is_wanted(enum kind kind)
{
    switch (kind) {
    case COUNT: return "a number";
    case JOBS: return "a number above 0, or auto";
    case DURATION: return "a time such as 90, 90s, 10m or 2h";
    case WAIT: return "a time above 0, such as 20, 20s or 2m";
    case BYTES: return "a size such as 4096, 64k or 1M";
    case BATCH: return "a number up to 64";
    case ADDRESS: return "a numeric address such as 192.0.2.7 or 2001:db8::7, or none";
    case MICROS: return "a time such as 50us, 5ms or 1s";
    case RATE: return "what is done in a second, such as 50M";
    case COUNTS: return "up to 32 numbers of replicas such as 16 or 1,16,256";
    case CODES: return "exit codes from 1 to 255, such as 65 or 65,66";
    default: return "a replica number from 1 on, such as 3 or 3/100";
    }
}

static cfsplit_status apply(struct settings *s, const struct option_row *row, const char *value,
                            struct cfsplit_error *err)
{
    void *field = (char *)s + row->field;
    bool good = true;
    switch (row->kind) {
    case FLAG: *(bool *)field = true; break;
    case FLAG64: *(uint64_t *)field = 1; break;
    case TEXT: *(const char **)field = value; break;
    case COUNT: good = parse_number(value, plain, field); break;
    case JOBS:
        if (strcmp(value, "auto") == 0)
            *(uint64_t *)field = 0;
        else
            good = parse_number(value, plain, field) && *(uint64_t *)field > 0;
        break;
    case DURATION: good = parse_number(value, times, field); break;
    case WAIT: good = parse_number(value, times, field) && *(uint64_t *)field > 0; break;
    case BYTES: good = parse_number(value, sizes, field); break;
    case BATCH: good = parse_number(value, plain, field) && *(uint64_t *)field <= CFSPLIT_BATCH_MAX; break;
    case ADDRESS:
        *(const char **)field = value;
        good = is_address(value);
        break;
    case CODES: good = parse_codes(value, field); break;
    case MICROS: good = parse_number(value, micros, field); break;
    case RATE: good = parse_number(value, rates, field) && *(uint64_t *)field > 0; break;
    case COUNTS: good = parse_counts(value, field); break;
    case REPLICA: s->identity.text = value; break; /* read when all options are known */
    case SOURCE_FILE: return add_source(s, SOURCE_IS_FILE, value, err);
    case SOURCE_TREE: return add_source(s, SOURCE_IS_TREE, value, err);
    case SOURCE_MATCH: return add_match(s, value, err);
    case HELP: break;
    }
    if (good)
        return CFSPLIT_OK;
    return tool_fail(err, CFSPLIT_USAGE, "--%s needs %s, not '%s'", row->name, what_is_wanted(row->kind), value);
}

/* Keeps what a replica is told, so that launch can tell it to its own. */
static cfsplit_status note_passed(struct settings *s, const struct option_row *row, const char *value,
                                  struct cfsplit_error *err)
{
    size_t first = offsetof(struct settings, run);
    bool of_run = row->field >= first && row->field < first + sizeof s->run;
    bool as_well = row->field == offsetof(struct settings, null) || /* -0 is for --keep there */
                   row->field == offsetof(struct settings, bind);
    if (!of_run && !as_well)
        return CFSPLIT_OK;
    struct passed *more = realloc(s->passed, (s->passed_count + 1) * sizeof *more);
    if (!more)
        return tool_fail(err, CFSPLIT_MEMORY, "out of memory");
    s->passed = more;
    more[s->passed_count++] = (struct passed){.name = row->name, .value = value};
    return CFSPLIT_OK;
}

static void print_help(const struct command *command)
{
    printf("usage: canfar-split %s %s\n\n%s.\n", command->name, command->usage, command->summary);
    if (command->text)
        printf("\n%s\n", command->text);
    printf("\n");
    for (size_t i = 0; i < row_count; i++) {
        const struct option_row *row = &rows[i];
        if (!(row->commands & (unsigned)command->bit))
            continue;
        char left[64];
        snprintf(left, sizeof left, "  %c%c%s--%s%s%s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
                 row->letter ? ", " : "  ", row->name, row->argument ? " " : "", row->argument ? row->argument : "");
        printf("%-34s %s\n", left, row->help);
    }
}

/* The option tables of getopt_long for one command. */
struct getopt_tables {
    char letters[2 * row_count + 3];
    struct option longs[row_count + 1];
};

static void make_tables(struct getopt_tables *t, unsigned bit)
{
    char *letter = t->letters;
    size_t n = 0;
    *letter++ = '-'; /* arguments come as 1, in order */
    *letter++ = ':';
    for (size_t i = 0; i < row_count; i++) {
        if (!(rows[i].commands & bit))
            continue;
        t->longs[n++] = (struct option){.name = rows[i].name,
                                        .has_arg = rows[i].argument ? required_argument : no_argument,
                                        .val = first_long + (int)i};
        if (rows[i].letter) {
            *letter++ = (char)rows[i].letter;
            if (rows[i].argument)
                *letter++ = ':';
        }
    }
    t->longs[n] = (struct option){0};
    *letter = '\0';
}

static const struct option_row *row_of(int got, unsigned bit)
{
    if (got >= first_long)
        return &rows[got - first_long];
    for (size_t i = 0; i < row_count; i++)
        if (rows[i].letter == got && (rows[i].commands & bit))
            return &rows[i];
    return NULL;
}

static cfsplit_status bad_option(const struct command *command, int got, char **argv, struct cfsplit_error *err)
{
    char shown[64];
    if (optopt > 0 && optopt < first_long)
        snprintf(shown, sizeof shown, "-%c", optopt);
    else
        snprintf(shown, sizeof shown, "%.60s", argv[optind - 1]);
    return tool_fail(err, CFSPLIT_USAGE, "%s: %s '%s'; see: canfar-split %s --help", command->name,
                     got == ':' ? "an argument is missing after" : "no such option, or not a unique one:", shown,
                     command->name);
}

/* Takes in what getopt_long got: an argument, an option, or --help. */
static cfsplit_status take(struct settings *s, const struct command *command, int got, bool *helped,
                           struct cfsplit_error *err)
{
    if (got == 1)
        return add_source(s, SOURCE_IS_ARGUMENT, optarg, err);
    const struct option_row *row = row_of(got, (unsigned)command->bit);
    if (row->kind == HELP) {
        print_help(command);
        *helped = true;
        return CFSPLIT_OK;
    }
    cfsplit_status status = apply(s, row, optarg, err);
    return status == CFSPLIT_OK ? note_passed(s, row, optarg, err) : status;
}

/* What is behind "--": the command where one is wanted, else more items, whatever they look like. */
static cfsplit_status take_rest(struct settings *s, const struct command *command, int count, char **rest,
                                struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    if (command->bit & (PLAN | RUN)) {
        s->command = count ? rest : NULL;
        s->command_count = (size_t)count;
        return status;
    }
    for (int i = 0; status == CFSPLIT_OK && i < count; i++)
        status = add_source(s, SOURCE_IS_ARGUMENT, rest[i], err);
    return status;
}

/* What takes more than one option to tell. */
static cfsplit_status settle(struct settings *s, struct cfsplit_error *err)
{
    if (s->run.keep == CFSPLIT_KEEP_LINES && s->null)
        s->run.keep = CFSPLIT_KEEP_NUL;
    if (s->identity.text && !s->upstream && !parse_replica(s->identity.text, s))
        return tool_fail(err, CFSPLIT_USAGE, "--replica needs %s, not '%s'", what_is_wanted(REPLICA), s->identity.text);
    return CFSPLIT_OK;
}

cfsplit_status settings_parse(struct settings *s, const struct command *command, int argc, char **argv, bool *helped,
                              struct cfsplit_error *err)
{
    struct getopt_tables tables;
    *s = (struct settings){.replicas = CFSPLIT_UNSET,
                           .attempt = CFSPLIT_UNSET,
                           .cpus = CFSPLIT_UNSET,
                           .memory_bytes = CFSPLIT_UNSET,
                           .run = CFSPLIT_RUN_OPTIONS_INIT,
                           .simulate = {.dispatch_us = CFSPLIT_UNSET,
                                        .start_spread_ms = CFSPLIT_UNSET,
                                        .lose = CFSPLIT_UNSET,
                                        .rate = CFSPLIT_UNSET,
                                        .seed = CFSPLIT_UNSET}};
    *helped = false;
    make_tables(&tables, (unsigned)command->bit);
    opterr = 0;
    optind = 1;
    cfsplit_status status = CFSPLIT_OK;
    int got;
    while (status == CFSPLIT_OK && !*helped &&
           (got = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) != -1) {
        if (got == '?' || got == ':')
            return bad_option(command, got, argv, err);
        status = take(s, command, got, helped, err);
    }
    if (status != CFSPLIT_OK || *helped)
        return status;
    status = settle(s, err);
    return status == CFSPLIT_OK ? take_rest(s, command, argc - optind, argv + optind, err) : status;
}

void settings_release(struct settings *s)
{
    for (size_t i = 0; i < s->source_count; i++)
        free(s->sources[i].owned);
    free(s->sources);
    free(s->passed);
    free(s->weights_owned);
}
