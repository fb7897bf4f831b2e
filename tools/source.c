#include <stdio.h>
#include <string.h>

#include "times.h"

static bool has_other_than_files(const struct settings *s, size_t first)
{
    for (size_t i = first; i < s->source_count; i++)
        if (s->sources[i].kind != SOURCE_IS_FILE)
            return true;
    return false;
}

static cfsplit_status check_stdin(const struct settings *s, size_t first, struct cfsplit_error *err)
{
    size_t count = 0;
    for (size_t i = first; i < s->source_count; i++)
        count += s->sources[i].kind == SOURCE_IS_FILE && strcmp(s->sources[i].text, "-") == 0;
    return count < 2 ? CFSPLIT_OK
                     : tool_fail(err, CFSPLIT_USAGE, "--from - twice: standard input can be read only once");
}

static cfsplit_status choose_duplicates(const struct settings *s, bool refuse, enum cfsplit_duplicates *out,
                                        struct cfsplit_error *err)
{
    if (!s->duplicates)
        *out = refuse && !s->upstream ? CFSPLIT_DUPLICATES_REFUSE : CFSPLIT_DUPLICATES_KEEP;
    else if (strcmp(s->duplicates, "keep") == 0)
        *out = CFSPLIT_DUPLICATES_KEEP;
    else if (strcmp(s->duplicates, "drop") == 0)
        *out = CFSPLIT_DUPLICATES_DROP;
    else
        return tool_fail(err, CFSPLIT_USAGE, "--duplicates needs keep or drop, not '%s'", s->duplicates);
    return CFSPLIT_OK;
}

static cfsplit_status choose_weights(const struct settings *s, size_t first, bool wants_weights,
                                     struct list_choices *out, struct cfsplit_error *err)
{
    const char *word = s->weights ? s->weights : wants_weights ? "stat" : "none";
    bool column = strcmp(word, "column") == 0;
    out->weigh = strcmp(word, "stat") == 0;
    out->run = times_run(word);
    if (!column && !out->weigh && !out->run && strcmp(word, "none") != 0)
        return tool_fail(err, CFSPLIT_USAGE, "--weights needs stat, column or none, or for a plan run:OTHER, not '%s'",
                         word);
    if (column && has_other_than_files(s, first))
        return tool_fail(err, CFSPLIT_USAGE, "--weights column needs all items from --from: other ones have no weight");
    out->lines_flags = (s->null ? CFSPLIT_LINES_NUL : 0) | (column ? CFSPLIT_LINES_COLUMN : 0);
    return CFSPLIT_OK;
}

cfsplit_status tool_list_choices(const struct settings *s, size_t first, bool wants_weights, bool refuse_duplicates,
                                 struct list_choices *out, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    if (first >= s->source_count)
        status = tool_fail(err, CFSPLIT_USAGE,
                           "no items: give names, quoted patterns, --from FILE or -r DIR, for example '*.fits'");
    if (status == CFSPLIT_OK)
        status = check_stdin(s, first, err);
    if (status == CFSPLIT_OK)
        status = choose_duplicates(s, refuse_duplicates || has_other_than_files(s, first), &out->duplicates, err);
    if (status == CFSPLIT_OK)
        status = choose_weights(s, first, wants_weights, out, err);
    return status;
}

cfsplit_status tool_list_is_empty(const struct settings *s, struct cfsplit_error *err)
{
    if (s->allow_empty)
        return CFSPLIT_OK;
    return tool_fail(err, CFSPLIT_USAGE, "the list is empty; --allow-empty, if that is right");
}

static cfsplit_status add_source(struct cfsplit_list *list, const struct source *source, unsigned lines_flags,
                                 struct cfsplit_error *err)
{
    switch (source->kind) {
    case SOURCE_IS_FILE: return cfsplit_list_add_file(list, source->text, lines_flags, err);
    case SOURCE_IS_TREE: return cfsplit_list_add_tree(list, source->text, source->match, err);
    default: return cfsplit_list_add_argument(list, source->text, err);
    }
}

static cfsplit_status resolve_duplicates(struct cfsplit_list *list, enum cfsplit_duplicates what,
                                         struct cfsplit_error *err)
{
    cfsplit_status status = cfsplit_list_resolve_duplicates(list, what, err);
    if (status == CFSPLIT_USAGE) {
        size_t used = strlen(err->message);
        snprintf(err->message + used, sizeof err->message - used, "; --duplicates keep or drop, if that is right");
    }
    return status;
}

cfsplit_status tool_list_read(const struct settings *s, size_t first, const struct list_choices *choices,
                              struct cfsplit_list **out, struct cfsplit_error *err)
{
    struct cfsplit_list *list = NULL;
    *out = NULL;
    cfsplit_status status = cfsplit_list_new(&list, err);
    for (size_t i = first; status == CFSPLIT_OK && i < s->source_count; i++)
        status = add_source(list, &s->sources[i], choices->lines_flags, err);
    if (status == CFSPLIT_OK && cfsplit_list_count(list) == 0)
        status = tool_list_is_empty(s, err);
    if (status == CFSPLIT_OK)
        status = resolve_duplicates(list, choices->duplicates, err);
    if (status == CFSPLIT_OK && choices->weigh)
        status = cfsplit_list_weigh(list, err);
    if (status == CFSPLIT_OK && choices->run)
        status = times_weigh(choices->run, list, err);
    if (status == CFSPLIT_OK)
        *out = list;
    else
        cfsplit_list_free(list);
    return status;
}

cfsplit_status tool_list(const struct settings *s, size_t first, bool wants_weights, bool refuse_duplicates,
                         struct cfsplit_list **out, struct cfsplit_error *err)
{
    struct list_choices choices = {0};
    *out = NULL;
    cfsplit_status status = tool_list_choices(s, first, wants_weights, refuse_duplicates, &choices, err);
    return status == CFSPLIT_OK ? tool_list_read(s, first, &choices, out, err) : status;
}
