/* coordinator/epoch-<K> */
#include "rundir/epoch.h"
#include "lib/fuzz.h"

#define NAME "coordinator/epoch-3"

/* The identity, the second line, ends with the digest of that line; the last line is the digest of all before. */
static size_t mend(uint8_t *data, size_t size, size_t room)
{
    uint8_t *first = memchr(data, '\n', size), *second = NULL;
    (void)room;
    if (first)
        second = memchr(first + 1, '\n', size - (size_t)(first + 1 - data));
    if (second) {
        size_t from = (size_t)(first + 1 - data), length = (size_t)(second - data) - from;
        size_t tab = fuzz_find_last(data + from, length, "\t") + 1;
        if (tab <= length && length - tab == 16) /* nothing behind it moves */
            (void)fuzz_put_check(data, size, size, from + tab, XXH64(data + from, tab, 0), "");
    }
    size_t end = fuzz_find_last(data, size, "\nend\t");
    return end == size ? size : fuzz_put_check(data, size, room, end + 5, XXH64(data, end + 5, 0), "\n");
}

FUZZ_MENDS(mend)

static void is_good(const struct csi_epoch *e)
{
    uint32_t replica;
    FUZZ_MUST(e->K == 3 && strlen(e->key) == CSI_EPOCH_KEY_BYTES - 1 && strlen(e->place) < sizeof e->place);
    FUZZ_MUST(e->coordinator.coordinator && csi_inc_is_name(e->coordinator.name, &replica));
    FUZZ_MUST(replica == e->coordinator.replica && e->address_count <= CSI_EPOCH_ADDRESSES_MAX);
    for (size_t i = 0; i < e->address_count; i++) {
        const char *address = e->addresses[i];
        FUZZ_MUST(strlen(address) < CSI_EPOCH_ADDRESS_BYTES && address[strcspn(address, " \t\r\n")] == '\0');
        FUZZ_MUST(strncmp(address, "ipc://@", 7) == 0 || strncmp(address, "tcp://", 6) == 0);
    }
}

/* What was read can be put, and reads as the same. */
static void goes_round(const struct csi_epoch *epoch)
{
    struct cfsplit_error err = {0};
    struct csi_epoch again;
    bool won;
    FUZZ_MUST(unlinkat(fuzz_run()->fd, NAME, 0) == 0);
    FUZZ_MUST(csi_epoch_put(fuzz_run(), epoch, &won, &err) == CFSPLIT_OK && won);
    FUZZ_MUST(csi_epoch_read(fuzz_run(), 3, &again, &err) == CFSPLIT_OK);
    FUZZ_MUST(strcmp(again.key, epoch->key) == 0 && strcmp(again.place, epoch->place) == 0);
    FUZZ_MUST(strcmp(again.coordinator.name, epoch->coordinator.name) == 0);
    FUZZ_MUST(again.address_count == epoch->address_count);
    for (size_t i = 0; i < epoch->address_count; i++)
        FUZZ_MUST(strcmp(again.addresses[i], epoch->addresses[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cfsplit_error err = {0};
    struct csi_epoch epoch, last;
    fuzz_put(NAME, data, size);
    cfsplit_status status = csi_epoch_read(fuzz_run(), 3, &epoch, &err);
    fuzz_judge(status, &err, NAME);
    FUZZ_MUST(csi_epoch_last(fuzz_run(), 2, &last, &err) == status);
    FUZZ_MUST(last.K == (status == CFSPLIT_OK ? 3 : 2));
    if (status != CFSPLIT_OK)
        return 0;
    is_good(&epoch);
    goes_round(&epoch);
    return 0;
}
