#include "list/blocks.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/thread.h"

enum {
    best_bytes = 256 * 1024, /* stay in a processor's cache */
    enough_blocks = 8,       /* for a second thread */
    page = 4096,
    windows_max = 12,                          /* in which blocks wait for their turn */
    beyond_bytes = CFSPLIT_ITEM_BYTES_MAX + 64 /* behind a block: the rest of its last item */
};

cfsplit_status csi_blocks_init(struct csi_blocks *blocks, int fd, uint64_t start, enum csi_scan_mode mode,
                               size_t block_bytes, struct cfsplit_error *err)
{
    struct cfsplit_quoted shown = blocks->shown;
    *blocks = (struct csi_blocks){
        .fd = fd, .shown = shown, .mode = mode, .start = start, .block_bytes = block_bytes ? block_bytes : best_bytes};
    if (fstat(fd, &blocks->seen) != 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot read %s", shown.text);
    uint64_t all = (uint64_t)blocks->seen.st_size;
    blocks->bytes = all > start ? all - start : 0;
    blocks->count = (size_t)((blocks->bytes + blocks->block_bytes - 1) / blocks->block_bytes);
    blocks->before = calloc(blocks->count + 1, sizeof *blocks->before);
    return blocks->before ? CFSPLIT_OK : csi_fail_memory(err);
}

void csi_blocks_release(struct csi_blocks *blocks)
{
    free(blocks->before);
    blocks->before = NULL;
    blocks->count = blocks->known = 0;
}

/* What is known of a block: text[-1] is the byte before it, what ends an item where the file begins or ends. */
struct window {
    char *room, *text;
    size_t length; /* of the block */
    size_t there;  /* bytes from text on: one more than length, if the file has it */
    uint64_t offset;
    size_t block;
    uint64_t items;
    bool odd;
    uint32_t *marks; /* of list/scan.h */
    size_t marked;
};

/* One walk of several threads over the blocks from `next` on: each takes the next block and a window for it, reads it and counts
 * its items. Then blocks have their turn, one after the other: whoever has a moment does it for all that are ready. What follows
 * `lock` is guarded by it; whoever set `in_turn` has the block of `turn`, `out` and `end` to itself. */
struct walk {
    struct csi_blocks *blocks;
    const struct cfsplit_pick *pick; /* NULL: only count */
    bool counts;                     /* not yet known */
    struct csi_buf out;
    struct csi_blocks_end end;
    bool refused; /* by whom it was put to */
    pthread_mutex_t lock;
    pthread_cond_t moved;
    size_t next; /* to be taken */
    size_t turn;
    size_t stop_at; /* not beyond this one */
    bool in_turn;
    struct window windows[windows_max];
    struct window *ready[windows_max];  /* the window of block i, at i % windows_max */
    struct window *unused[windows_max]; /* the one on top was used last, and is in the processor's cache */
    size_t unused_count;
    cfsplit_status status;
    struct cfsplit_error err;
};

static char end_of(const struct csi_blocks *blocks)
{
    return blocks->mode == CSI_SCAN_NUL ? '\0' : '\n';
}

static cfsplit_status read_at(const struct csi_blocks *blocks, char *to, size_t length, uint64_t offset,
                              struct cfsplit_error *err)
{
    while (length > 0) {
        ssize_t got = pread(blocks->fd, to, length, (off_t)(blocks->start + offset));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot read %s",
                                  blocks->shown.text);
        if (got == 0)
            return csi_fail(err, CFSPLIT_USAGE, "%s has become shorter while it was read", blocks->shown.text);
        to += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return CFSPLIT_OK;
}

static cfsplit_status read_block(const struct csi_blocks *blocks, size_t block, struct window *w,
                                 struct cfsplit_error *err)
{
    uint64_t offset = (uint64_t)block * blocks->block_bytes, rest = blocks->bytes - offset;
    w->offset = offset;
    w->length = rest < blocks->block_bytes ? (size_t)rest : blocks->block_bytes;
    w->there = w->length < rest ? w->length + 1 : w->length;
    w->text[-1] = end_of(blocks);
    size_t one = offset > 0;
    cfsplit_status status = read_at(blocks, w->text - one, w->there + one, offset - one, err);
    w->text[w->there] = end_of(blocks);
    return status;
}

/* The rest of an item that begins at `at` and does not end in the window; read behind it. */
static cfsplit_status read_beyond(const struct csi_blocks *blocks, struct window *w, struct cfsplit_error *err)
{
    uint64_t rest = blocks->bytes - w->offset - w->there;
    size_t more = rest < beyond_bytes ? (size_t)rest : beyond_bytes;
    cfsplit_status status = read_at(blocks, w->text + w->there, more, w->offset + w->there, err);
    w->there += more;
    w->text[w->there] = end_of(blocks);
    return status;
}

/* How many of the picked ones are before item `items`. */
static uint64_t picked_before(const struct cfsplit_pick *pick, uint64_t items)
{
    uint64_t count = items <= pick->skip ? 0 : (items - pick->skip - 1) / pick->step + 1;
    return count < pick->left ? count : pick->left;
}

/* Adds the item at `at` to what is to be put; *odd if it is none after all. */
static cfsplit_status add_item(const struct csi_blocks *blocks, struct window *w, size_t at, struct csi_buf *out,
                               bool *odd, struct cfsplit_error *err)
{
    cfsplit_status status = CFSPLIT_OK;
    bool beyond = false;
    const char *stop = memchr(w->text + at, end_of(blocks), w->there - at);
    if (!stop && w->offset + w->there < blocks->bytes) {
        status = read_beyond(blocks, w, err);
        stop = memchr(w->text + at, end_of(blocks), w->there - at);
        beyond = true;
    }
    size_t length = (stop ? (size_t)(stop - w->text) : w->there) - at;
    if (blocks->mode == CSI_SCAN_LINES) {
        *odd = *odd || (beyond && memchr(w->text + at, '\0', length));
        length -= w->text[at + length - 1] == '\r';
    }
    *odd = *odd || length > CFSPLIT_ITEM_BYTES_MAX;
    csi_buf_add(out, w->text + at, length);
    csi_buf_add_char(out, end_of(blocks));
    return status == CFSPLIT_OK && out->failed ? csi_fail_memory(err) : status;
}

/* Items of a window found one after the other, by its marks where that saves looking. */
struct finder {
    const struct csi_blocks *blocks;
    struct window *w;
    size_t at;      /* the next item to be found is not before */
    uint64_t found; /* items that begin before `at` */
    size_t mark;    /* so many have been passed */
};

/* The place of item `wanted` of the window, or its length. */
static size_t find_item(struct finder *f, uint64_t wanted)
{
    struct window *w = f->w;
    size_t mark = f->mark;
    while (mark < w->marked && w->marks[mark] <= wanted)
        mark++;
    if (mark > f->mark) {
        f->mark = mark;
        f->at = mark * CSI_SCAN_MARK;
        f->found = w->marks[mark - 1];
    }
    struct csi_scan scan = {.text = w->text, .length = w->length, .skip = wanted - f->found};
    size_t at = csi_scan_find(&scan, f->blocks->mode, f->at);
    f->at = at + 1;
    f->found = wanted + 1;
    return at;
}

/* All items of the window that are picked, into `out`. */
static cfsplit_status add_items(const struct walk *walk, struct window *w, struct csi_buf *out, bool *odd,
                                struct cfsplit_error *err)
{
    const struct csi_blocks *blocks = walk->blocks;
    const struct cfsplit_pick *pick = walk->pick;
    uint64_t first = blocks->before[w->block];
    uint64_t from = picked_before(pick, first), to = picked_before(pick, blocks->before[w->block + 1]);
    struct finder finder = {.blocks = blocks, .w = w};
    cfsplit_status status = CFSPLIT_OK;
    csi_buf_clear(out);
    for (uint64_t i = from; status == CFSPLIT_OK && !*odd && i < to; i++) {
        size_t at = find_item(&finder, pick->skip + i * pick->step - first);
        if (at >= w->length)
            return csi_fail(err, CFSPLIT_USAGE, "%s has changed while it was read", blocks->shown.text);
        status = add_item(blocks, w, at, out, odd, err);
    }
    return status;
}

static void count_items(const struct csi_blocks *blocks, struct window *w)
{
    struct csi_scan scan = {.text = w->text, .length = w->length, .skip = UINT64_MAX, .marks = w->marks};
    csi_scan_find(&scan, blocks->mode, 0);
    w->items = UINT64_MAX - scan.skip;
    w->marked = scan.marked;
    w->odd = scan.odd;
}

static bool window_init(struct window *w, size_t block_bytes)
{
    if (!w->room) /* copies to where a page begins are faster; the byte before text is in a page of its own */
        w->room = aligned_alloc(page, (page + block_bytes + 1 + beyond_bytes + 1 + page - 1) / page * page);
    if (!w->marks)
        w->marks = malloc((block_bytes / CSI_SCAN_MARK + 1) * sizeof *w->marks);
    if (!w->room || !w->marks)
        return false;
    w->text = w->room + page;
    w->marked = 0;
    w->odd = false;
    return true;
}

static cfsplit_status prepare(const struct walk *walk, struct window *w, struct cfsplit_error *err)
{
    if (!window_init(w, walk->blocks->block_bytes))
        return csi_fail_memory(err);
    cfsplit_status status = read_block(walk->blocks, w->block, w, err);
    if (status == CFSPLIT_OK && walk->counts)
        count_items(walk->blocks, w);
    return status;
}

/* The turn of a block: how many items are before the next one is known from now on; what is picked is put. *last: no other one
 * has a turn. */
static cfsplit_status have_turn(struct walk *walk, struct window *w, bool *last, struct cfsplit_error *err)
{
    struct csi_blocks *blocks = walk->blocks;
    cfsplit_status status = CFSPLIT_OK;
    bool odd = w->odd;
    if (walk->counts && !odd)
        blocks->before[w->block + 1] = blocks->before[w->block] + w->items;
    if (walk->pick && !odd)
        status = add_items(walk, w, &walk->out, &odd, err);
    walk->end.odd = odd;
    *last = odd || status != CFSPLIT_OK;
    if (*last)
        return status;
    if (walk->counts)
        blocks->known = w->block + 1;
    if (!walk->pick)
        return status;
    walk->refused = walk->out.length > 0 && !walk->pick->put(walk->pick->context, walk->out.data, walk->out.length);
    *last = walk->refused || picked_before(walk->pick, blocks->before[w->block + 1]) == walk->pick->left;
    return status;
}

/* ---- the lock is held */

static void fail(struct walk *walk, cfsplit_status status, const struct cfsplit_error *err)
{
    if (walk->status == CFSPLIT_OK) {
        walk->status = status;
        walk->err = *err;
    }
    walk->stop_at = 0;
}

static void take_turns(struct walk *walk)
{
    while (!walk->in_turn && walk->turn < walk->stop_at && walk->ready[walk->turn % windows_max]) {
        struct window *w = walk->ready[walk->turn % windows_max];
        struct cfsplit_error err = {0};
        bool last;
        walk->in_turn = true;
        pthread_mutex_unlock(&walk->lock);
        cfsplit_status status = have_turn(walk, w, &last, &err);
        pthread_mutex_lock(&walk->lock);
        walk->in_turn = false;
        walk->ready[w->block % windows_max] = NULL;
        walk->unused[walk->unused_count++] = w;
        if (status != CFSPLIT_OK)
            fail(walk, status, &err);
        else if (last)
            walk->stop_at = 0;
        else
            walk->turn++;
        pthread_cond_broadcast(&walk->moved);
    }
}

/* The next block and its window, when that is free; NULL when there is nothing left to take. */
static struct window *take_block(struct walk *walk)
{
    while (walk->next < walk->stop_at && walk->next >= walk->turn + windows_max)
        pthread_cond_wait(&walk->moved, &walk->lock);
    if (walk->next >= walk->stop_at)
        return NULL;
    struct window *w = walk->unused[--walk->unused_count];
    w->block = walk->next++;
    return w;
}

static void *work(void *argument)
{
    struct walk *walk = argument;
    struct window *w;
    pthread_mutex_lock(&walk->lock);
    while ((w = take_block(walk)) != NULL) {
        struct cfsplit_error err = {0};
        pthread_mutex_unlock(&walk->lock);
        cfsplit_status status = prepare(walk, w, &err);
        pthread_mutex_lock(&walk->lock);
        if (status != CFSPLIT_OK)
            fail(walk, status, &err);
        else
            walk->ready[w->block % windows_max] = w;
        take_turns(walk);
    }
    pthread_cond_broadcast(&walk->moved);
    pthread_mutex_unlock(&walk->lock);
    return NULL;
}

/* ---- a whole walk */

cfsplit_status csi_blocks_check_same(int fd, const struct stat *seen, const struct cfsplit_quoted *shown,
                                     struct cfsplit_error *err)
{
    struct stat now;
    if (fstat(fd, &now) != 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot read %s", shown->text);
    if (now.st_size != seen->st_size || now.st_mtim.tv_sec != seen->st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec)
        return csi_fail(err, CFSPLIT_USAGE, "%s has changed while it was read", shown->text);
    return CFSPLIT_OK;
}

/* Where to look closely: where the line begins that reaches into the odd block. */
static cfsplit_status find_end(struct walk *walk, struct csi_blocks_end *end, struct cfsplit_error *err)
{
    const struct csi_blocks *blocks = walk->blocks;
    uint64_t offset = (uint64_t)walk->turn * blocks->block_bytes;
    size_t back = offset < beyond_bytes ? (size_t)offset : beyond_bytes;
    char *text = malloc(back + 1);
    if (!text)
        return csi_fail_memory(err);
    text[back] = end_of(blocks);
    uint64_t behind = blocks->bytes - offset;
    cfsplit_status status = read_at(blocks, text, back + (behind > 0), offset - back, err);
    const char *last = back ? memrchr(text, end_of(blocks), back) : NULL;
    size_t begin = last ? (size_t)(last - text) + 1 : 0;
    *end = (struct csi_blocks_end){.odd = true, .at = offset - back + begin};
    end->is_known = begin < back && (blocks->mode == CSI_SCAN_NUL || text[begin] != '\r' || text[begin + 1] != '\n');
    free(text);
    return status;
}

static size_t first_block(const struct csi_blocks *blocks, const struct cfsplit_pick *pick)
{
    size_t low = 0, high = blocks->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (blocks->before[middle] <= pick->skip)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void release(struct walk *walk)
{
    for (size_t i = 0; i < windows_max; i++) {
        free(walk->windows[i].room);
        free(walk->windows[i].marks);
    }
    csi_buf_release(&walk->out);
    pthread_cond_destroy(&walk->moved);
    pthread_mutex_destroy(&walk->lock);
}

static cfsplit_status do_walk(struct walk *walk, struct csi_blocks_end *end, struct cfsplit_error *err)
{
    struct csi_blocks *blocks = walk->blocks;
    *end = (struct csi_blocks_end){0};
    walk->stop_at = blocks->count;
    walk->turn = walk->next;
    while (walk->unused_count < windows_max) {
        walk->unused[walk->unused_count] = &walk->windows[walk->unused_count];
        walk->unused_count++;
    }
    pthread_mutex_init(&walk->lock, NULL);
    csi_thread_condition(&walk->moved);
    csi_thread_team(blocks->count - walk->next < enough_blocks ? 1 : SIZE_MAX, work, walk);
    release(walk);
    if (walk->status != CFSPLIT_OK) {
        if (err)
            *err = walk->err;
        return walk->status;
    }
    cfsplit_status status = CFSPLIT_OK;
    if (!walk->refused)
        status = csi_blocks_check_same(blocks->fd, &blocks->seen, &blocks->shown, err);
    if (status == CFSPLIT_OK && walk->end.odd)
        status = find_end(walk, end, err);
    return status;
}

cfsplit_status csi_blocks_count(struct csi_blocks *blocks, struct csi_blocks_end *end, struct cfsplit_error *err)
{
    struct walk walk = {.blocks = blocks, .counts = true};
    blocks->known = 0;
    return do_walk(&walk, end, err);
}

cfsplit_status csi_blocks_pick(struct csi_blocks *blocks, struct cfsplit_pick *pick, struct csi_blocks_end *end,
                               struct cfsplit_error *err)
{
    bool counted = blocks->count > 0 && blocks->known == blocks->count;
    struct walk walk = {.blocks = blocks, .pick = pick, .counts = !counted};
    if (counted)
        walk.next = first_block(blocks, pick);
    else
        blocks->known = 0;
    cfsplit_status status = do_walk(&walk, end, err);
    uint64_t items = blocks->before[walk.end.odd ? walk.turn : blocks->known];
    uint64_t picked = picked_before(pick, items);
    if (status != CFSPLIT_OK)
        return status;
    pick->skip = picked < pick->left ? pick->skip + picked * pick->step - items : 0;
    pick->left -= picked;
    pick->seen += items;
    pick->refused = walk.refused;
    return status;
}
