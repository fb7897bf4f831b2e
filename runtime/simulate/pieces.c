/* Pieces and blocks as replicas take them: the own share from its front, then from the back of the share with the most pieces that
 * nobody has; of blocks the own one first, then a random one of the foremost. What a dead replica had is taken over. Who finds nothing leaves, but
 * for one who stays until all is done. */
#include <stdlib.h>

#include "base/error.h"
#include "simulate/simulate.h"

enum { PIECE_ENDS, REPLICA_COMES, SHARES_ADOPTED, PIECE_LEFT }; /* at one time in this order */

enum { nobody = UINT32_MAX, later = UINT32_MAX - 1 };

struct piece {
    uint64_t first, items; /* places in the order of work: what is left of it */
    uint32_t share;
};

struct share {
    uint32_t next, end;  /* pieces that nobody has */
    uint32_t at;         /* its place among those of as many */
    bool has_come, open; /* its replica; helpers may take from it */
};

struct stage {
    const struct csi_work *work;
    const uint64_t *order; /* NULL: as they come */
    struct csi_crowd *crowd;
    struct csi_agenda agenda, left; /* left: pieces whose replica died, from when they may be taken over */
    struct piece *pieces;
    uint32_t piece_count, unfinished;
    struct share *shares;                     /* static strategies */
    uint32_t *open[CSI_PIECES_PER_SHARE + 1]; /* shares that helpers may take from, by their free pieces */
    uint32_t open_count[CSI_PIECES_PER_SHARE + 1];
    uint32_t *window, *window_at, window_count,
        window_next;    /* blocks: the foremost that nobody has; where each is, later, or nobody */
    uint32_t caretaker; /* who stays and does nothing; or nobody */
    uint64_t last_end;
};

static uint64_t took_at(const struct stage *s, uint64_t place)
{
    return s->work->took[s->order ? s->order[place] : place];
}

/* ---- which pieces nobody has */

static uint32_t free_pieces(const struct share *share)
{
    return share->end - share->next;
}

static void enter(struct stage *s, uint32_t k0)
{
    uint32_t count = free_pieces(&s->shares[k0]);
    s->shares[k0].at = s->open_count[count]++;
    s->open[count][s->shares[k0].at] = k0;
}

static void leave(struct stage *s, uint32_t k0)
{
    uint32_t count = free_pieces(&s->shares[k0]), last = s->open[count][--s->open_count[count]];
    s->open[count][s->shares[k0].at] = last;
    s->shares[last].at = s->shares[k0].at;
}

static void open_share(struct stage *s, uint32_t k0)
{
    if (!s->shares || s->shares[k0].open)
        return;
    s->shares[k0].open = true;
    enter(s, k0);
}

static uint32_t take_own(struct stage *s, uint32_t k0)
{
    if (!s->shares || free_pieces(&s->shares[k0]) == 0)
        return nobody;
    leave(s, k0);
    uint32_t piece = s->shares[k0].next++;
    enter(s, k0);
    return piece;
}

static uint32_t help(struct stage *s)
{
    uint32_t most = CSI_PIECES_PER_SHARE;
    while (most > 0 && s->open_count[most] == 0)
        most--;
    if (!s->shares || most == 0)
        return nobody;
    uint32_t k0 = s->open[most][csi_crowd_random(s->crowd, s->open_count[most])];
    leave(s, k0);
    uint32_t piece = --s->shares[k0].end;
    enter(s, k0);
    return piece;
}

/* The next block that comes into the window, or nobody. */
static uint32_t next_block(struct stage *s)
{
    while (s->window_next < s->piece_count && s->window_at[s->window_next] != later)
        s->window_next++;
    return s->window_next < s->piece_count ? s->window_next++ : nobody;
}

static uint32_t take_block(struct stage *s, uint32_t block)
{
    uint32_t at = s->window_at[block];
    s->window_at[block] = nobody;
    if (at == later)
        return block;
    uint32_t moved = next_block(s);
    if (moved == nobody)
        moved = s->window[--s->window_count];
    if (at < s->window_count) {
        s->window[at] = moved;
        s->window_at[moved] = at;
    }
    return block;
}

static uint32_t choose_block(struct stage *s, uint32_t k0, bool first)
{
    if (!s->window || s->window_count == 0)
        return nobody;
    if (first && k0 < s->piece_count && s->window_at[k0] != nobody)
        return take_block(s, k0);
    return take_block(s, s->window[csi_crowd_random(s->crowd, s->window_count)]);
}

static uint32_t take_left(struct stage *s, uint64_t now)
{
    return s->left.count > 0 && s->left.events[0].at <= now ? csi_agenda_take(&s->left).who : nobody;
}

/* ---- replicas */

/* It dies over this piece: what ended before stays, the rest is left to others. */
static void die(struct stage *s, struct piece *piece, uint64_t begins, uint64_t dies)
{
    while (piece->items > 0 && begins + took_at(s, piece->first) <= dies) {
        begins += took_at(s, piece->first++);
        piece->items--;
        s->last_end = begins > s->last_end ? begins : s->last_end;
    }
    uint64_t known = dies + s->crowd->options->stall_after;
    uint32_t number = (uint32_t)(piece - s->pieces);
    csi_agenda_add(&s->left, known, PIECE_LEFT, number);
    csi_agenda_add(&s->agenda, known, PIECE_LEFT, number);
}

static void work_on(struct stage *s, uint32_t k0, uint32_t number, uint64_t now)
{
    struct piece *piece = &s->pieces[number];
    uint64_t begins = now + s->crowd->options->dispatch, ends = begins;
    for (uint64_t i = 0; i < piece->items; i++)
        ends += took_at(s, piece->first + i);
    if (s->crowd->dies[k0] < ends)
        die(s, piece, begins, s->crowd->dies[k0]);
    else
        csi_agenda_add(&s->agenda, ends, PIECE_ENDS, k0);
}

