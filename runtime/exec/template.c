#include "exec/template.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "rundir/spec.h"

#include <cfsplit/unstable.h>

struct csi_template {
    char **words;
    size_t count;
    bool shell; /* then there is one word, the line */
};

struct slice {
    const char *at;
    size_t length;
};

/* An item taken apart: folder, basename [base, base_end), and where its extension begins. */
struct parts {
    const char *item;
    size_t length, base, base_end, stem_end;
    char number[24];
};

static struct slice whole(const struct parts *p)
{
    return (struct slice){p->item, p->length};
}

static struct slice basename_of(const struct parts *p)
{
    return (struct slice){p->item + p->base, p->base_end - p->base};
}

static struct slice folder_of(const struct parts *p)
{
    size_t end = p->base;
    while (end > 0 && p->item[end - 1] == '/')
        end--;
    if (end > 0)
        return (struct slice){p->item, end};
    return (struct slice){p->item[0] == '/' ? "/" : ".", 1};
}

static struct slice stem_of(const struct parts *p)
{
    return (struct slice){p->item, p->stem_end};
}

static struct slice base_stem_of(const struct parts *p)
{
    return (struct slice){p->item + p->base, p->stem_end - p->base};
}

static struct slice number_of(const struct parts *p)
{
    return (struct slice){p->number, strlen(p->number)};
}

static const struct word {
    const char *text;
    size_t length;
    struct slice (*value)(const struct parts *);
} table[] = {
    {"{}", 2, whole},    {"{/}", 3, basename_of},   {"{//}", 4, folder_of},
    {"{.}", 3, stem_of}, {"{/.}", 4, base_stem_of}, {"{#}", 3, number_of},
};

/* The word that begins at text, which is at a brace; NULL: none. */
static const struct word *word_at(const char *text)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strncmp(text, table[i].text, table[i].length) == 0)
            return &table[i];
    return NULL;
}

static const struct word *find_word(const char *text, const char **at)
{
    for (const char *brace = strchr(text, '{'); brace; brace = strchr(brace + 1, '{')) {
        const struct word *word = word_at(brace);
        if (word) {
            *at = brace;
            return word;
        }
    }
    return NULL;
}

static bool has_word(const char *text)
{
    const char *at;
    return find_word(text, &at) != NULL;
}

/* Where the last ".something" of a basename of that length begins; its length if it has none. */
static size_t extension_at(const char *base, size_t length)
{
    size_t dot = length;
    while (dot > 0 && base[dot - 1] != '.')
        dot--;
    return dot <= 1 || dot == length ? length : dot - 1;
}

static size_t drop_extensions(const char *base, size_t length)
{
    static const char *const packed[] = {".gz", ".fz", ".bz2", ".Z"};
    size_t at = extension_at(base, length);
    for (size_t i = 0; at < length && i < sizeof packed / sizeof *packed; i++)
        if (length - at == strlen(packed[i]) && memcmp(base + at, packed[i], length - at) == 0)
            return extension_at(base, at);
    return at;
}

static struct parts take_apart(const char *item, uint64_t number)
{
    struct parts p = {.item = item, .length = strlen(item)};
    p.base_end = p.length;
    while (p.base_end > 1 && item[p.base_end - 1] == '/')
        p.base_end--;
    p.base = p.base_end;
    while (p.base > 0 && item[p.base - 1] != '/')
        p.base--;
    if (p.base == p.base_end) /* nothing but slashes, or nothing at all */
        p.base = 0;
    p.stem_end = p.base + drop_extensions(item + p.base, p.base_end - p.base);
    snprintf(p.number, sizeof p.number, "%" PRIu64, number);
    return p;
}

static void add_quoted(struct csi_buf *out, struct slice value)
{
    csi_buf_add_char(out, '\'');
    for (;;) {
        const char *quote = value.length ? memchr(value.at, '\'', value.length) : NULL;
        if (!quote)
            break;
        size_t before = (size_t)(quote - value.at);
        csi_buf_add(out, value.at, before);
        csi_buf_add_text(out, "'\\''");
        value.at += before + 1;
        value.length -= before + 1;
    }
    csi_buf_add(out, value.at, value.length);
    csi_buf_add_char(out, '\'');
}

/* Adds one word of the command, its replacements made, with the NUL. */
static void add_expanded(struct csi_buf *out, const char *text, const struct parts *parts, bool quote)
{
    const char *at;
    for (const struct word *word; (word = find_word(text, &at)) != NULL; text = at + word->length) {
        csi_buf_add(out, text, (size_t)(at - text));
        struct slice value = word->value(parts);
        if (quote)
            add_quoted(out, value);
        else
            csi_buf_add(out, value.at, value.length);
    }
    csi_buf_add(out, text, strlen(text) + 1);
}

void csi_argv_release(struct csi_argv *argv)
{
    free(argv->argv);
    csi_buf_release(&argv->bytes);
    *argv = (struct csi_argv)CSI_ARGV_INIT;
}

