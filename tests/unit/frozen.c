/* The frozen list: what was planned is read, any part of it, and any damage is found. */
#include "rundir/frozen.h"

#include <lz4frame.h>

#include "lib/random.h"
#include "lib/rundir.h"

static const char run_id[] = "0123456789abcdef0123456789abcdef";

struct frozen {
    struct cfsplit_list *list;
    struct cfsplit_shares *shares;
    uint32_t replicas;
    uint64_t count, *order; /* positions in the list, in the order of work */
    uint64_t items_digest, index_digest;
    int dir;
    struct csi_frozen f;
};

static void remove_files(void)
{
    unlink("items.lz4");
    unlink("items.idx");
}

static cfsplit_status reopen(struct frozen *z)
{
    csi_frozen_close(&z->f);
    return csi_frozen_add(&z->f, z->dir, run_id, z->items_digest, z->index_digest, z->count, &err);
}

static struct frozen freeze(struct cfsplit_list *list, enum cfsplit_strategy strategy, uint32_t replicas)
{
    struct frozen z = {.list = list, .replicas = replicas, .count = cfsplit_list_count(list)};
    struct csi_layout layout;
    uint64_t n = 0;
    z.dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    z.order = calloc(z.count + 1, sizeof *z.order);
    CHECK_OK(cfsplit_shares_new(list, strategy, replicas, &z.shares, &err));
    for (uint32_t k = 1; k <= replicas; k++) {
        uint64_t count;
        const uint64_t *share = cfsplit_shares_of(z.shares, k, &count);
        for (uint64_t i = 0; i < count; i++)
            z.order[n++] = share[i];
    }
    CHECK_EQUAL(n, z.count);
    CHECK_OK(csi_layout_new(&layout, list, strategy, replicas, &err));
    CHECK_OK(csi_frozen_write(z.dir, run_id, 0, 0, list, &layout, &z.items_digest, &z.index_digest, &err));
    csi_layout_free(&layout);
    CHECK_OK(reopen(&z));
    return z;
}

static void thaw(struct frozen *z)
{
    csi_frozen_close(&z->f);
    cfsplit_shares_free(z->shares);
    cfsplit_list_free(z->list);
    free(z->order);
    close(z->dir);
    remove_files();
}

/* Names of up to `longest` bytes, any but NUL, of any weight. */
static struct cfsplit_list *wild_list(uint64_t count, size_t longest, uint64_t seed)
{
    struct random random = {seed};
    struct cfsplit_list *list;
    char *name = malloc(longest);
    CHECK_OK(cfsplit_list_new(&list, &err));
    for (uint64_t i = 0; i < count; i++) {
        size_t length = 1 + random_below(&random, longest);
        for (size_t k = 0; k < length; k++)
            name[k] = (char)(1 + random_below(&random, 255));
        CHECK_OK(cfsplit_list_add(list, name, length, random_next(&random) >> (14 + random_below(&random, 50)), &err));
    }
    free(name);
    return list;
}

static void check_part(const struct frozen *z, struct csi_items *items, uint64_t first, uint64_t count)
{
    bool same = true;
    CHECK_OK(csi_frozen_load(&z->f, first, count, items, &err));
    CHECK_EQUAL(items->count, count);
    for (uint64_t i = first; same && i < first + count; i++) {
        struct cfsplit_item wanted = cfsplit_list_at(z->list, z->order[i]);
        const struct cfsplit_item *got = csi_items_at(items, i);
        same = got->length == wanted.length && got->weight == wanted.weight &&
               memcmp(got->name, wanted.name, wanted.length + 1) == 0;
        if (!same)
            CHECK_EQUAL(i, -1);
    }
}

static void check_pieces(const struct frozen *z)
{
    uint64_t first = 0;
    size_t p = 0;
    for (uint32_t k = 1; k <= z->replicas; k++) {
        uint64_t count, least = UINT64_MAX, most = 0, sum = 0;
        size_t pieces = 0;
        (void)cfsplit_shares_of(z->shares, k, &count);
        for (; p < z->f.piece_count && z->f.pieces[p].share == k; p++, pieces++) {
            const struct csi_piece *piece = &z->f.pieces[p];
            CHECK_EQUAL(piece->first, first);
            CHECK(piece->items > 0);
            least = piece->items < least ? piece->items : least;
            most = piece->items > most ? piece->items : most;
            if (csi_frozen_piece_of(&z->f, first) != p || csi_frozen_piece_of(&z->f, first + piece->items - 1) != p)
                CHECK_EQUAL(p, -1);
            first += piece->items;
            sum += piece->items;
        }
        CHECK_EQUAL(sum, count);
        CHECK_EQUAL(pieces, count < CSI_PIECES_PER_SHARE ? count : CSI_PIECES_PER_SHARE);
        CHECK(count == 0 || most - least <= 1);
    }
    CHECK_EQUAL(p, z->f.piece_count);
}