/* A replica without work takes some, or stays, or leaves. */
static void go_on(struct stage *s, uint32_t k0, uint64_t now, bool first)
{
    if (s->crowd->dies[k0] <= now)
        return;
    uint32_t piece = take_own(s, k0);
    if (piece == nobody)
        piece = choose_block(s, k0, first);
    if (piece == nobody)
        piece = help(s);
    if (piece == nobody)
        piece = take_left(s, now);
    if (piece != nobody)
        work_on(s, k0, piece, now);
    else if (s->unfinished > 0 && (s->caretaker == nobody || s->crowd->dies[s->caretaker] <= now))
        s->caretaker = k0;
}

/* Something may be there for who stays. */
static void call_caretaker(struct stage *s, uint64_t now)
{
    uint32_t k0 = s->caretaker;
    s->caretaker = nobody;
    if (k0 != nobody)
        go_on(s, k0, now, false);
}

static void come(struct stage *s, uint32_t k0, uint64_t now)
{
    open_share(s, k0);
    go_on(s, k0, now, true);
    call_caretaker(s, now);
}

static void adopt(struct stage *s, uint64_t now)
{
    for (uint32_t k0 = 0; k0 < s->crowd->R; k0++)
        open_share(s, k0);
    call_caretaker(s, now);
}

static void play(struct stage *s)
{
    for (uint32_t k0 = 0; k0 < s->crowd->R; k0++)
        csi_agenda_add(&s->agenda, s->crowd->comes[k0], REPLICA_COMES, k0);
    csi_agenda_add(&s->agenda, s->crowd->options->adopt_after, SHARES_ADOPTED, 0);
    while (s->agenda.count > 0 && s->unfinished > 0) {
        struct csi_event event = csi_agenda_take(&s->agenda);
        switch (event.kind) {
        case PIECE_ENDS:
            s->unfinished--;
            s->last_end = event.at > s->last_end ? event.at : s->last_end;
            go_on(s, event.who, event.at, false);
            break;
        case REPLICA_COMES: come(s, event.who, event.at); break;
        case SHARES_ADOPTED: adopt(s, event.at); break;
        default: call_caretaker(s, event.at);
        }
    }
}

/* ---- setting up */

static cfsplit_status set_pieces(struct stage *s, const struct csi_layout *layout, struct cfsplit_error *err)
{
    uint64_t first = 0;
    s->pieces = malloc((layout->cut_count + 1) * sizeof *s->pieces);
    if (!s->pieces)
        return csi_fail_memory(err);
    for (size_t p = 0; p < layout->cut_count; p++) {
        s->pieces[p] = (struct piece){first, layout->cuts[p].items, layout->cuts[p].share};
        first += layout->cuts[p].items;
    }
    s->piece_count = s->unfinished = (uint32_t)layout->cut_count;
    return CFSPLIT_OK;
}

static cfsplit_status set_shares(struct stage *s, struct cfsplit_error *err)
{
    uint32_t R = s->crowd->R, piece = 0;
    s->shares = calloc(R, sizeof *s->shares);
    for (size_t count = 0; count <= CSI_PIECES_PER_SHARE; count++)
        if (!(s->open[count] = malloc(R * sizeof *s->open[count])))
            return csi_fail_memory(err);
    if (!s->shares)
        return csi_fail_memory(err);
    for (uint32_t k0 = 0; k0 < R; k0++) {
        s->shares[k0].next = piece;
        while (piece < s->piece_count && s->pieces[piece].share == k0 + 1)
            piece++;
        s->shares[k0].end = piece;
    }
    return CFSPLIT_OK;
}

static cfsplit_status set_window(struct stage *s, struct cfsplit_error *err)
{
    uint32_t most = 1 + s->crowd->R / 4;
    s->window_count = s->window_next = most < s->piece_count ? most : s->piece_count;
    s->window = malloc((s->window_count + 1) * sizeof *s->window);
    s->window_at = malloc((s->piece_count + 1) * sizeof *s->window_at);
    if (!s->window || !s->window_at)
        return csi_fail_memory(err);
    for (uint32_t p = 0; p < s->piece_count; p++)
        s->window_at[p] = p < s->window_count ? p : later;
    for (uint32_t at = 0; at < s->window_count; at++)
        s->window[at] = at;
    return CFSPLIT_OK;
}

static void clear(struct stage *s)
{
    csi_agenda_fini(&s->agenda);
    csi_agenda_fini(&s->left);
    for (size_t count = 0; count <= CSI_PIECES_PER_SHARE; count++)
        free(s->open[count]);
    free(s->shares);
    free(s->window);
    free(s->window_at);
    free(s->pieces);
}

cfsplit_status csi_simulate_pieces(const struct csi_work *work, const struct csi_layout *layout,
                                   struct csi_crowd *crowd, uint64_t *makespan, struct cfsplit_error *err)
{
    struct stage s = {.work = work, .order = layout->order, .crowd = crowd, .caretaker = nobody};
    cfsplit_status status = set_pieces(&s, layout, err);
    if (status == CFSPLIT_OK) /* a replica has one event at a time, and one more when it has died */
        status = csi_agenda_init(&s.agenda, 2 * (size_t)crowd->R + 1, err);
    if (status == CFSPLIT_OK)
        status = csi_agenda_init(&s.left, crowd->R, err);
    if (status == CFSPLIT_OK)
        status = layout->shares ? set_shares(&s, err) : set_window(&s, err);
    if (status == CFSPLIT_OK)
        play(&s);
    *makespan = s.unfinished > 0 ? CFSPLIT_NEVER : s.last_end;
    clear(&s);
    return status;
}
