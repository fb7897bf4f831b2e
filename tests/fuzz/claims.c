/* The names in claims/: each line of the input is a file in claims/0.0 or, if it begins with '+', in claims/0.1. */
#include "rundir/claim.h"
#include "lib/fuzz.h"

enum { name_count = 8 };

static size_t mend(uint8_t *data, size_t size, size_t room)
{
    (void)data;
    (void)room;
    return size; /* names have no digest */
}

FUZZ_MENDS(mend)

static void publish(void)
{
    char line[300];
    int n =
        snprintf(line, sizeof line, "cfsplit-replica\t1\t%s\t%s\t-\t-\t1\t0\thost\ta test\t1\t", FUZZ_RUN_ID, FUZZ_INC);
    n += snprintf(line + n, sizeof line - (size_t)n, "%016" PRIx64 "\n", (uint64_t)XXH64(line, (size_t)n, 0));
    fuzz_put("replicas/" FUZZ_INC, line, (size_t)n);
}

/* Links the identity to the name; the path, or "" where no file can have such a name. */
static void claim(const char *line, size_t length, char path[300])
{
    bool second = length > 0 && *line == '+';
    snprintf(path, 300, "claims/0.%d/%.*s", second, (int)(length - second), line + second);
    if (length - second == 0 || strchr(path + 11, '/') ||
        linkat(fuzz_run()->fd, "replicas/" FUZZ_INC, fuzz_run()->fd, path, 0) != 0)
        path[0] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cfsplit_run *run = fuzz_run();
    struct cfsplit_error err = {0};
    struct csi_inc owner;
    uint32_t highest[300];
    char paths[name_count][300];
    int count = 0;
    publish();
    for (const uint8_t *at = data, *end = data + size, *stop; count < name_count && at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        if (stop - at < 250)
            claim((const char *)at, (size_t)(stop - at), paths[count++]);
    }
    cfsplit_status status = csi_claim_list(run, highest, &err);
    fuzz_judge(status, &err, "claims/0.");
    for (uint32_t piece = 0; status == CFSPLIT_OK && piece < run->frozen.piece_count; piece++)
        if (highest[piece])
            FUZZ_MUST(csi_claim_owner(run, piece, highest[piece], &owner, &err) == CFSPLIT_OK);
    while (count-- > 0)
        if (paths[count][0])
            FUZZ_MUST(unlinkat(run->fd, paths[count], 0) == 0);
    return 0;
}
