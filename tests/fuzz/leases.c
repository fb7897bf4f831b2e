/* Leases: the bytes are what happens to them, one after the other: a list comes, the first one starts, one ends, all that wait are
 * dropped. After each, the table, the line and the counts agree. */
#include "lib/fuzz.h"
#include "node/leases.h"

enum {
    head_bytes = 4,
    begun_most = 1024
}; /* what happens; which, or how many; the length of the list, little-endian */
enum { ADD, START, END, DROP, HAPPENINGS };

static struct csi_leases leases;
static struct csi_lease *begun[begun_most];
static size_t begun_count;

static size_t mend(uint8_t *data, size_t size, size_t room)
{
    (void)data;
    (void)room;
    return size; /* it has no digest */
}

FUZZ_MENDS(mend)

static void check_all(void)
{
    size_t in_table = 0, in_line = 0;
    for (size_t i = 0; i < leases.room; i++) {
        const struct csi_lease *lease = leases.table[i];
        if (!lease)
            continue;
        in_table++;
        FUZZ_MUST(csi_leases_find(&leases, lease->index) == lease);
        FUZZ_MUST(lease->attempt > 0 && strlen(lease->item.name) == lease->item.length && lease->item.length > 0);
    }
    for (const struct csi_lease *lease = leases.first; lease; lease = lease->next, in_line++)
        FUZZ_MUST(!lease->started && csi_leases_find(&leases, lease->index) == lease);
    FUZZ_MUST(in_table == leases.count && in_line == leases.waiting && begun_count + in_line == in_table);
    FUZZ_MUST(*leases.last == NULL);
}

static void add(const uint8_t *bytes, size_t length, uint64_t count)
{
    struct cfsplit_error err;
    size_t before = leases.count, waiting = leases.waiting;
    bool bad;
    FUZZ_MUST(csi_leases_add(&leases, (struct csi_wire_bytes){(const char *)bytes, length}, count, &bad, &err) ==
              CFSPLIT_OK);
    FUZZ_MUST(leases.count - before == (bad ? 0 : count) && leases.waiting - waiting == (bad ? 0 : count));
}

static void start(void)
{
    if (!csi_leases_peek(&leases) || begun_count == begun_most)
        return;
    begun[begun_count++] = csi_leases_peek(&leases);
    csi_leases_start(&leases);
}

static void end(size_t which)
{
    if (begun_count == 0)
        return;
    which %= begun_count--;
    uint64_t index = begun[which]->index;
    csi_leases_remove(&leases, begun[which]);
    begun[which] = begun[begun_count];
    FUZZ_MUST(csi_leases_find(&leases, index) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    csi_leases_init(&leases);
    begun_count = 0;
    while (size >= head_bytes) {
        size_t length = (size_t)data[2] | (size_t)data[3] << 8, which = data[1];
        unsigned what = data[0] % HAPPENINGS;
        data += head_bytes;
        size -= head_bytes;
        length = what != ADD ? 0 : length < size ? length : size;
        switch (what) {
        case ADD: add(data, length, which); break;
        case START: start(); break;
        case END: end(which); break;
        default: csi_leases_drop(&leases);
        }
        data += length;
        size -= length;
        check_all();
    }
    csi_leases_fini(&leases);
    return 0;
}
