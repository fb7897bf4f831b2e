/* Lines of a journal <-> struct csi_record. */
#include <inttypes.h>
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

bool csi_record_parse(const char *line, size_t length, struct csi_record *out)
{
    static const struct {
        const char *word;
        bool (*parse)(struct csi_fields *, struct csi_record *);
    } kinds[] = {{"start", parse_start}, {"end", parse_end}, {"released", parse_released}, {"closed", parse_closed}};
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
    struct csi_buf *b = &j->group;
    switch (r->kind) {
    case CSI_RECORD_START:
        csi_buf_addf(
            b, "start\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%016" PRIx64 "\t%" PRIu64 "\n",
            r->generation, r->index, r->attempt, r->time_ms, r->output_from, r->hash, r->alone);
        break;
    case CSI_RECORD_END:
        csi_buf_addf(b,
                     "end\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
                     "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t",
                     r->generation, r->index, r->attempt, r->time_ms, words[r->class], r->exit_status, r->took_ms,
                     r->cpu_ms, r->rss_kib, r->output_from, r->output_to);
        csi_text_escape(b, r->text, r->text_length);
        csi_buf_add_char(b, '\n');
        break;
    case CSI_RECORD_RELEASED:
        csi_buf_addf(b, "released\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", r->generation, r->index, r->attempt);
        break;
    case CSI_RECORD_CLOSED:
        csi_buf_add_text(b, "closed\t");
        csi_text_escape(b, r->text, r->text_length);
        csi_buf_add_char(b, '\n');
        break;
    }
}
