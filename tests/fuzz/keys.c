/* keys/client.key */
#include "lib/fuzz.h"
#include "rundir/epoch.h"

#define NAME "keys/client.key"

static size_t mend(uint8_t *data, size_t size, size_t room)
{
    (void)data;
    (void)room;
    return size; /* it has no digest */
}

FUZZ_MENDS(mend)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cfsplit_error err = {0};
    char open[CSI_EPOCH_KEY_BYTES], secret[CSI_EPOCH_KEY_BYTES], text[2 * CSI_EPOCH_KEY_BYTES + 1];
    fuzz_put(NAME, data, size);
    cfsplit_status status = csi_epoch_read_keys(fuzz_run(), open, secret, &err);
    fuzz_judge(status, &err, NAME);
    if (status != CFSPLIT_OK) {
        FUZZ_MUST(open[0] == '\0' && secret[0] == '\0');
        return 0;
    }
    snprintf(text, sizeof text, "%s\n%s\n", open, secret);
    FUZZ_MUST(strlen(text) == size && memcmp(text, data, size) == 0);
    FUZZ_MUST(unlinkat(fuzz_run()->fd, NAME, 0) == 0);
    FUZZ_MUST(csi_epoch_put_keys(fuzz_run(), open, secret, &err) == CFSPLIT_OK);
    FUZZ_MUST(csi_epoch_read_keys(fuzz_run(), open, secret, &err) == CFSPLIT_OK);
    return 0;
}
