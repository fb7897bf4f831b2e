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
    best_bytes = 256 * 1024,                   /* stay in a processor's cache */
    enough_blocks = 8,                         /* for a second thread */
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

/* One walk of several threads over the blocks from `next` on: each takes the next block and counts it; then the blocks come to
 * know, one after the other, how many items are before them, and are put. What follows `lock` is guarded by it. */
struct walk {
    struct csi_blocks *blocks;
    const struct cfsplit_pick *pick; /* NULL: only count */
    bool counts;                     /* not yet known */
    pthread_mutex_t lock;
    pthread_cond_t moved;
    size_t next;    /* to be taken */
    size_t put;     /* to be put */
    size_t stop_at; /* not beyond this one */
    bool refused;   /* by whom it was put to */
    struct csi_blocks_end end;
    size_t end_block;
    cfsplit_status status;
    struct cfsplit_error err;
};

/* What a thread has of a block: text[-1] is the byte before it, what ends an item where the file begins or ends. */
struct window {
    char *room, *text;
    size_t length; /* of the block */
    size_t there;  /* bytes from text on: one more than length, if the file has it */
    uint64_t offset;
    struct csi_buf out;
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
static cfsplit_status add_item(const struct csi_blocks *blocks, struct window *w, size_t at, bool *odd,
                               struct cfsplit_error *err)
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
    csi_buf_add(&w->out, w->text + at, length);
    csi_buf_add_char(&w->out, end_of(blocks));
    return status == CFSPLIT_OK && w->out.failed ? csi_fail_memory(err) : status;
}

/* All items of the block that are picked, into w->out. */
static cfsplit_status add_items(const struct walk *walk, size_t block, struct window *w, bool *odd,
                                struct cfsplit_error *err)
{
    const struct csi_blocks *blocks = walk->blocks;
    const struct cfsplit_pick *pick = walk->pick;
    uint64_t first = blocks->before[block];
    uint64_t from = picked_before(pick, first), to = picked_before(pick, blocks->before[block + 1]);
    struct csi_scan scan = {.text = w->text, .length = w->length};
    size_t at = 0;
    cfsplit_status status = CFSPLIT_OK;
    csi_buf_clear(&w->out);
    for (uint64_t i = from; status == CFSPLIT_OK && !*odd && i < to; i++) {
        scan.skip = i == from ? pick->skip + i * pick->step - first : pick->step - 1;
        at = csi_scan_find(&scan, blocks->mode, at);
        if (at >= scan.length)
            return csi_fail(err, CFSPLIT_USAGE, "%s has changed while it was read", blocks->shown.text);
        status = add_item(blocks, w, at, odd, err);
        at++;
    }
    return status;
}

static uint64_t count_items(const struct csi_blocks *blocks, const struct window *w, bool *odd)
{
    struct csi_scan scan = {.text = w->text, .length = w->length, .skip = UINT64_MAX};
    csi_scan_find(&scan, blocks->mode, 0);
    *odd = scan.odd;
    return UINT64_MAX - scan.skip;
}

/* ---- one after the other; the lock is held */

static void stop_at(struct walk *walk, size_t block)
{
    if (block < walk->stop_at)
        walk->stop_at = block;
    pthread_cond_broadcast(&walk->moved);
}

static void fail_at(struct walk *walk, size_t block, cfsplit_status status, const struct cfsplit_error *err)
{
    if (walk->status == CFSPLIT_OK) {
        walk->status = status;
        walk->err = *err;
    }
    stop_at(walk, block);
}

static void end_odd(struct walk *walk, size_t block)
{
    if (walk->end.odd && walk->end_block < block)
        return;
    walk->end.odd = true;
    walk->end_block = block;
    stop_at(walk, block);
}

/* Waits until *what is `block`; false if the walk stops before it. */
static bool await(struct walk *walk, const size_t *what, size_t block)
{
    while (*what != block && block < walk->stop_at)
        pthread_cond_wait(&walk->moved, &walk->lock);
    return block < walk->stop_at;
}

static bool take_block(struct walk *walk, size_t *block)
{
    *block = walk->next;
    if (*block >= walk->stop_at || walk->status != CFSPLIT_OK)
        return false;
    walk->next++;
    return true;
}

/* ---- what each thread does */

/* The block comes to know how many items are before the next one; false if the walk stops here. */
static bool settle_count(struct walk *walk, size_t block, uint64_t items, bool odd)
{
    struct csi_blocks *blocks = walk->blocks;
    pthread_mutex_lock(&walk->lock);
    bool goes_on = await(walk, &blocks->known, block);
    if (goes_on && odd)
        end_odd(walk, block);
    else if (goes_on) {
        blocks->before[block + 1] = blocks->before[block] + items;
        blocks->known = block + 1;
        pthread_cond_broadcast(&walk->moved);
    }
    pthread_mutex_unlock(&walk->lock);
    return goes_on && !odd;
}

