#include "node/leases.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* One allocation: the leases of a batch, then their names. */
struct csi_lease_batch {
    size_t left; /* leases of it that are in use */
    struct csi_lease at[];
};

void csi_leases_init(struct csi_leases *leases)
{
    *leases = (struct csi_leases){0};
    leases->last = &leases->first;
}

void csi_leases_fini(struct csi_leases *leases)
{
    for (size_t i = 0; i < leases->room; i++)
        if (leases->table[i] && --leases->table[i]->batch->left == 0)
            free(leases->table[i]->batch);
    free(leases->table);
    csi_leases_init(leases);
}

/* ---- the table */

static size_t home_of(const struct csi_leases *leases, uint64_t index)
{
    return (size_t)(index * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (leases->room - 1);
}

static size_t place_of(const struct csi_leases *leases, uint64_t index)
{
    size_t i = home_of(leases, index);
    while (leases->table[i] && leases->table[i]->index != index)
        i = (i + 1) & (leases->room - 1);
    return i;
}

struct csi_lease *csi_leases_find(const struct csi_leases *leases, uint64_t index)
{
    return leases->room ? leases->table[place_of(leases, index)] : NULL;
}

/* Makes the table fit for `more` leases besides; at most half of it is used. */
static cfsplit_status make_room(struct csi_leases *leases, size_t more, struct cfsplit_error *err)
{
    size_t room = leases->room ? leases->room : 64;
    while (room < 2 * (leases->count + more))
        room *= 2;
    if (room == leases->room)
        return CFSPLIT_OK;
    struct csi_leases larger = *leases;
    larger.room = room;
    larger.table = calloc(room, sizeof(struct csi_lease *));
    if (!larger.table)
        return csi_fail_memory(err);
    for (size_t i = 0; i < leases->room; i++)
        if (leases->table[i])
            larger.table[place_of(&larger, leases->table[i]->index)] = leases->table[i];
    free(leases->table);
    leases->table = larger.table;
    leases->room = room;
    return CFSPLIT_OK;
}

/* Linear probing without tombstones: what stands behind the gap moves up where it may. */
static void close_gap(struct csi_leases *leases, size_t gap)
{
    size_t mask = leases->room - 1;
    for (size_t i = (gap + 1) & mask; leases->table[i]; i = (i + 1) & mask) {
        size_t home = home_of(leases, leases->table[i]->index);
        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        leases->table[gap] = leases->table[i];
        gap = i;
    }
    leases->table[gap] = NULL;
}

void csi_leases_remove(struct csi_leases *leases, struct csi_lease *lease)
{
    struct csi_lease_batch *batch = lease->batch;
    close_gap(leases, place_of(leases, lease->index));
    leases->count--;
    if (--batch->left == 0)
        free(batch);
}

/* ---- a batch comes */

/* Is the list well formed, and does it hold nothing that is here? *bytes: what its names take. */
static bool check(const struct csi_leases *leases, struct csi_wire_bytes list, uint64_t count, size_t *bytes)
{
    struct csi_wire_item item;
    *bytes = 0;
    if (count == 0 || count > CSI_WIRE_BATCH_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!csi_wire_item_next(&list, &item) || csi_leases_find(leases, item.index) || item.attempt == 0 ||
            item.attempt > UINT32_MAX)
            return false;
        *bytes += item.name.length + 1;
    }
    return list.length == 0;
}

static void fill(struct csi_lease *lease, const struct csi_wire_item *item, char *name)
{
    memcpy(name, item->name.data, item->name.length);
    name[item->name.length] = '\0';
    *lease = (struct csi_lease){.item = {.name = name, .length = item->name.length, .weight = item->weight},
                                .index = item->index,
                                .attempt = (uint32_t)item->attempt,
                                .failures = (uint32_t)item->failures,
                                .deaths = (uint32_t)item->deaths,
                                .laters = (uint32_t)item->laters,
                                .alone = item->alone,
                                .aside = item->aside};
}

/* Puts those of a batch into the table, one after the other; false: one of them is there. */
static bool put_into_table(struct csi_leases *leases, struct csi_lease_batch *batch, struct csi_wire_bytes list,
                           char *names)
{
    struct csi_wire_item item;
    for (batch->left = 0; csi_wire_item_next(&list, &item); batch->left++) {
        struct csi_lease *lease = &batch->at[batch->left];
        size_t place = place_of(leases, item.index);
        if (leases->table[place])
            return false;
        fill(lease, &item, names);
        names += item.name.length + 1;
        lease->batch = batch;
        leases->table[place] = lease;
        leases->count++;
    }
    return true;
}

static void take_out_of_table(struct csi_leases *leases, const struct csi_lease_batch *batch)
{
    for (size_t i = 0; i < batch->left; i++)
        close_gap(leases, place_of(leases, batch->at[i].index));
    leases->count -= batch->left;
}

static void line_up(struct csi_leases *leases, struct csi_lease_batch *batch)
{
    for (size_t i = 0; i < batch->left; i++) {
        *leases->last = &batch->at[i];
        leases->last = &batch->at[i].next;
    }
    leases->waiting += batch->left;
}

cfsplit_status csi_leases_add(struct csi_leases *leases, struct csi_wire_bytes list, uint64_t count, bool *bad,
                              struct cfsplit_error *err)
{
    size_t bytes;
    *bad = !check(leases, list, count, &bytes);
    if (*bad)
        return CFSPLIT_OK;
    size_t own = (size_t)count * sizeof(struct csi_lease);
    struct csi_lease_batch *batch = malloc(sizeof *batch + own + bytes);
    if (!batch || make_room(leases, (size_t)count, err) != CFSPLIT_OK) {
        free(batch);
        return csi_fail_memory(err);
    }
    *bad = !put_into_table(leases, batch, list, (char *)batch->at + own);
    if (*bad) { /* an item is in it twice */
        take_out_of_table(leases, batch);
        free(batch);
        return CFSPLIT_OK;
    }
    line_up(leases, batch);
    return CFSPLIT_OK; /* NOLINT(clang-analyzer-unix.Malloc): the last of its leases frees it, and there is one */
}

/* ---- the line of those that wait */

struct csi_lease *csi_leases_peek(const struct csi_leases *leases)
{
    return leases->first;
}

static struct csi_lease *take_first(struct csi_leases *leases)
{
    struct csi_lease *lease = leases->first;
    leases->first = lease->next;
    if (!leases->first)
        leases->last = &leases->first;
    leases->waiting--;
    return lease;
}

void csi_leases_start(struct csi_leases *leases)
{
    take_first(leases)->started = true;
}

void csi_leases_drop(struct csi_leases *leases)
{
    while (leases->first)
        csi_leases_remove(leases, take_first(leases));
}
