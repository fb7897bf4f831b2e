/* beat/<inc> */
#include "lib/fuzz.h"
#include "rundir/beat.h"

enum { slot_bytes = 256, slot_count = 2 };

/* Each slot's digest is that of its bytes up to it. */
static size_t mend(uint8_t *data, size_t size, size_t room)
{
    (void)room;
    for (size_t at = 0; at + slot_bytes <= size && at < slot_count * (size_t)slot_bytes; at += slot_bytes) {
        uint8_t *stop = memchr(data + at, ' ', slot_bytes), digits[17];
        if (!stop || stop - (data + at) < 16)
            continue;
        snprintf((char *)digits, sizeof digits, "%016" PRIx64,
                 (uint64_t)XXH64(data + at, (size_t)(stop - 16 - data) - at, 0));
        memcpy(stop - 16, digits, 16);
    }
    return size;
}

FUZZ_MENDS(mend)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cfsplit_run *run = fuzz_run();
    struct cfsplit_error err = {0};
    struct csi_beat beat, again;
    fuzz_put("beat/" FUZZ_INC, data, size);
    cfsplit_status status = csi_beat_read(run, FUZZ_INC, &beat, &err);
    fuzz_judge(status, &err, "beat/" FUZZ_INC);
    FUZZ_MUST(status == CFSPLIT_OK ? beat.sequence > 0 : beat.sequence == 0 && beat.committed == 0);
    if (status != CFSPLIT_OK)
        return 0;
    int fd = openat(run->fd, "beat/1-again", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_MUST(csi_beat_write(fd, &beat, &err) == CFSPLIT_OK && close(fd) == 0);
    FUZZ_MUST(csi_beat_read(run, "1-again", &again, &err) == CFSPLIT_OK);
    FUZZ_MUST(memcmp(&beat, &again, sizeof beat) == 0);
    return 0;
}
