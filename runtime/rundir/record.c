/* Lines of a journal <-> struct csi_record. */
#include <string.h>

#include "base/text.h"
#include "rundir/journal.h"

static const char *const words[] = {
#define WORD(symbol, word) word,
    CSI_CLASS_LIST(WORD)
#undef WORD
};

const char *csi_class_word(enum csi_class which)
{
    return words[which];
}

static bool find_class(const char *word, size_t length, enum csi_class *out)
{
    for (int i = 0; i < CSI_CLASS_COUNT; i++) {
        if (strlen(words[i]) == length && memcmp(words[i], word, length) == 0) {
            *out = (enum csi_class)i;
            return true;
        }
    }
    return false;
}

static bool parse_start(struct csi_fields *f, struct csi_record *r)
{
    r->kind = CSI_RECORD_START;
    return csi_fields_u64(f, &r->generation) && csi_fields_u64(f, &r->index) && csi_fields_u64(f, &r->attempt) &&
           csi_fields_u64(f, &r->time_ms) && csi_fields_u64(f, &r->output_from) && csi_fields_hex(f, &r->hash) &&
           csi_fields_u64(f, &r->alone) && r->alone <= 1;
}

static bool parse_end(struct csi_fields *f, struct csi_record *r)
{
    const char *word;
    size_t length;
    r->kind = CSI_RECORD_END;
    return csi_fields_u64(f, &r->generation) && csi_fields_u64(f, &r->index) && csi_fields_u64(f, &r->attempt) &&
           csi_fields_u64(f, &r->time_ms) && csi_fields_next(f, &word, &length) &&
           find_class(word, length, &r->class) && csi_fields_u64(f, &r->exit_status) &&
           csi_fields_u64(f, &r->took_ms) && csi_fields_u64(f, &r->cpu_ms) && csi_fields_u64(f, &r->rss_kib) &&
           csi_fields_u64(f, &r->output_from) && csi_fields_u64(f, &r->output_to) &&
           csi_fields_next(f, &r->text, &r->text_length);
}

static bool parse_released(struct csi_fields *f, struct csi_record *r)
{
    r->kind = CSI_RECORD_RELEASED;
    return csi_fields_u64(f, &r->generation) && csi_fields_u64(f, &r->index) && csi_fields_u64(f, &r->attempt);
}

static bool parse_closed(struct csi_fields *f, struct csi_record *r)
{
    r->kind = CSI_RECORD_CLOSED;
    return csi_fields_next(f, &r->text, &r->text_length);
}

static bool parse_bound(struct csi_fields *f, struct csi_record *r)
{
    r->kind = CSI_RECORD_BOUND;
    return csi_fields_u64(f, &r->index) && csi_fields_u64(f, &r->alone) && csi_fields_u64(f, &r->attempt) &&
           r->alone <= 1 && (r->alone ? r->attempt == 0 : r->index > 0 && r->attempt > 0);
}

/* Each with a TAB before it. */
static void add_numbers(struct csi_buf *b, const uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        csi_buf_add_char(b, '\t');
        csi_text_add_u64(b, numbers[i]);
    }
}

static void add_text(struct csi_buf *b, const char *text, size_t length)
{
    csi_buf_add_char(b, '\t');
    csi_text_escape(b, text, length);
}

static void add_start(struct csi_buf *b, const struct csi_record *r)
{
    add_numbers(b, (const uint64_t[]){r->generation, r->index, r->attempt, r->time_ms, r->output_from}, 5);
    csi_buf_add_char(b, '\t');
    csi_text_add_hex(b, r->hash);
    add_numbers(b, &r->alone, 1);
}

static void add_end(struct csi_buf *b, const struct csi_record *r)
{
    add_numbers(b, (const uint64_t[]){r->generation, r->index, r->attempt, r->time_ms}, 4);
    add_text(b, words[r->class], strlen(words[r->class]));
    add_numbers(b, (const uint64_t[]){r->exit_status, r->took_ms, r->cpu_ms, r->rss_kib, r->output_from, r->output_to},
                6);
    add_text(b, r->text, r->text_length);
}

static void add_released(struct csi_buf *b, const struct csi_record *r)
{
    add_numbers(b, (const uint64_t[]){r->generation, r->index, r->attempt}, 3);
}

static void add_closed(struct csi_buf *b, const struct csi_record *r)
{
    add_text(b, r->text, r->text_length);
}

static void add_bound(struct csi_buf *b, const struct csi_record *r)
{
    add_numbers(b, (const uint64_t[]){r->index, r->alone, r->attempt}, 3);
}

static const struct {
    const char *word;
    bool (*parse)(struct csi_fields *, struct csi_record *);
    void (*add)(struct csi_buf *, const struct csi_record *);
} kinds[] = {[CSI_RECORD_START] = {"start", parse_start, add_start},
             [CSI_RECORD_END] = {"end", parse_end, add_end},
             [CSI_RECORD_RELEASED] = {"released", parse_released, add_released},
             [CSI_RECORD_CLOSED] = {"closed", parse_closed, add_closed},
             [CSI_RECORD_BOUND] = {"bound", parse_bound, add_bound}};

bool csi_record_parse(const char *line, size_t length, struct csi_record *out)
{
    struct csi_fields f = csi_fields_of(line, length);
    const char *word;
    size_t n;
    *out = (struct csi_record){0};
    if (!csi_fields_next(&f, &word, &n))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strlen(kinds[i].word) == n && memcmp(kinds[i].word, word, n) == 0)
            return kinds[i].parse(&f, out) && csi_fields_done(&f);
    return false;
}

void csi_journal_add(struct csi_journal *j, const struct csi_record *r)
{
    csi_buf_add_text(&j->group, kinds[r->kind].word);
    kinds[r->kind].add(&j->group, r);
    csi_buf_add_char(&j->group, '\n');
}
