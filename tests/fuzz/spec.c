/* run.json */
#include "rundir/spec.h"
#include "lib/fuzz.h"

static const char key[] = ",\n \"check\": \"", tail[] = "\"\n}\n";

/* The check is that of all bytes before it. */
static size_t mend(uint8_t *data, size_t size, size_t room)
{
    size_t at = fuzz_find_last(data, size, key), length = strlen(key);
    if (at == size || at + length > room)
        return size;
    return fuzz_put_check(data, size, room, at + length, XXH64(data, at, 0), tail);
}

FUZZ_MENDS(mend)

static void encode(const struct csi_spec *spec, struct csi_buf *text)
{
    struct cfsplit_error err;
    FUZZ_MUST(csi_spec_encode(spec, text, &err) == CFSPLIT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cfsplit_error err = {0};
    struct csi_spec spec, again;
    struct csi_buf text = CSI_BUF_INIT, same = CSI_BUF_INIT;
    cfsplit_status status = csi_spec_decode(&spec, (const char *)data, size, "run.json", &err);
    if (status == CFSPLIT_USAGE)
        FUZZ_MUST(strstr(err.message, "'run.json' has format version "));
    else
        fuzz_judge(status, &err, "'run.json' is damaged at byte ");
    if (status == CFSPLIT_OK) {
        encode(&spec, &text);
        FUZZ_MUST(csi_spec_decode(&again, text.data, text.length, "run.json", &err) == CFSPLIT_OK);
        encode(&again, &same);
        FUZZ_MUST(text.length == same.length && memcmp(text.data, same.data, text.length) == 0);
        FUZZ_MUST(strspn(spec.run_id, "0123456789abcdef") == 32 && strspn(spec.list_digest, "0123456789abcdef") == 32);
        FUZZ_MUST(spec.replicas == again.replicas && spec.items == again.items && spec.weight == again.weight);
        csi_spec_release(&again);
    }
    csi_spec_release(&spec);
    csi_buf_release(&text);
    csi_buf_release(&same);
    return 0;
}