static void put_block(struct walk *walk, size_t block, const struct csi_buf *out, bool odd)
{
    const struct cfsplit_pick *pick = walk->pick;
    pthread_mutex_lock(&walk->lock);
    bool goes_on = await(walk, &walk->put, block);
    if (goes_on && odd)
        end_odd(walk, block);
    pthread_mutex_unlock(&walk->lock);
    if (!goes_on || odd)
        return;
    bool refused = out->length > 0 && !pick->put(pick->context, out->data, out->length);
    pthread_mutex_lock(&walk->lock);
    walk->refused = walk->refused || refused;
    walk->put = block + 1;
    if (refused || picked_before(pick, walk->blocks->before[block + 1]) == pick->left)
        stop_at(walk, block + 1);
    pthread_cond_broadcast(&walk->moved);
    pthread_mutex_unlock(&walk->lock);
}

static cfsplit_status do_block(struct walk *walk, size_t block, struct window *w, struct cfsplit_error *err)
{
    bool odd = false;
    cfsplit_status status = read_block(walk->blocks, block, w, err);
    if (status == CFSPLIT_OK && walk->counts) {
        uint64_t items = count_items(walk->blocks, w, &odd);
        if (!settle_count(walk, block, items, odd))
            return CFSPLIT_OK;
    }
    if (status == CFSPLIT_OK && walk->pick) {
        status = add_items(walk, block, w, &odd, err);
        if (status == CFSPLIT_OK)
            put_block(walk, block, &w->out, odd);
    }
    return status;
}

static void *work(void *argument)
{
    struct walk *walk = argument;
    struct window w = {.room = malloc(1 + walk->blocks->block_bytes + 1 + beyond_bytes + 1)};
    struct cfsplit_error err = {0};
    cfsplit_status status = w.room ? CFSPLIT_OK : csi_fail_memory(&err);
    w.text = w.room ? w.room + 1 : NULL;
    pthread_mutex_lock(&walk->lock);
    size_t block = walk->next;
    while (w.text && status == CFSPLIT_OK && take_block(walk, &block)) {
        pthread_mutex_unlock(&walk->lock);
        status = do_block(walk, block, &w, &err);
        pthread_mutex_lock(&walk->lock);
    }
    if (status != CFSPLIT_OK)
        fail_at(walk, block, status, &err);
    pthread_mutex_unlock(&walk->lock);
    csi_buf_release(&w.out);
    free(w.room);
    return NULL;
}

/* ---- a whole walk */

static cfsplit_status check_same(const struct csi_blocks *blocks, struct cfsplit_error *err)
{
    struct stat now;
    if (fstat(blocks->fd, &now) != 0)
        return csi_fail_errno(err, csi_status_of_errno(errno, CFSPLIT_USAGE), errno, "cannot read %s",
                              blocks->shown.text);
    if (now.st_size != blocks->seen.st_size || now.st_mtim.tv_sec != blocks->seen.st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != blocks->seen.st_mtim.tv_nsec)
        return csi_fail(err, CFSPLIT_USAGE, "%s has changed while it was read", blocks->shown.text);
    return CFSPLIT_OK;
}

/* Where to look closely: where the line begins that reaches into the odd block. */
static cfsplit_status find_end(struct walk *walk, struct csi_blocks_end *end, struct cfsplit_error *err)
{
    const struct csi_blocks *blocks = walk->blocks;
    uint64_t offset = (uint64_t)walk->end_block * blocks->block_bytes;
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

static cfsplit_status do_walk(struct walk *walk, struct csi_blocks_end *end, struct cfsplit_error *err)
{
    struct csi_blocks *blocks = walk->blocks;
    *end = (struct csi_blocks_end){0};
    walk->stop_at = blocks->count;
    walk->put = walk->next;
    pthread_mutex_init(&walk->lock, NULL);
    csi_thread_condition(&walk->moved);
    csi_thread_team(blocks->count - walk->next < enough_blocks ? 1 : SIZE_MAX, work, walk);
    pthread_cond_destroy(&walk->moved);
    pthread_mutex_destroy(&walk->lock);
    if (walk->status != CFSPLIT_OK) {
        if (err)
            *err = walk->err;
        return walk->status;
    }
    cfsplit_status status = walk->refused ? CFSPLIT_OK : check_same(blocks, err);
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
    uint64_t items = blocks->before[walk.end.odd ? walk.end_block : blocks->known];
    uint64_t picked = picked_before(pick, items);
    if (status != CFSPLIT_OK)
        return status;
    pick->skip = picked < pick->left ? pick->skip + picked * pick->step - items : 0;
    pick->left -= picked;
    pick->seen += items;
    pick->refused = walk.refused;
    return status;
}