static void check_all(struct cfsplit_list *list, uint32_t replicas)
{
    struct random random = {7};
    struct csi_items items = {0};
    for (int s = CFSPLIT_CHUNK; s <= CFSPLIT_HASH; s++) {
        struct frozen z = freeze(list, (enum cfsplit_strategy)s, replicas);
        check_part(&z, &items, 0, z.count);
        check_pieces(&z);
        for (int i = 0; z.count > 0 && i < 30; i++) {
            uint64_t first = random_below(&random, z.count);
            check_part(&z, &items, first, random_below(&random, z.count - first + 1));
        }
        CHECK_OK(csi_frozen_check(&z.f, &err));
        z.list = NULL;
        thaw(&z);
    }
    csi_items_release(&items);
    cfsplit_list_free(list);
}

static void every_strategy_goes_round(void)
{
    check_all(wild_list(0, 1, 1), 1);
    check_all(wild_list(0, 1, 1), 5);
    check_all(wild_list(1, 10, 2), 1);
    check_all(wild_list(1, 10, 2), 5);
    check_all(rundir_list(64), 8);
    check_all(rundir_list(20000), 7);
    check_all(wild_list(4000, 200, 3), 13);
}

static void longest_names_go_round(void)
{
    struct cfsplit_list *list = wild_list(0, 1, 1);
    char *name = malloc(CFSPLIT_ITEM_BYTES_MAX);
    struct random random = {5};
    for (int i = 0; i < 6; i++) {
        for (size_t k = 0; k < CFSPLIT_ITEM_BYTES_MAX; k++) /* half of them cannot be packed */
            name[k] = i % 2 ? 'x' : (char)(1 + random_below(&random, 255));
        CHECK_OK(cfsplit_list_add(list, name, CFSPLIT_ITEM_BYTES_MAX, i == 3 ? UINT64_C(1) << 62 : 0, &err));
        CHECK_OK(cfsplit_list_add(list, name, 1 + random_below(&random, 9000), 1, &err));
    }
    free(name);
    check_all(list, 2);
}

static void every_part_can_be_loaded(void)
{
    struct frozen z = freeze(wild_list(60, 5000, 9), CFSPLIT_SIZE, 3);
    struct csi_items items = {0};
    CHECK(z.f.block_count >= 2);
    for (uint64_t first = 0; first < z.count; first++)
        for (uint64_t count = 0; first + count <= z.count; count += 1 + count / 4)
            check_part(&z, &items, first, count);
    CHECK_EQUAL(csi_frozen_load(&z.f, 59, 2, &items, &err), CFSPLIT_DAMAGED); /* beyond the end */
    csi_items_release(&items);
    thaw(&z);
}

static void lz4_reads_the_file(void)
{
    struct frozen z = freeze(wild_list(3000, 100, 4), CFSPLIT_STRIPE, 4);
    struct csi_buf file = rundir_read("items.lz4"), wanted = CSI_BUF_INIT, got = CSI_BUF_INIT;
    for (uint64_t i = 0; i < z.count; i++) {
        struct cfsplit_item item = cfsplit_list_at(z.list, z.order[i]);
        csi_buf_addf(&wanted, "%" PRIu64 "\t", item.weight);
        csi_buf_add(&wanted, item.name, item.length + 1);
    }
    LZ4F_dctx *lz4;
    size_t rest = 1;
    CHECK(!LZ4F_isError(LZ4F_createDecompressionContext(&lz4, LZ4F_VERSION)));
    for (size_t at = 0; rest != 0 && at < file.length;) {
        size_t in = file.length - at, out = 1 << 16;
        char *to = csi_buf_reserve(&got, out);
        rest = LZ4F_decompress(lz4, to, &out, file.data + at, &in, NULL);
        if (LZ4F_isError(rest) || (in == 0 && out == 0))
            break;
        at += in;
        got.length += out;
    }
    CHECK_EQUAL(rest, 0);
    LZ4F_freeDecompressionContext(lz4);
    CHECK_EQUAL(got.length, wanted.length);
    CHECK(got.length == wanted.length && memcmp(got.data, wanted.data, wanted.length) == 0);
    csi_buf_release(&file);
    csi_buf_release(&wanted);
    csi_buf_release(&got);
    thaw(&z);
}

static void other_blocks_are_not_read(void)
{
    struct frozen z = freeze(wild_list(2000, 300, 6), CFSPLIT_EVEN, 4);
    struct csi_items items = {0};
    CHECK(z.f.block_count >= 4);
    const struct csi_block *hurt = &z.f.blocks[2];
    char place[64];
    rundir_flip("items.lz4", hurt->offset + hurt->packed / 2, 3);
    check_part(&z, &items, 0, hurt->first);
    check_part(&z, &items, hurt->first + hurt->items, z.count - hurt->first - hurt->items);
    CHECK_EQUAL(csi_frozen_load(&z.f, hurt->first - 1, 2, &items, &err), CFSPLIT_DAMAGED);
    snprintf(place, sizeof place, "'items.lz4' is damaged at byte %" PRIu64 ":", hurt->offset);
    CHECK(strncmp(err.message, place, strlen(place)) == 0);
    CHECK_EQUAL(csi_frozen_load(&z.f, 0, z.count, &items, &err), CFSPLIT_DAMAGED);
    CHECK_EQUAL(csi_frozen_check(&z.f, &err), CFSPLIT_DAMAGED);
    csi_items_release(&items);
    thaw(&z);
}

