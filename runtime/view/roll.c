/* The roll call: who took over what those had who are lost or left, and what was planned for those who never came. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "rundir/claim.h"
#include "view/survey.h"

enum { NOBODY = -1, QUEUE = -2, first_owners = 8 };

struct named {
    const char *name;
    ptrdiff_t line;
};

/* A piece of what line `from` of the roll had or should have had is what life `to` has now. */
struct note {
    ptrdiff_t from, to;
    uint64_t items;
};

struct calling {
    struct cfsplit_survey *s;
    size_t life_count, line_count;
    struct named *named; /* the lives by name */
    ptrdiff_t *line_of;  /* of a replica id: its last life, or its line among the missing */
    uint32_t *highest;   /* claim of each piece */
    ptrdiff_t *owners;   /* of one piece, first to last; NOBODY: came after the survey; QUEUE: a coordinator */
    size_t owners_size;
    struct note *notes;
    size_t note_count;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static int by_lines(const void *a, const void *b)
{
    const struct note *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

static cfsplit_status calling_init(struct calling *c, struct cfsplit_survey *s, struct cfsplit_error *err)
{
    *c = (struct calling){.s = s, .life_count = s->incs.count, .line_count = s->incs.count + s->missing_count};
    struct cfsplit_roll *roll = calloc(c->line_count + 1, sizeof *roll);
    free(s->roll);
    s->roll = roll;
    c->named = calloc(c->life_count + 1, sizeof *c->named);
    c->line_of = calloc(s->run->spec.replicas + 1, sizeof *c->line_of);
    c->highest = calloc(s->run->frozen.piece_count + 1, sizeof *c->highest);
    c->owners = calloc(first_owners, sizeof *c->owners);
    c->owners_size = first_owners;
    if (!roll || !c->named || !c->line_of || !c->highest || !c->owners)
        return csi_fail_memory(err);
    c->line_of[0] = NOBODY;
    for (size_t i = 0; i < c->line_count; i++) {
        const struct cfsplit_life_view *life = i < c->life_count ? &s->lives[i] : NULL;
        roll[i] = (struct cfsplit_roll){.replica = life ? life->replica : s->missing[i - c->life_count], .life = life};
        if (life)
            c->named[i] = (struct named){.name = life->name, .line = (ptrdiff_t)i};
        if (roll[i].replica && roll[i].replica <= s->run->spec.replicas)
            c->line_of[roll[i].replica] = (ptrdiff_t)i;
    }
    if (c->life_count)
        qsort(c->named, c->life_count, sizeof *c->named, by_name);
    return CFSPLIT_OK;
}

static void calling_fini(struct calling *c)
{
    free(c->named);
    free(c->line_of);
    free(c->highest);
    free(c->owners);
    free(c->notes);
}

/* Does nobody work on under this line: is it lost, or left early, or did it never come? */
static bool is_gone(const struct calling *c, ptrdiff_t line)
{
    const struct cfsplit_life_view *life = c->s->roll[line].life;
    return !life || life->life == CFSPLIT_LIFE_LOST || life->life == CFSPLIT_LIFE_LEFT;
}

static cfsplit_status read_owners(struct calling *c, uint32_t piece, uint32_t K, struct cfsplit_error *err)
{
    if (c->owners_size < K) {
        ptrdiff_t *more = realloc(c->owners, K * sizeof *more);
        if (!more)
            return csi_fail_memory(err);
        c->owners = more;
        c->owners_size = K;
    }
    for (uint32_t k = 1; k <= K; k++) {
        struct csi_inc owner;
        cfsplit_status status = csi_claim_owner(c->s->run, piece, k, &owner, err);
        if (status != CFSPLIT_OK)
            return status != CFSPLIT_END
                       ? status
                       : csi_fail(err, CFSPLIT_DAMAGED, "claim %" PRIu32 " of piece %" PRIu32 " is missing", k, piece);
        const struct named wanted = {.name = owner.name};
        const struct named *found =
            c->life_count ? bsearch(&wanted, c->named, c->life_count, sizeof *c->named, by_name) : NULL;
        c->owners[k - 1] = found ? found->line : owner.coordinator ? QUEUE : NOBODY;
    }
    return CFSPLIT_OK;
}

static cfsplit_status note(struct calling *c, ptrdiff_t from, ptrdiff_t to, uint64_t items, struct cfsplit_error *err)
{
    struct note *more = realloc(c->notes, (c->note_count + 1) * sizeof *more);
    if (!more)
        return csi_fail_memory(err);
    c->notes = more;
    more[c->note_count++] = (struct note){from, to, items};
    return CFSPLIT_OK;
}

static uint64_t pending_in(const struct calling *c, const struct csi_piece *p)
{
    uint64_t pending = 0;
    for (uint64_t i = p->first; i < p->first + p->items; i++)
        pending += cfsplit_survey_state(c->s, i) == CFSPLIT_PENDING;
    return pending;
}

/* Notes who has what the former owners of a piece had, and what was planned for `absent`. */
static cfsplit_status note_owners(struct calling *c, const struct csi_piece *p, uint32_t K, ptrdiff_t absent,
                                  struct cfsplit_error *err)
{
    ptrdiff_t holder = c->owners[K - 1];
    cfsplit_status status = CFSPLIT_OK;
    bool had = false; /* did that replica ever have it, in any life? */
    if (holder == NOBODY)
        return CFSPLIT_OK;
    if (holder >= 0 && is_gone(c, holder))
        c->s->roll[holder].waiting += pending_in(c, p);
    for (uint32_t k = 0; status == CFSPLIT_OK && k < K; k++) {
        ptrdiff_t owner = c->owners[k];
        bool again = owner < 0 || owner == holder;
        for (uint32_t before = 0; before < k; before++)
            again |= c->owners[before] == owner;
        had |= owner >= 0 && c->s->roll[owner].replica == p->share;
        if (again || !is_gone(c, owner))
            continue;
        if (holder == QUEUE)
            c->s->roll[owner].queued += p->items;
        else
            status = note(c, owner, holder, p->items, err);
    }
    if (status == CFSPLIT_OK && holder != QUEUE && absent != NOBODY && !had)
        status = note(c, absent, holder, p->items, err);
    return status;
}

/* An owner costs a file: they are read where somebody is gone, a claim is not the first, or items are left over. */
static cfsplit_status call_piece(struct calling *c, uint32_t piece, struct cfsplit_error *err)
{
    const struct csi_piece *p = &c->s->run->frozen.pieces[piece];
    uint32_t K = c->highest[piece];
    ptrdiff_t line = p->share <= c->s->run->spec.replicas ? c->line_of[p->share] : NOBODY;
    ptrdiff_t absent = line != NOBODY && is_gone(c, line) ? line : NOBODY;
    if (K == 0) {
        if (absent != NOBODY)
            c->s->roll[absent].waiting += pending_in(c, p);
        return CFSPLIT_OK;
    }
    bool is_over = line == NOBODY || (absent == NOBODY && c->s->roll[line].life->life == CFSPLIT_LIFE_FINISHED);
    if (K == 1 && absent == NOBODY && !(is_over && pending_in(c, p)))
        return CFSPLIT_OK;
    cfsplit_status status = read_owners(c, piece, K, err);
    return status == CFSPLIT_OK ? note_owners(c, p, K, absent, err) : status;
}

/* Adds up the notes, line by line. */
static cfsplit_status list_taken(struct calling *c, struct cfsplit_error *err)
{
    struct cfsplit_survey *s = c->s;
    struct cfsplit_taken *taken = calloc(c->note_count + 1, sizeof *taken);
    size_t count = 0;
    free(s->taken);
    s->taken = taken;
    if (!taken)
        return csi_fail_memory(err);
    if (c->note_count)
        qsort(c->notes, c->note_count, sizeof *c->notes, by_lines);
    for (size_t i = 0; i < c->note_count; i++) {
        const struct note *n = &c->notes[i];
        struct cfsplit_roll *line = &s->roll[n->from];
        if (line->taken_count == 0)
            line->taken = &taken[count];
        if (line->taken_count == 0 || taken[count - 1].life != (size_t)n->to) {
            taken[count++] = (struct cfsplit_taken){.life = (size_t)n->to};
            line->taken_count++;
        }
        taken[count - 1].items += n->items;
    }
    return CFSPLIT_OK;
}

/* Every line of a replica names its share. */
static void add_shares(struct calling *c)
{
    const struct csi_frozen *frozen = &c->s->run->frozen;
    struct cfsplit_roll *roll = c->s->roll;
    for (size_t p = 0; p < frozen->piece_count; p++)
        if (frozen->pieces[p].share <= c->s->run->spec.replicas && c->line_of[frozen->pieces[p].share] != NOBODY)
            roll[c->line_of[frozen->pieces[p].share]].share += frozen->pieces[p].items;
    for (size_t i = 0; i < c->line_count; i++)
        if (roll[i].replica && roll[i].replica <= c->s->run->spec.replicas)
            roll[i].share = roll[c->line_of[roll[i].replica]].share;
}

cfsplit_status cfsplit_survey_roll(struct cfsplit_survey *s, const struct cfsplit_roll **out, size_t *count,
                                   struct cfsplit_error *err)
{
    struct calling c;
    *out = NULL;
    *count = 0;
    cfsplit_status status = calling_init(&c, s, err);
    if (status == CFSPLIT_OK)
        status = csi_claim_list(s->run, c.highest, err);
    for (uint32_t p = 0; status == CFSPLIT_OK && p < s->run->frozen.piece_count; p++)
        status = call_piece(&c, p, err);
    if (status == CFSPLIT_OK)
        status = list_taken(&c, err);
    if (status == CFSPLIT_OK) {
        add_shares(&c);
        *out = s->roll;
        *count = c.line_count;
    }
    calling_fini(&c);
    return status;
}