/* Points argv at the `count` strings that stand in bytes. */
static cfsplit_status point_at_strings(struct csi_argv *out, size_t count, struct cfsplit_error *err)
{
    if (out->room < count + 1) {
        char **argv = realloc(out->argv, (count + 1) * sizeof *argv);
        if (!argv)
            return csi_fail_memory(err);
        out->argv = argv;
        out->room = count + 1;
    }
    char *at = out->bytes.data;
    for (size_t i = 0; i < count; i++, at += strlen(at) + 1)
        out->argv[i] = at;
    out->argv[count] = NULL;
    out->count = count;
    return CFSPLIT_OK;
}

cfsplit_status csi_template_expand(const struct csi_template *t, const char *item, uint64_t number,
                                   struct csi_argv *out, struct cfsplit_error *err)
{
    static const char shell[] = "/bin/sh\0-c";
    struct parts parts = take_apart(item, number);
    csi_buf_clear(&out->bytes);
    if (t->shell)
        csi_buf_add(&out->bytes, shell, sizeof shell);
    for (size_t i = 0; i < t->count; i++)
        add_expanded(&out->bytes, t->words[i], &parts, t->shell);
    cfsplit_status status = csi_buf_check(&out->bytes, err);
    return status == CFSPLIT_OK ? point_at_strings(out, t->count + (t->shell ? 2 : 0), err) : status;
}

const char *csi_template_program(const struct csi_template *t)
{
    if (t->shell)
        return "/bin/sh";
    return has_word(t->words[0]) ? NULL : t->words[0];
}

void csi_template_free(struct csi_template *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++)
        free(t->words[i]);
    free(t->words);
    free(t);
}

/* The first of the command's words that has one of the table in it; NULL: none. */
static const struct word *find_word_in(char *const *argv, size_t count)
{
    const char *at;
    const struct word *word = NULL;
    for (size_t i = 0; !word && i < count; i++)
        word = find_word(argv[i], &at);
    return word;
}

static bool add_word(struct csi_template *t, const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (copy)
        t->words[t->count++] = copy;
    return copy != NULL;
}

static bool add_words(struct csi_template *t, char *const *argv, size_t count, bool append)
{
    for (size_t i = 0; i < count; i++)
        if (!add_word(t, argv[i]))
            return false;
    return !append || add_word(t, "{}");
}

static bool add_line(struct csi_template *t, char *const *argv, size_t count, bool append)
{
    struct csi_buf line = CSI_BUF_INIT;
    for (size_t i = 0; i < count; i++) {
        csi_buf_add_text(&line, i ? " " : "");
        csi_buf_add_text(&line, argv[i]);
    }
    csi_buf_add_text(&line, append ? " {}" : "");
    bool added = !line.failed && add_word(t, line.data);
    csi_buf_release(&line);
    return added;
}

static cfsplit_status new_template(char *const *argv, size_t count, bool shell, bool append, struct csi_template **out,
                                   struct cfsplit_error *err)
{
    *out = NULL;
    if (count == 0 || argv[0][0] == '\0')
        return csi_fail(err, CFSPLIT_USAGE, "no command");
    struct csi_template *t = calloc(1, sizeof *t);
    char **words = calloc(count + 1, sizeof *words);
    if (!t || !words) {
        free(words);
        free(t);
        return csi_fail_memory(err);
    }
    t->words = words;
    t->shell = shell;
    if (!(shell ? add_line : add_words)(t, argv, count, append)) {
        csi_template_free(t);
        return csi_fail_memory(err);
    }
    *out = t;
    return CFSPLIT_OK;
}

cfsplit_status csi_template_new(char *const *argv, size_t count, bool shell, struct csi_template **out,
                                struct cfsplit_error *err)
{
    return new_template(argv, count, shell, !find_word_in(argv, count), out, err);
}

cfsplit_status csi_template_new_kept(char *const *argv, size_t count, bool shell, struct csi_template **out,
                                     struct cfsplit_error *err)
{
    const struct word *word = find_word_in(argv, count);
    *out = NULL;
    if (word)
        return csi_fail(err, CFSPLIT_USAGE,
                        "%s has no place in a command that is kept (--keep): its items come on its stdin", word->text);
    return new_template(argv, count, shell, false, out, err);
}

cfsplit_status cfsplit_command_check(char *const *command, uint64_t count, const struct cfsplit_run_options *options,
                                     struct cfsplit_error *err)
{
    struct csi_template *t;
    cfsplit_status status = csi_options_check(options, err);
    if (status != CFSPLIT_OK)
        return status;
    bool kept = options->keep != CFSPLIT_UNSET && options->keep != CFSPLIT_KEEP_NOT;
    if (!kept || count == 0)
        return CFSPLIT_OK;
    if (options->reject_exit.is_set || options->later_exit.is_set)
        return csi_fail(err, CFSPLIT_USAGE,
                        "--%s is about exit codes, and a command that is kept (--keep) answers with words instead",
                        options->reject_exit.is_set ? "reject-exit" : "later-exit");
    status = csi_template_new_kept(command, count, options->shell == 1, &t, err);
    if (status == CFSPLIT_OK)
        csi_template_free(t);
    return status;
}