/* Every bit of the blocks, by loading; every bit of all of it, by the check. */
static void flipped_bits_of_the_items_are_found(void)
{
    struct frozen z = freeze(wild_list(12, 12, 8), CFSPLIT_CHUNK, 2);
    struct csi_buf file = rundir_read("items.lz4");
    struct csi_items items = {0};
    const struct csi_block *block = &z.f.blocks[0];
    CHECK_EQUAL(z.f.block_count, 1);
    for (uint64_t bit = 0; bit < 8 * file.length; bit++) {
        uint64_t byte = bit / 8;
        rundir_flip("items.lz4", byte, (int)(bit % 8));
        if (csi_frozen_check(&z.f, &err) != CFSPLIT_DAMAGED)
            CHECK_EQUAL(bit, -1);
        if (byte >= block->offset && byte < block->offset + block->packed &&
            csi_frozen_load(&z.f, 0, z.count, &items, &err) != CFSPLIT_DAMAGED)
            CHECK_EQUAL(bit, -2);
        rundir_flip("items.lz4", byte, (int)(bit % 8));
    }
    check_part(&z, &items, 0, z.count);
    csi_items_release(&items);
    csi_buf_release(&file);
    thaw(&z);
}

static void cut_items_are_found(void)
{
    struct frozen z = freeze(wild_list(12, 12, 8), CFSPLIT_CHUNK, 2);
    struct csi_buf file = rundir_read("items.lz4");
    struct csi_items items = {0};
    csi_buf_add_char(&file, 'x');
    for (size_t length = 0; length <= file.length; length++) {
        bool whole = length == file.length - 1;
        scratch_write("items.lz4", file.data, length);
        CHECK_OK(reopen(&z));
        CHECK_EQUAL(csi_frozen_check(&z.f, &err), whole ? CFSPLIT_OK : CFSPLIT_DAMAGED);
        if (length < z.f.blocks[0].offset + z.f.blocks[0].packed)
            CHECK_EQUAL(csi_frozen_load(&z.f, 0, 1, &items, &err), CFSPLIT_DAMAGED);
    }
    csi_items_release(&items);
    csi_buf_release(&file);
    thaw(&z);
}

static void damage_to_the_index_is_found(void)
{
    struct frozen z = freeze(wild_list(12, 12, 8), CFSPLIT_CHUNK, 2);
    struct csi_buf file = rundir_read("items.idx");
    for (uint64_t bit = 0; bit < 8 * file.length; bit++) {
        rundir_flip("items.idx", bit / 8, (int)(bit % 8));
        if (reopen(&z) != CFSPLIT_DAMAGED)
            CHECK_EQUAL(bit, -1);
        rundir_flip("items.idx", bit / 8, (int)(bit % 8));
    }
    for (size_t length = 0; length < file.length; length++) {
        scratch_write("items.idx", file.data, length);
        CHECK_EQUAL(reopen(&z), CFSPLIT_DAMAGED);
    }
    scratch_write("items.idx", file.data, file.length);
    CHECK_OK(reopen(&z));
    z.count++;
    CHECK_EQUAL(reopen(&z), CFSPLIT_DAMAGED);
    csi_buf_release(&file);
    thaw(&z);
}

static void missing_files_are_found(void)
{
    struct frozen z = freeze(wild_list(12, 12, 8), CFSPLIT_CHUNK, 2);
    CHECK(unlink("items.lz4") == 0);
    CHECK_EQUAL(reopen(&z), CFSPLIT_DAMAGED);
    CHECK(unlink("items.idx") == 0);
    CHECK_EQUAL(reopen(&z), CFSPLIT_DAMAGED);
    CHECK_TEXT(err.message, "'items.idx' is missing");
    thaw(&z);
}

int main(void)
{
    static const struct check_case cases[] = {
        {"a list goes round by every strategy, in pieces that partition it", every_strategy_goes_round},
        {"the longest names and weights go round", longest_names_go_round},
        {"every part of a list can be loaded", every_part_can_be_loaded},
        {"lz4 unpacks the file to what the manual says", lz4_reads_the_file},
        {"blocks that are not asked for are not read", other_blocks_are_not_read},
        {"every flipped bit of the items is found", flipped_bits_of_the_items_are_found},
        {"items that are cut or go on are found", cut_items_are_found},
        {"every damage to the index is found", damage_to_the_index_is_found},
        {"missing files are found", missing_files_are_found},
    };
    scratch_enter();
    return check_main("the frozen list", cases, sizeof cases / sizeof *cases);
}
